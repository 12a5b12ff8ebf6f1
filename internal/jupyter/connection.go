package jupyter

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"gaze/internal/atomicfile"
)

// Connection is the content of a connection file, with which Jupyter tells a kernel and its
// clients where the sockets are.
type Connection struct {
	Transport string `json:"transport"` // "tcp" or "ipc" (Unix sockets)
	IP        string `json:"ip"`        // an address, or for ipc the beginning of the paths
	Shell     int    `json:"shell_port"`
	Control   int    `json:"control_port"`
	Stdin     int    `json:"stdin_port"`
	IOPub     int    `json:"iopub_port"`
	Heartbeat int    `json:"hb_port"`
	Key       string `json:"key"` // signs messages; empty for no signatures
	Scheme    string `json:"signature_scheme"`
}

// ReadConnection reads a connection file.
func ReadConnection(path string) (Connection, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Connection{}, fmt.Errorf("connection file: %w", err)
	}
	c, err := parseConnection(data)
	if err != nil {
		return Connection{}, fmt.Errorf("connection file %s: %w", path, err)
	}
	return c, nil
}

func parseConnection(data []byte) (Connection, error) {
	c := Connection{Transport: "tcp", IP: "127.0.0.1", Scheme: "hmac-sha256"}
	if err := json.Unmarshal(data, &c); err != nil {
		return Connection{}, err
	}
	if c.Transport != "tcp" && c.Transport != "ipc" {
		return Connection{}, fmt.Errorf("transport %q: only tcp and ipc are supported", c.Transport)
	}
	if c.Key != "" && c.Scheme != "hmac-sha256" {
		return Connection{}, fmt.Errorf("signature_scheme %q: only hmac-sha256 is supported", c.Scheme)
	}
	for _, port := range []int{c.Shell, c.Control, c.Stdin, c.IOPub, c.Heartbeat} {
		if port < 0 || port > 65535 {
			return Connection{}, fmt.Errorf("port %d isn't between 0 and 65535", port)
		}
	}
	return c, nil
}

// Write writes a connection file. It has the key, so only the user can read it.
func (c Connection) Write(path string) error {
	data, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	}
	return atomicfile.WriteWith(path, write, func(temp, path string) error {
		if err := os.Chmod(temp, 0o600); err != nil {
			return err
		}
		return os.Rename(temp, path)
	})
}

// address returns the network and address of a port for net.Listen and net.Dial.
func (c Connection) address(port int) (network, address string) {
	if c.Transport == "ipc" {
		return "unix", c.IP + "-" + strconv.Itoa(port)
	}
	ip := c.IP
	if ip == "*" {
		ip = ""
	}
	return "tcp", net.JoinHostPort(ip, strconv.Itoa(port))
}
