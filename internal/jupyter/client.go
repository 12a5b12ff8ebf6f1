package jupyter

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Client is a client's side of a connection. Its methods may be called concurrently.
type Client struct {
	session *Session
	key     []byte
	peers   [4]*peer // shell, control, stdin, iopub
	once    sync.Once
	done    chan struct{}

	crowded func(bool) // see Dial; may be nil

	mu      sync.Mutex
	more    sync.Cond
	backlog [][][]byte // frames of messages from iopub
	size    int        // bytes in backlog
	full    bool       // crowded was called with true
}

const (
	backlogHigh = 16 << 20
	backlogLow  = 4 << 20
)

// iopub is the place of iopub's connection after those of the channels.
const iopub = 3

// Dial connects to a kernel's sockets, for which it waits until ctx ends. handle is called
// with each message from a channel, published with each from iopub; each of the four
// sockets calls it one after another. Messages from iopub are read even while published
// takes long. crowded, which may be nil, is called with true when many of them wait, so
// that something can be done against it, and with false when few do again.
func Dial(ctx context.Context, c Connection, handle func(Channel, *Message), published func(*Message), crowded func(bool)) (*Client, error) {
	client := &Client{session: NewSession("client"), key: []byte(c.Key), done: make(chan struct{}), crowded: crowded}
	client.more.L = &client.mu
	kinds := [4]string{"DEALER", "DEALER", "DEALER", "SUB"}
	with := [4]string{"ROUTER", "ROUTER", "ROUTER", "PUB"}
	for i, port := range []int{c.Shell, c.Control, c.Stdin, c.IOPub} {
		network, address := c.address(port)
		conn, err := dial(ctx, network, address)
		if err == nil {
			// One identity for all: the kernel asks for input by that of the request.
			client.peers[i], err = handshake(conn, kinds[i], client.session.ID, with[i], "X"+with[i])
		}
		if err != nil {
			client.Close()
			return nil, fmt.Errorf("connecting to a kernel's socket %s: %w", address, err)
		}
	}
	for i, p := range client.peers {
		go p.write()
		if i == iopub {
			go client.receive(p, client.enqueue)
			go client.publish(published)
			continue
		}
		go client.receive(p, func(frames [][]byte) {
			if m, err := Parse(frames, client.key); err == nil {
				handle(Channel(i), m)
			}
		})
	}
	client.peers[iopub].send([][]byte{{0, 1, 1}}) // a frame with the subscription to everything
	return client, nil
}

// dial connects, again and again until somebody listens or ctx ends.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, address)
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (c *Client) receive(p *peer, handle func([][]byte)) {
	p.receive(handle)
	c.Close()
}

// enqueue adds a message from iopub to those that wait.
func (c *Client) enqueue(frames [][]byte) {
	c.mu.Lock()
	c.backlog = append(c.backlog, frames)
	c.size += length(frames)
	crowd := c.size > backlogHigh && !c.full
	c.full = c.full || crowd
	c.more.Signal()
	c.mu.Unlock()
	if crowd && c.crowded != nil {
		c.crowded(true)
	}
}

// publish hands the messages that wait to published, until the connection has ended.
func (c *Client) publish(published func(*Message)) {
	for {
		c.mu.Lock()
		for len(c.backlog) == 0 && !c.closed() {
			c.more.Wait()
		}
		if len(c.backlog) == 0 {
			c.mu.Unlock()
			return
		}
		frames := c.backlog[0]
		c.backlog[0] = nil
		c.backlog = c.backlog[1:]
		c.size -= length(frames)
		empty := c.full && c.size < backlogLow
		c.full = c.full && !empty
		c.mu.Unlock()
		if empty && c.crowded != nil {
			c.crowded(false)
		}
		if m, err := Parse(frames, c.key); err == nil {
			published(m)
		}
	}
}

func (c *Client) closed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Send sends a new message on a channel and returns it.
func (c *Client) Send(channel Channel, msgType string, content, metadata any, buffers ...[]byte) (*Message, error) {
	return c.Answer(channel, nil, msgType, content, metadata, buffers...)
}

// Answer is [Client.Send] with a parent: an input_reply has that of its request.
func (c *Client) Answer(channel Channel, parent *Message, msgType string, content, metadata any, buffers ...[]byte) (*Message, error) {
	m, err := c.session.New(parent, msgType, content, metadata, buffers...)
	if err != nil {
		return nil, err
	}
	c.peers[channel].send(encode(m.Frames(c.key)))
	return m, nil
}

// Done is closed when a connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close disconnects.
func (c *Client) Close() {
	c.once.Do(func() {
		c.mu.Lock()
		close(c.done)
		c.more.Broadcast()
		c.mu.Unlock()
		for _, p := range c.peers {
			if p != nil {
				p.close()
			}
		}
	})
}
