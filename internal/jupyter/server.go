package jupyter

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// Channel is one of the sockets on which clients send requests.
type Channel int

// The channels of requests, and of a client's input.
const (
	Shell Channel = iota
	Control
	Stdin
)

func (c Channel) String() string { return [...]string{"shell", "control", "stdin"}[c] }

// Server is the kernel's side of a connection: five sockets. Its methods may be called
// concurrently.
type Server struct {
	connection Connection
	session    *Session
	key        []byte
	channels   [3]*socket
	iopub      *socket
	heartbeat  *socket

	publishing sync.Mutex // keeps iopub's order the same for all clients
}

// Listen opens a connection's sockets. handle is called with each message of a channel, for
// each client one after another; it must not wait. Messages that can't be read, or that are
// signed wrongly, are reported to log and dropped. A port 0 is replaced by a free one; see
// [Server.Connection].
func Listen(c Connection, handle func(Channel, *Message), log func(format string, args ...any)) (*Server, error) {
	s := &Server{connection: c, session: NewSession("kernel"), key: []byte(c.Key)}
	for channel, port := range []*int{&s.connection.Shell, &s.connection.Control, &s.connection.Stdin} {
		receive := func(frames [][]byte, p *peer) {
			m, err := Parse(append([][]byte{[]byte(p.id)}, frames...), s.key)
			if err != nil {
				log("%s: dropped a %v", Channel(channel), err)
				return
			}
			handle(Channel(channel), m)
		}
		if err := s.open(&s.channels[channel], "ROUTER", []string{"DEALER", "REQ", "ROUTER"}, port, receive, log); err != nil {
			return nil, err
		}
	}
	if err := s.open(&s.iopub, "PUB", []string{"SUB", "XSUB"}, &s.connection.IOPub, nil, log); err != nil {
		return nil, err
	}
	echo := func(frames [][]byte, p *peer) { p.send(encode(frames)) }
	if err := s.open(&s.heartbeat, "REP", []string{"REQ", "DEALER"}, &s.connection.Heartbeat, echo, log); err != nil {
		return nil, err
	}
	return s, nil
}

// open opens one of the server's sockets; if that fails, it closes those that are open.
func (s *Server) open(to **socket, kind string, with []string, port *int, handle func([][]byte, *peer), log func(string, ...any)) error {
	network, address := s.connection.address(*port)
	var welcome func(*peer, string)
	if kind == "PUB" {
		welcome = s.welcome
	}
	opened, err := listen(kind, with, network, address, handle, welcome, log)
	if err != nil {
		s.Close(0)
		return fmt.Errorf("opening the kernel's sockets: %w", err)
	}
	if a, ok := opened.listener.Addr().(*net.TCPAddr); ok {
		*port = a.Port
	}
	*to = opened
	return nil
}

// Connection returns the connection with the ports that were opened.
func (s *Server) Connection() Connection { return s.connection }

// Reply answers a request on a channel. content and metadata are as for [Marshal].
func (s *Server) Reply(channel Channel, to *Message, msgType string, content, metadata any, buffers ...[]byte) error {
	m, err := s.session.New(to, msgType, content, metadata, buffers...)
	if err != nil {
		return err
	}
	if len(to.Identities) == 0 {
		return fmt.Errorf("%s to a message without identities", msgType)
	}
	m.Identities = to.Identities
	s.channels[channel].send(m.Frames(s.key))
	return nil
}

// Publish sends a message to all clients that listen on iopub. parent may be nil. It waits
// while a client is slow, up to a point.
func (s *Server) Publish(parent *Message, msgType string, content, metadata any, buffers ...[]byte) error {
	m, err := s.session.New(parent, msgType, content, metadata, buffers...)
	if err != nil {
		return err
	}
	m.Identities = [][]byte{[]byte("kernel." + s.session.ID + "." + msgType)}
	frames := m.Frames(s.key)
	s.publishing.Lock()
	defer s.publishing.Unlock()
	s.iopub.publish(frames)
	return nil
}

// welcome tells a client that it gets messages from now on, as version 5.4 of the protocol
// has it.
func (s *Server) welcome(p *peer, topic string) {
	m, err := s.session.New(nil, "iopub_welcome", map[string]string{"subscription": topic}, nil)
	if err == nil {
		m.Identities = [][]byte{[]byte(topic)}
		p.send(encode(m.Frames(s.key)))
	}
}

// Close closes the sockets after giving clients some time to take what was sent.
func (s *Server) Close(linger time.Duration) {
	var wait sync.WaitGroup
	for _, socket := range append(s.channels[:], s.iopub, s.heartbeat) {
		if socket != nil {
			wait.Go(func() { socket.close(linger) })
		}
	}
	wait.Wait()
}
