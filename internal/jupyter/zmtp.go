package jupyter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// This file has ZeroMQ's message transport protocol, version 3.0 without security, as
// https://rfc.zeromq.org/spec/23/ describes it. github.com/go-zeromq/zmq4, which GoNB uses,
// isn't enough for a kernel that must not die or grow: its handshakes block one another, it
// allocates whatever size a peer claims, its PUB socket has an endless queue, and its
// ROUTER drops nothing and tells nobody when a peer stops reading.

const (
	maxMessage       = 1 << 30 // bytes of a message that is accepted
	maxFrames        = 1 << 16
	handshakeTimeout = 30 * time.Second

	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

// peer is a connection after its handshake. Messages to it wait in a queue, so that
// sending never waits for the network.
type peer struct {
	conn net.Conn
	r    *bufio.Reader
	kind string // its socket's type, such as DEALER
	id   string // its identity; empty if it gave none

	mu     sync.Mutex
	moved  sync.Cond // signals a change of what follows
	queue  [][][]byte
	queued int // bytes in queue and being written
	closed bool
	taken  time.Time // when the peer last took something

	topics  map[string]bool    // that a SUB peer has asked for; guarded by mu
	welcome func(topic string) // called after a SUB peer has asked for a topic; may be nil
}

// handshake greets a peer as a socket of a type, and checks that the peer's type is one of
// those that go with it.
func handshake(conn net.Conn, kind, identity string, with ...string) (*peer, error) {
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	defer conn.SetDeadline(time.Time{})
	greeting := make([]byte, 64)
	copy(greeting, "\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL")
	ready := property(property([]byte("\x05READY"), "Socket-Type", kind), "Identity", identity)
	if _, err := conn.Write(append(greeting, appendFrame(nil, flagCommand, ready)...)); err != nil {
		return nil, err
	}
	p := &peer{conn: conn, r: bufio.NewReaderSize(conn, 64<<10), topics: map[string]bool{}, taken: time.Now()}
	p.moved.L = &p.mu
	if _, err := io.ReadFull(p.r, greeting); err != nil {
		return nil, fmt.Errorf("greeting: %w", err)
	}
	if greeting[0] != 0xff || greeting[9]&1 == 0 || greeting[10] < 3 || string(bytes.TrimRight(greeting[12:32], "\x00")) != "NULL" {
		return nil, fmt.Errorf("greeting isn't that of ZMTP 3 without security: %.40q", greeting)
	}
	frames, command, err := readMessage(p.r, 64<<10)
	if err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if !command {
		return nil, fmt.Errorf("handshake: a message before READY")
	}
	if err := p.readReady(frames[0]); err != nil {
		return nil, err
	}
	for _, other := range with {
		if p.kind == other {
			return p, nil
		}
	}
	return nil, fmt.Errorf("a %s socket can't talk to a %s socket", p.kind, kind)
}

// property appends a name and a value of a READY command.
func property(b []byte, name, value string) []byte {
	b = append(append(b, byte(len(name))), name...)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
}

// readReady reads the properties of a READY command.
func (p *peer) readReady(b []byte) error {
	b, ok := bytes.CutPrefix(b, []byte("\x05READY"))
	if !ok {
		return fmt.Errorf("handshake: %.20q where READY should be", b)
	}
	for len(b) > 0 {
		n := int(b[0])
		if len(b) < 1+n+4 {
			return fmt.Errorf("handshake: READY is cut off")
		}
		name := string(b[1 : 1+n])
		size := uint64(binary.BigEndian.Uint32(b[1+n:]))
		b = b[1+n+4:]
		if uint64(len(b)) < size {
			return fmt.Errorf("handshake: READY is cut off")
		}
		switch value := string(b[:size]); name {
		case "Socket-Type":
			p.kind = value
		case "Identity":
			p.id = value
		}
		b = b[size:]
	}
	return nil
}

// appendFrame appends a frame's header and body.
func appendFrame(b []byte, flags byte, body []byte) []byte {
	return append(appendHeader(b, flags, len(body)), body...)
}

func appendHeader(b []byte, flags byte, size int) []byte {
	if size > 255 {
		return binary.BigEndian.AppendUint64(append(b, flags|flagLong), uint64(size))
	}
	return append(b, flags, byte(size))
}

// readMessage reads a message or a command of at most limit bytes.
func readMessage(r *bufio.Reader, limit uint64) (frames [][]byte, command bool, err error) {
	var total uint64
	for more := true; more; {
		flags, err := r.ReadByte()
		if err != nil {
			return nil, false, err
		}
		size, err := readSize(r, flags)
		if err != nil {
			return nil, false, noEOF(err)
		}
		if total += size; size > limit || total > limit || len(frames) >= maxFrames {
			return nil, false, fmt.Errorf("a message of more than %d bytes or %d frames", limit, maxFrames)
		}
		body, err := readBody(r, size)
		if err != nil {
			return nil, false, noEOF(err)
		}
		frames = append(frames, body)
		command = command || flags&flagCommand != 0
		more = flags&flagMore != 0 && !command
	}
	return frames, command, nil
}

func readSize(r *bufio.Reader, flags byte) (uint64, error) {
	if flags&flagLong == 0 {
		size, err := r.ReadByte()
		return uint64(size), err
	}
	var b [8]byte
	_, err := io.ReadFull(r, b[:])
	return binary.BigEndian.Uint64(b[:]), err
}

// readBody reads a body, and takes memory only as its bytes arrive: a claimed size alone
// costs nothing.
func readBody(r *bufio.Reader, size uint64) ([]byte, error) {
	const step = 1 << 20
	if size <= step {
		body := make([]byte, size)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	var b bytes.Buffer
	n, err := io.CopyN(&b, r, int64(size))
	if err == nil && n < int64(size) {
		err = io.ErrUnexpectedEOF
	}
	return b.Bytes(), err
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// receive calls handle with each message until the connection ends. Subscriptions and
// commands are handled here.
func (p *peer) receive(handle func(frames [][]byte)) error {
	for {
		frames, command, err := readMessage(p.r, maxMessage)
		if err != nil {
			return err
		}
		switch {
		case command:
			p.command(frames[0])
		case p.kind == "SUB" || p.kind == "XSUB":
			if len(frames) == 1 && len(frames[0]) > 0 {
				p.subscribe(frames[0][0] == 1, string(frames[0][1:]))
			}
		default:
			handle(frames)
		}
	}
}

// command does what a peer's command asks for. Version 3.1 has subscriptions as commands,
// and heartbeats.
func (p *peer) command(b []byte) {
	if topic, ok := bytes.CutPrefix(b, []byte("\x09SUBSCRIBE")); ok {
		p.subscribe(true, string(topic))
	} else if topic, ok := bytes.CutPrefix(b, []byte("\x06CANCEL")); ok {
		p.subscribe(false, string(topic))
	} else if rest, ok := bytes.CutPrefix(b, []byte("\x04PING")); ok && len(rest) >= 2 && len(rest) <= 18 {
		pong := append([]byte("\x04PONG"), rest[2:]...)
		p.send([][]byte{appendFrame(nil, flagCommand, pong)})
	}
}

func (p *peer) subscribe(on bool, topic string) {
	p.mu.Lock()
	if !on {
		delete(p.topics, topic)
	} else if len(p.topics) < 10000 {
		p.topics[topic] = true
	}
	p.mu.Unlock()
	if on && p.welcome != nil {
		p.welcome(topic)
	}
}

// encode returns the bytes of a message. Long frames aren't copied.
func encode(frames [][]byte) [][]byte {
	var parts [][]byte
	var b []byte
	for i, frame := range frames {
		var flags byte
		if i < len(frames)-1 {
			flags = flagMore
		}
		b = appendHeader(b, flags, len(frame))
		if len(frame) < 16<<10 {
			b = append(b, frame...)
			continue
		}
		parts = append(parts, b, frame)
		b = nil
	}
	if len(b) > 0 {
		parts = append(parts, b)
	}
	return parts
}

// send queues the bytes of a message.
func (p *peer) send(parts [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if p.queued == 0 {
		p.taken = time.Now()
	}
	p.queue = append(p.queue, parts)
	p.queued += length(parts)
	p.moved.Broadcast()
}

func length(parts [][]byte) int {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	return n
}

// write sends what is queued until the peer is closed. Messages that wait together are
// sent together.
func (p *peer) write() {
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.closed {
			p.moved.Wait()
		}
		if p.closed {
			p.mu.Unlock()
			return
		}
		messages := p.queue
		p.queue = nil
		p.mu.Unlock()
		for _, parts := range messages {
			n := length(parts)
			buffers := net.Buffers(slices.Clone(parts)) // WriteTo changes the slice, which peers share
			if _, err := buffers.WriteTo(p.conn); err != nil {
				p.close()
				return
			}
			p.mu.Lock()
			p.queued -= n
			p.taken = time.Now()
			p.moved.Broadcast()
			p.mu.Unlock()
		}
	}
}

// close ends the connection; what is queued is lost.
func (p *peer) close() {
	p.mu.Lock()
	p.closed, p.queue, p.queued = true, nil, 0
	p.moved.Broadcast()
	p.mu.Unlock()
	p.conn.Close()
}

// wait waits until at most limit bytes are queued, the peer is closed, or it hasn't taken
// anything for a time. It says whether there is room.
func (p *peer) wait(limit int, patience time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.queued > limit && !p.closed {
		left := patience - time.Since(p.taken)
		if left <= 0 {
			return false
		}
		timer := time.AfterFunc(left, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.moved.Broadcast()
		})
		p.moved.Wait()
		timer.Stop()
	}
	return !p.closed
}
