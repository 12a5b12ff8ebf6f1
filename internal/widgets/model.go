package widgets

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
)

const (
	target        = "jupyter.widget"         // of each widget's comm
	controlTarget = "jupyter.widget.control" // of the comm that asks for all states

	// protocol is the version of the messages, as their metadata has it:
	// https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/messages.md
	protocol = "2.1.0"

	reference = "IPY_MODEL_" // begins a reference to a model in a state
)

// defaultStates are the states of new models of ipywidgets by the name of the model.
// tools/golden/widgets.py writes the file.
//
//go:embed defaults.json
var defaultStates []byte

var defaults = func() map[string]map[string]any {
	var states map[string]map[string]any
	if err := json.Unmarshal(defaultStates, &states); err != nil {
		panic(err) // the file is a part of the program
	}
	return states
}()

// model is the kernel's side of a widget: its state, which the front end has, too.
type model struct {
	id    string
	state map[string]any
	// value are the bytes of a picture, nil for other models. They travel beside the JSON.
	value []byte
}

// newID returns an id for a comm, as ipywidgets makes them.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// newModel returns a model with its default state, changed by set.
func newModel(name string, set map[string]any) *model {
	m := &model{id: newID(), state: maps.Clone(defaults[name])}
	maps.Copy(m.state, set)
	return m
}

func (m *model) ref() string { return reference + m.id }

func (m *model) name() string { return m.state["_model_name"].(string) }

// buffers are the model's binary data and their paths, each below the given one.
func (m *model) buffers(below ...any) (paths [][]any, data [][]byte) {
	if m.value == nil {
		return [][]any{}, nil
	}
	return [][]any{append(slices.Clone(below), "value")}, [][]byte{m.value}
}

// opening is the content of the comm_open that makes the widget in the front end.
func (m *model) opening() (content, metadata any, buffers [][]byte) {
	paths, buffers := m.buffers()
	return map[string]any{
		"comm_id": m.id, "target_name": target, "target_module": nil,
		"data": map[string]any{"state": m.state, "buffer_paths": paths},
	}, map[string]any{"version": protocol}, buffers
}

// message is the content of a comm_msg.
func message(id string, data any) any { return map[string]any{"comm_id": id, "data": data} }

// update is the data of a message with new parts of a state. method is "update" for those
// that the kernel sets, "echo_update" for those that the front end has set.
func update(method string, state map[string]any, paths [][]any) any {
	if paths == nil {
		paths = [][]any{}
	}
	return map[string]any{"method": method, "state": state, "buffer_paths": paths}
}

// whole is the answer to a request for a model's state.
func (m *model) whole() (content any, buffers [][]byte) {
	paths, buffers := m.buffers()
	return message(m.id, update("update", m.state, paths)), buffers
}

// allStates is the data of the answer to a request for all states.
func allStates(models []*model) (data any, buffers [][]byte) {
	states, paths := map[string]any{}, [][]any{}
	for _, m := range models {
		states[m.id] = map[string]any{
			"model_name": m.state["_model_name"], "model_module": m.state["_model_module"],
			"model_module_version": m.state["_model_module_version"], "state": m.state,
		}
		p, b := m.buffers(m.id, "state")
		paths, buffers = append(paths, p...), append(buffers, b...)
	}
	return map[string]any{"method": "update_states", "states": states, "buffer_paths": paths}, buffers
}
