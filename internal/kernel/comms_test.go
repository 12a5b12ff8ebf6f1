package kernel

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gaze/internal/jupyter"
)

// fakeComms serves the targets that begin with "mine" and keeps what it is told.
type fakeComms struct {
	k *Kernel

	mu   sync.Mutex
	told []string
}

func (c *fakeComms) note(what string, m *jupyter.Message) error {
	var content struct {
		ID string `json:"comm_id"`
	}
	json.Unmarshal(m.Content, &content)
	c.mu.Lock()
	c.told = append(c.told, what+" "+content.ID)
	c.mu.Unlock()
	return c.k.Publish(m, "comm_msg", map[string]any{"comm_id": content.ID, "data": map[string]any{}}, nil)
}

func (c *fakeComms) Open(m *jupyter.Message) error  { return c.note("open", m) }
func (c *fakeComms) Msg(m *jupyter.Message) error   { return c.note("msg", m) }
func (c *fakeComms) Close(m *jupyter.Message) error { return c.note("close", m) }
func (c *fakeComms) Info(target string) map[string]any {
	return map[string]any{"1": map[string]string{"target_name": target}}
}
func (c *fakeComms) Has(id string) bool        { return id == "1" }
func (c *fakeComms) Serves(target string) bool { return strings.HasPrefix(target, "mine") }
func (c *fakeComms) Begin(m *jupyter.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, "begin "+string(m.Metadata))
}
func (c *fakeComms) Shutdown(restart bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, fmt.Sprint("shutdown ", restart))
	return nil
}

// TestComms: what implements comms gets the messages of its own, also while a cell runs,
// and is told of cells and of the end.
func TestComms(t *testing.T) {
	f := open(t, "")
	c := &fakeComms{k: f.k}
	f.k.Comms = c
	cell := f.execute("%%\n//do sleep 1m")
	for f.k.Running() == nil || f.k.running() == nil {
		f.next(f.published)
	}
	send := func(kind string, content map[string]any) (answer string) {
		t.Helper()
		request := f.ask(jupyter.Shell, kind, content)
		for {
			m := f.next(f.published)
			if m.Parent.ID != request.Header.ID {
				continue
			}
			switch {
			case strings.HasPrefix(m.Header.Type, "comm_"):
				answer = m.Header.Type
			case strings.Contains(string(m.Content), "idle"):
				return answer
			}
		}
	}
	for _, m := range []struct{ kind, id, target, want string }{
		{"comm_open", "1", "mine.control", "comm_msg"},
		{"comm_msg", "1", "", "comm_msg"},
		{"comm_close", "1", "", "comm_msg"},
	} {
		if got := send(m.kind, map[string]any{"comm_id": m.id, "target_name": m.target, "data": map[string]any{}}); got != m.want {
			t.Errorf("%s of %s is answered by %q", m.kind, m.id, got)
		}
	}
	info := f.ask(jupyter.Shell, "comm_info_request", map[string]any{"target_name": "mine"})
	for m := f.next(f.replies); ; m = f.next(f.replies) {
		if m.Parent.ID == info.Header.ID {
			if !strings.Contains(string(m.Content), `{"1":{"target_name":"mine"}}`) {
				t.Errorf("the comms are %s", m.Content)
			}
			break
		}
	}
	if f.k.Running() == nil || f.k.Running().Message().Header.ID != cell.Header.ID {
		t.Error("the cell has ended meanwhile")
	}
	f.ask(jupyter.Control, "shutdown_request", map[string]bool{"restart": true})
	f.wait(f.ended, "the kernel's end")
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := strings.Join(c.told, ", "); got != "begin {}, open 1, msg 1, close 1, shutdown true" {
		t.Errorf("it was told %s", got)
	}
}
