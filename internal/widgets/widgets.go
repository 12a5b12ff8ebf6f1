// Package widgets gives cells sliders, lists and buttons: the kernel's side of the messages
// by which ipywidgets 8 keeps widgets in front ends. The programs of cells describe their
// controls over the kernel's socket (package wire), get the values that a reader sets, and
// send back figures. The widgets live as long as the program does, which may be much longer
// than its cell takes; they don't keep other cells waiting.
//
// When a program has ended, its controls can't be moved any more, and a line below says
// how to bring them back. The same happens to those of an earlier kernel, and to those of
// a saved notebook, which a front end would otherwise show as an error.
package widgets

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"gaze/internal/jupyter"
	"gaze/internal/kernel"
	"gaze/internal/widgets/wire"
)

// MaxLiving is how many cells with widgets may have a program that runs. When one more
// comes, the one that was moved least recently ends.
const MaxLiving = 8

// Options say where widgets of an earlier kernel are found. Paths may be empty.
type Options struct {
	// State is the file where a kernel that is to be started again leaves its widgets. It
	// is read and removed by [New], and written by [Widgets.Shutdown].
	State string
	// Notebooks are files that the notebook may be saved in. Those of its widgets that
	// nobody knows are shown as what they were last.
	Notebooks []string
}

// Widgets are the widgets of a kernel. It implements [kernel.Comms].
type Widgets struct {
	host    kernel.Host
	options Options

	mu       sync.Mutex // held while publishing, so that each widget's messages keep their order
	models   []*model   // those that front ends know, in the order of their opening
	groups   []*group   // those that live, the least recently moved first
	controls map[string]bool
	closed   bool
}

var _ kernel.Comms = (*Widgets)(nil)

// New returns the widgets of a kernel and registers what serves the programs of cells.
func New(host kernel.Host, options Options) *Widgets {
	w := &Widgets{host: host, options: options, controls: map[string]bool{}}
	w.models = restored(options.State)
	host.Handle(wire.Do, w.serve)
	return w
}

// opened is the content of comm_open, comm_msg and comm_close, as far as it matters here.
type opened struct {
	ID     string `json:"comm_id"`
	Target string `json:"target_name"`
	Data   struct {
		Method  string                     `json:"method"`
		State   map[string]json.RawMessage `json:"state"`
		Content struct {
			Event string `json:"event"`
		} `json:"content"`
	} `json:"data"`
}

func read(m *jupyter.Message) (c opened, err error) {
	if err = json.Unmarshal(m.Content, &c); err != nil {
		err = fmt.Errorf("widgets: %s: %w", m.Header.Type, err)
	}
	return c, err
}

// Open serves comm_open. Front ends open a comm to ask for the states of all widgets; they
// can't make widgets.
func (w *Widgets) Open(m *jupyter.Message) error {
	c, err := read(m)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Target == controlTarget && c.ID != "" {
		w.controls[c.ID] = true
		return nil
	}
	return w.host.Publish(m, "comm_close", message(c.ID, map[string]any{}), nil)
}

// Msg serves comm_msg: moves, clicks and requests for states.
func (w *Widgets) Msg(m *jupyter.Message) error {
	c, err := read(m)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.controls[c.ID] {
		if c.Data.Method != "request_states" {
			return nil
		}
		w.addSaved()
		data, buffers := allStates(w.models)
		return w.host.Publish(m, "comm_msg", message(c.ID, data), nil, buffers...)
	}
	widget := w.model(c.ID)
	if widget == nil {
		return nil // it was closed meanwhile
	}
	switch c.Data.Method {
	case "request_state":
		content, buffers := widget.whole()
		return w.host.Publish(m, "comm_msg", content, nil, buffers...)
	case "update":
		return w.moved(m, widget, c.Data.State)
	case "custom":
		if g, control := w.controlOf(widget); control != nil && control.Kind == wire.Button && c.Data.Content.Event == "click" {
			control.Value++
			w.touch(g)
			g.ask()
		}
	}
	return nil
}

// moved takes over a state that the front end has set. Every front end is told, as
// ipywidgets does, so that two of them show the same.
func (w *Widgets) moved(m *jupyter.Message, widget *model, state map[string]json.RawMessage) error {
	echo := make(map[string]any, len(state))
	for key, value := range state {
		echo[key] = value
	}
	failed := w.host.Publish(m, "comm_msg", message(widget.id, update("echo_update", echo, nil)), nil)
	g, control := w.controlOf(widget)
	if control == nil {
		return failed
	}
	changed, corrected, err := control.set(state)
	if corrected != nil {
		failed = errors.Join(failed, w.host.Publish(m, "comm_msg", message(widget.id, update("update", corrected, nil)), nil))
	}
	if changed {
		w.touch(g)
		g.ask()
	}
	return errors.Join(failed, err)
}

// Close serves comm_close. The front end has dropped a widget; its program goes on.
func (w *Widgets) Close(m *jupyter.Message) error {
	c, err := read(m)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.controls, c.ID)
	w.models = slices.DeleteFunc(w.models, func(m *model) bool { return m.id == c.ID })
	return nil
}

// Info returns the comms of all widgets.
func (w *Widgets) Info(name string) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	comms := map[string]any{}
	if name != "" && name != target {
		return comms
	}
	w.addSaved()
	for _, m := range w.models {
		comms[m.id] = map[string]any{"target_name": target}
	}
	return comms
}

// Has says whether a comm is a widget's, or one that asks for all states.
func (w *Widgets) Has(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.controls[id] || w.model(id) != nil
}

// Serves says whether a target is that of widgets, or of the comms that ask for all states.
func (w *Widgets) Serves(name string) bool { return name == target || name == controlTarget }

func (w *Widgets) model(id string) *model {
	if i := slices.IndexFunc(w.models, func(m *model) bool { return m.id == id }); i >= 0 {
		return w.models[i]
	}
	return nil
}

// controlOf returns the control that a widget is, and where it belongs; nil for others.
func (w *Widgets) controlOf(widget *model) (*group, *control) {
	for _, g := range w.groups {
		for _, c := range g.controls {
			if c.model == widget {
				return g, c
			}
		}
	}
	return nil, nil
}

// touch puts a group last in the order in which groups have to go.
func (w *Widgets) touch(g *group) {
	if i := slices.Index(w.groups, g); i >= 0 {
		w.groups = append(slices.Delete(w.groups, i, i+1), g)
	}
}

// Begin is told of each execute_request before it is run. It ends the programs of the same
// cell's last run and of cells that were deleted since; their widgets disappear.
func (w *Widgets) Begin(m *jupyter.Message) {
	cell := cellOf(m)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range slices.Clone(w.groups) {
		if g.cell.ID != "" && g.cell.ID == cell.ID || slices.Contains(cell.Deleted, g.cell.ID) {
			w.remove(g)
		}
	}
}

// cell is what a front end says about the cell of an execute_request. Clients that run
// notebooks without anyone watching don't say anything.
type cell struct {
	ID      string   `json:"cellId"`
	Deleted []string `json:"deletedCells"`
}

func cellOf(m *jupyter.Message) (c cell) {
	json.Unmarshal(m.Metadata, &c) // what isn't there stays empty
	return c
}

// Shutdown ends all programs. If the kernel is to be started again, it leaves the widgets
// to the next one, so that a page that is still open says what has become of them.
func (w *Widgets) Shutdown(restart bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, g := range slices.Clone(w.groups) {
		w.end(g, "")
	}
	if !restart || w.options.State == "" {
		return nil
	}
	return leave(w.options.State, w.models)
}
