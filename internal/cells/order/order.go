// Package order is how the kernel tells a waiting host which cell to run.
package order

import (
	"encoding/json"
	"io"
	"net"
	"syscall"
)

// LibraryHash is the ABI hash of the library that stands for the host when a cell is
// linked. Cells and hosts are matched by their packages' export data, so it needn't change.
const LibraryHash = "gaze-cells-host-0001"

// Files is the number of files that go with an order to run a cell: standard input, output
// and error, then the pipes of gonbui to and from the kernel.
const Files = 5

// Refused is the exit code of a host that couldn't load a cell.
const Refused = 113

// Order is what a waiting host is told.
type Order struct {
	Warm    []string // what to prepare while there's nothing to run, as notebook.Warm has it
	Library string   // the cell; empty: only prepare
	Name    string   // os.Args[0]
	Args    []string
	Env     []string
	Dir     string
}

// limit is the longest message.
const limit = 1 << 20

// Send sends an order and, for a cell, its files.
func Send(conn *net.UnixConn, o *Order, files ...int) error {
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, _, err = conn.WriteMsgUnix(data, syscall.UnixRights(files...), nil)
	return err
}

// Receive waits for an order. io.EOF says that the kernel has ended.
func Receive(conn *net.UnixConn) (*Order, []int, error) {
	data, control := make([]byte, limit), make([]byte, 256)
	n, c, _, _, err := conn.ReadMsgUnix(data, control)
	if err != nil {
		return nil, nil, err
	}
	if n == 0 {
		return nil, nil, io.EOF
	}
	o := &Order{}
	if err := json.Unmarshal(data[:n], o); err != nil {
		return nil, nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(control[:c])
	if err != nil {
		return nil, nil, err
	}
	var files []int
	for _, m := range messages {
		got, err := syscall.ParseUnixRights(&m)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, got...)
	}
	return o, files, nil
}

// Report is what a host says before it ends.
type Report struct {
	Refused string   `json:",omitempty"` // why it couldn't load the cell
	Used    []string `json:",omitempty"` // what the cell has used, as notebook.Used has it
}

// Tell sends a report to the kernel.
func Tell(conn *net.UnixConn, r Report) {
	if data, err := json.Marshal(r); err == nil {
		conn.Write(data)
	}
}

// Told returns the report of a host that has ended; it is empty if there's none.
func Told(conn *net.UnixConn) Report {
	var r Report
	data := make([]byte, limit)
	if n, err := conn.Read(data); err == nil {
		json.Unmarshal(data[:n], &r)
	}
	return r
}
