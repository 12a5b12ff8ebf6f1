package kernel

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// maxHello is the longest first line of a connection, without which a process could make
// the kernel's memory grow.
const maxHello = 1 << 20

// Conn is a connection to the kernel's socket, after its first line. Reads go through
// Reader, which may have read ahead; everything else is the connection's.
type Conn struct {
	*net.UnixConn
	Reader *bufio.Reader
}

// Read reads what follows the first line.
func (c *Conn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// Handle implements [Host].
func (k *Kernel) Handle(name string, serve func(hello json.RawMessage, conn *Conn)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.handlers[name] = serve
}

// acceptConnections serves the kernel's socket until it's closed.
func (k *Kernel) acceptConnections() {
	for {
		conn, err := k.listener.AcceptUnix()
		if err != nil {
			return
		}
		go k.serveConnection(conn)
	}
}

// serveConnection reads a connection's first line and calls what serves it.
func (k *Kernel) serveConnection(conn *net.UnixConn) {
	defer conn.Close()
	c := &Conn{conn, bufio.NewReaderSize(conn, 4096)}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	hello, err := readLine(c.Reader, maxHello)
	conn.SetReadDeadline(time.Time{})
	var request struct {
		Do string `json:"do"`
	}
	if err == nil {
		err = json.Unmarshal(hello, &request)
	}
	k.mu.Lock()
	serve := k.handlers[request.Do]
	k.mu.Unlock()
	if err == nil && serve == nil {
		err = fmt.Errorf("this kernel does nothing named %q", request.Do)
	}
	if err != nil {
		answer, _ := json.Marshal(map[string]string{"error": err.Error()})
		conn.Write(append(answer, '\n'))
		return
	}
	serve(hello, c)
}

// readLine reads a line of at most limit bytes.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > limit {
			return nil, fmt.Errorf("a first line of more than %d bytes", limit)
		}
		if err == nil {
			return bytes.TrimSpace(line), nil
		}
		if err != bufio.ErrBufferFull {
			return nil, err
		}
	}
}
