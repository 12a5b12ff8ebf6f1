package kernel

import (
	"bufio"
	"net"
)

// Conn is a connection to the kernel's socket, after its first line. Reads go through
// Reader, which may have read ahead; everything else is the connection's.
type Conn struct {
	*net.UnixConn
	Reader *bufio.Reader
}

// Read reads what follows the first line.
func (c *Conn) Read(p []byte) (int, error) { return c.Reader.Read(p) }
