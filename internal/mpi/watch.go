package mpi

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// ErrGone is every error that says that another process has gone.
var ErrGone = errors.New("mpi: another process has gone")

// goneError says which one.
type goneError struct{ text string }

func (e *goneError) Error() string        { return e.text }
func (e *goneError) Is(target error) bool { return target == ErrGone }

const (
	joinTime = 30 * time.Second // within which all processes must be connected
	// A host that vanishes without a word is noticed by keep-alive probes: after
	// aliveIdle, then aliveProbes times.
	aliveIdle   = 10 * time.Second
	aliveProbes = 4
)

// watch notices when a process goes. Every process has a connection to the first, over which
// nothing is sent after the beginning: it ends when either process does.
type watch struct {
	lost chan struct{} // closed when one has gone
	why  error         // set before that

	once    sync.Once
	mu      sync.Mutex
	conns   []net.Conn
	ignored bool
}

// meeting is what the first process tells the others.
type meeting struct {
	Addresses []string // at which it may be reached
	Token     string   // by which it knows them
}

// greeting is what they answer.
type greeting struct {
	Token string
	Rank  int
	Host  string
}

const meetingSize = 1 << 12 // bytes

// newWatch connects the processes.
func (w *World) newWatch() (*watch, error) {
	v := &watch{lost: make(chan struct{})}
	if w.size == 1 {
		return v, nil
	}
	var listener net.Listener
	text := make([]byte, meetingSize)
	if w.rank == 0 {
		var err error
		if listener, err = net.Listen("tcp", ":0"); err != nil {
			return nil, err
		}
		defer listener.Close()
		m := meeting{addresses(listener), rand.Text()}
		encoded, err := json.Marshal(m)
		if err != nil || len(encoded) > meetingSize {
			return nil, fmt.Errorf("telling the others %d addresses: %w", len(m.Addresses), err)
		}
		copy(text, encoded)
	}
	if err := w.library.broadcast(text); err != nil {
		return nil, err
	}
	var m meeting
	end := 0
	for end < len(text) && text[end] != 0 {
		end++
	}
	if err := json.Unmarshal(text[:end], &m); err != nil {
		return nil, fmt.Errorf("where the first process is: %w", err)
	}
	if w.rank == 0 {
		return v, v.accept(listener, m.Token, w.size)
	}
	return v, v.join(m, w.rank)
}

// addresses are those of a listener on all of the machine's networks.
func addresses(l net.Listener) []string {
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	var list []string
	networks, _ := net.InterfaceAddrs()
	for _, a := range networks {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() && len(list) < 16 {
			list = append(list, net.JoinHostPort(n.IP.String(), port))
		}
	}
	return append(list, net.JoinHostPort("127.0.0.1", port)) // where there is no network, all run here
}

// accept waits until all other processes are connected.
func (v *watch) accept(l net.Listener, token string, size int) error {
	deadline := time.Now().Add(joinTime)
	joined := map[int]bool{}
	for len(joined) < size-1 {
		l.(*net.TCPListener).SetDeadline(deadline)
		c, err := l.Accept()
		if err != nil {
			return fmt.Errorf("only %d of %d processes connected within %v: %w", len(joined)+1, size, joinTime, err)
		}
		c.SetDeadline(time.Now().Add(joinTime / 6))
		var g greeting
		if err := json.NewDecoder(c).Decode(&g); err != nil || g.Token != token || joined[g.Rank] {
			c.Close() // not one of ours
			continue
		}
		if _, err := c.Write([]byte{'\n'}); err != nil {
			c.Close()
			continue
		}
		joined[g.Rank] = true
		v.follow(c, fmt.Sprintf("process %d on %s", g.Rank, g.Host))
	}
	return nil
}

// join connects to the first process.
func (v *watch) join(m meeting, rank int) error {
	host, _ := os.Hostname()
	var errs []error
	for _, address := range m.Addresses {
		c, err := net.DialTimeout("tcp", address, joinTime/6)
		if err == nil {
			c.SetDeadline(time.Now().Add(joinTime))
			if err = json.NewEncoder(c).Encode(greeting{m.Token, rank, host}); err == nil {
				_, err = c.Read(make([]byte, 1)) // only the first process answers
			}
			if err == nil {
				v.follow(c, "process 0")
				return nil
			}
			c.Close()
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("can't connect to the first process: %w", errors.Join(errs...))
}

// follow notices the end of a connection.
func (v *watch) follow(c net.Conn, who string) {
	c.SetDeadline(time.Time{})
	c.(*net.TCPConn).SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: aliveIdle, Interval: aliveIdle / 2, Count: aliveProbes})
	v.mu.Lock()
	v.conns = append(v.conns, c)
	v.mu.Unlock()
	go func() {
		_, err := c.Read(make([]byte, 1))
		v.mu.Lock()
		ignored := v.ignored
		v.mu.Unlock()
		if ignored {
			return
		}
		v.once.Do(func() {
			v.why = &goneError{fmt.Sprintf("%s has gone (%v): it failed or was killed", who, err)}
			close(v.lost)
		})
		v.end() // so that the others, which know only the first, notice too
	}()
}

// end closes the connections.
func (v *watch) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.conns {
		c.Close()
	}
}

// ignore lets the others go.
func (v *watch) ignore() {
	v.mu.Lock()
	v.ignored = true
	v.mu.Unlock()
}
