package jupyter

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// maxQueued is how much may wait for a peer before a sender waits.
	maxQueued = 8 << 20
	// patience is how long a peer may take nothing while a sender waits for it. Then
	// messages to it are dropped until it reads again, so that a stopped client doesn't
	// stop the kernel.
	patience = 10 * time.Second
	// maxReplies is how much may wait for a client that doesn't read replies. Then it is
	// disconnected.
	maxReplies = 256 << 20
)

// socket is a listening socket and its peers.
type socket struct {
	kind     string   // such as ROUTER
	with     []string // the types of sockets that may connect
	listener net.Listener
	handle   func(frames [][]byte, p *peer) // called for each message, per peer one after another
	welcome  func(p *peer, topic string)    // called when a peer has subscribed; may be nil
	log      func(format string, args ...any)

	mu     sync.Mutex
	peers  map[*peer]bool
	closed bool
}

// listen opens a socket and accepts peers until it's closed.
func listen(kind string, with []string, network, address string, handle func([][]byte, *peer),
	welcome func(*peer, string), log func(string, ...any),
) (*socket, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("%s socket: %w", kind, err)
	}
	s := &socket{kind: kind, with: with, listener: l, handle: handle, welcome: welcome, log: log, peers: map[*peer]bool{}}
	go s.accept()
	return s, nil
}

func (s *socket) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files
			s.log("%s socket: %v", s.kind, err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go s.serve(conn)
	}
}

// serve greets a peer and receives its messages.
func (s *socket) serve(conn net.Conn) {
	p, err := handshake(conn, s.kind, "", s.with...)
	if err != nil {
		conn.Close()
		s.log("%s socket: %v", s.kind, err)
		return
	}
	if p.id == "" { // as libzmq names peers without an identity
		var b [5]byte
		rand.Read(b[1:])
		p.id = string(b[:])
	}
	if !s.add(p) {
		p.close()
		return
	}
	go p.write()
	if s.welcome != nil {
		p.welcome = func(topic string) { s.welcome(p, topic) }
	}
	p.receive(func(frames [][]byte) { s.handle(frames, p) })
	p.close()
	s.mu.Lock()
	delete(s.peers, p)
	s.mu.Unlock()
}

// add adds a peer. One with the same identity is an old connection of the same client.
func (s *socket) add(p *peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	for other := range s.peers {
		if other.id == p.id {
			delete(s.peers, other)
			go other.close()
		}
	}
	s.peers[p] = true
	return true
}

// send sends a message to the peer whose identity is the first frame. If it's gone, the
// message is dropped, as by ROUTER sockets.
func (s *socket) send(frames [][]byte) {
	if p := s.find(string(frames[0])); p != nil {
		p.send(encode(frames[1:]))
		p.mu.Lock()
		full := p.queued > maxReplies
		p.mu.Unlock()
		if full {
			p.close()
		}
	}
}

func (s *socket) find(id string) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.peers {
		if p.id == id {
			return p
		}
	}
	return nil
}

// publish sends a message to every peer that has subscribed to its topic, the first frame.
// It waits while peers are slow.
func (s *socket) publish(frames [][]byte) {
	parts := encode(frames)
	for _, p := range s.subscribed(string(frames[0])) {
		if p.wait(maxQueued, patience) {
			p.send(parts)
		}
	}
}

func (s *socket) subscribed(topic string) []*peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*peer
	for p := range s.peers {
		p.mu.Lock()
		for prefix := range p.topics {
			if strings.HasPrefix(topic, prefix) {
				found = append(found, p)
				break
			}
		}
		p.mu.Unlock()
	}
	return found
}

// close stops accepting, gives peers some time to take what is queued, and disconnects them.
func (s *socket) close(linger time.Duration) {
	s.mu.Lock()
	s.closed = true
	peers := s.peers
	s.peers = map[*peer]bool{}
	s.mu.Unlock()
	if a, ok := s.listener.Addr().(*net.UnixAddr); ok {
		defer os.Remove(a.Name)
	}
	s.listener.Close()
	var wait sync.WaitGroup
	for p := range peers {
		wait.Go(func() {
			p.wait(0, linger)
			p.close()
		})
	}
	wait.Wait()
}
