package widgets

import (
	"bufio"
	"encoding/json"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gaze/internal/jupyter"
	"gaze/internal/kernel"
	"gaze/internal/widgets/wire"
)

// sent is a message that was published.
type sent struct {
	parent, kind   string
	content        map[string]any
	buffers        [][]byte
	metadata, data map[string]any
}

// fakeHost is a kernel that keeps what is published. It is also the running cell.
type fakeHost struct {
	t     *testing.T
	path  string
	serve func(json.RawMessage, *kernel.Conn)

	mu      sync.Mutex
	running *jupyter.Message
	sent    []sent
	added   chan struct{}
	served  sync.WaitGroup
}

func newHost(t *testing.T) *fakeHost {
	h := &fakeHost{t: t, path: filepath.Join(t.TempDir(), "socket"), added: make(chan struct{}, 1)}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: h.path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close(); h.served.Wait() })
	go func() {
		for {
			conn, err := listener.AcceptUnix()
			if err != nil {
				return
			}
			h.served.Go(func() {
				defer conn.Close()
				c := &kernel.Conn{UnixConn: conn, Reader: bufio.NewReader(conn)}
				if first, err := c.Reader.ReadBytes('\n'); err == nil {
					h.serve(first, c)
				}
			})
		}
	}()
	return h
}

func (h *fakeHost) Handle(name string, serve func(json.RawMessage, *kernel.Conn)) {
	if name != wire.Do {
		h.t.Errorf("it serves %q", name)
	}
	h.serve = serve
}

func (h *fakeHost) Publish(parent *jupyter.Message, kind string, content, metadata any, buffers ...[]byte) error {
	s := sent{kind: kind, buffers: buffers, content: plain(h.t, content), metadata: plain(h.t, metadata)}
	if parent != nil {
		s.parent = parent.Header.ID
	}
	s.data, _ = s.content["data"].(map[string]any)
	h.mu.Lock()
	h.sent = append(h.sent, s)
	h.mu.Unlock()
	select {
	case h.added <- struct{}{}:
	default:
	}
	return nil
}

func (h *fakeHost) Folder() string { return filepath.Dir(h.path) }

func (h *fakeHost) Running() kernel.Cell {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running == nil {
		return nil
	}
	return fakeCell{h, h.running}
}

type fakeCell struct {
	host    *fakeHost
	message *jupyter.Message
}

func (c fakeCell) Message() *jupyter.Message { return c.message }
func (c fakeCell) Count() int                { return 1 }
func (c fakeCell) Stdout([]byte)             {}
func (c fakeCell) Stderr([]byte)             {}
func (c fakeCell) Started(kernel.Program)    {}
func (c fakeCell) Ended(kernel.Status)       {}
func (c fakeCell) Publish(kind string, content, metadata any, buffers ...[]byte) error {
	return c.host.Publish(c.message, kind, content, metadata, buffers...)
}

// run says that a request with this id runs the cell with the other.
func (h *fakeHost) run(id, cell string) *jupyter.Message {
	m := &jupyter.Message{Metadata: json.RawMessage(`{"cellId":"` + cell + `"}`)}
	if cell == "" {
		m.Metadata = json.RawMessage(`{}`)
	}
	m.Header.ID, m.Header.Type = id, "execute_request"
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running = m
	return m
}

// wait returns the first message from number from on that is wanted.
func (h *fakeHost) wait(from int, want func(sent) bool) (sent, int) {
	h.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		all := h.all()
		for i := from; i < len(all); i++ {
			if want(all[i]) {
				return all[i], i + 1
			}
		}
		select {
		case <-h.added:
		case <-deadline:
			h.t.Fatalf("the message wasn't sent; since number %d there were %v", from, h.all()[from:])
		}
	}
}

func (h *fakeHost) all() []sent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]sent(nil), h.sent...)
}

// plain is a value as JSON has it.
func plain(t *testing.T, v any) map[string]any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Error(err)
	}
	return m
}

// front is a message of a front end.
func front(kind, comm string, data any) *jupyter.Message {
	content, err := json.Marshal(map[string]any{"comm_id": comm, "target_name": target, "data": data})
	if err != nil {
		panic(err)
	}
	m := &jupyter.Message{Content: content}
	m.Header.ID, m.Header.Type = "front-"+comm, kind
	return m
}

// program is a cell's program.
type program struct {
	t      *testing.T
	conn   net.Conn
	reader *bufio.Reader
}

// start connects a program with controls and reads whether it is live.
func (h *fakeHost) start(controls ...wire.Control) (*program, wire.Live) {
	h.t.Helper()
	conn, err := net.Dial("unix", h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	p := &program{h.t, conn, bufio.NewReader(conn)}
	p.write(wire.Hello{Do: wire.Do, Controls: controls})
	var live wire.Live
	p.read(&live)
	return p, live
}

func (p *program) write(v any) {
	p.t.Helper()
	if err := wire.Write(p.conn, v); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) read(v any) {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if err := wire.Read(p.reader, v); err != nil {
		p.t.Fatal(err)
	}
}

// ended checks that the kernel has closed the connection.
func (p *program) ended() {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var v wire.Values
	if err := wire.Read(p.reader, &v); err == nil {
		p.t.Errorf("it gets %v instead of its end", v)
	} else if e, ok := err.(net.Error); ok && e.Timeout() {
		p.t.Error("it isn't ended")
	}
}
