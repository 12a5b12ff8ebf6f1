package widgets

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gaze/internal/widgets/wire"
)

// recorded are the messages of ipywidgets that tools/golden/widgets.py writes.
type recorded struct {
	Opened []recordedMessage `json:"opened"`
	Steps  []struct {
		Name    string            `json:"name"`
		Comm    string            `json:"comm_id"`
		Data    map[string]any    `json:"data"`
		Answers []recordedMessage `json:"answers"`
	} `json:"steps"`
}

type recordedMessage struct {
	Type     string         `json:"type"`
	Comm     string         `json:"comm_id"`
	Target   string         `json:"target_name"`
	Data     map[string]any `json:"data"`
	Metadata map[string]any `json:"metadata"`
	Buffers  []string       `json:"buffers"`
}

func readRecorded(t *testing.T) (r recorded) {
	data, err := os.ReadFile("testdata/messages.json")
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// those are the controls of the recorded messages.
var those = []wire.Control{
	{Kind: wire.Slider, Name: "rotation", Max: 90, Step: 0.5, Value: 30},
	{Kind: wire.Integer, Name: "layer", Min: 1, Max: 12, Step: 1, Value: 2},
	{Kind: wire.Select, Name: "fuse", Options: []string{"mean", "max"}, Value: 1},
	{Kind: wire.Toggle, Name: "letter", Options: []string{"a", "b", "c"}},
	{Kind: wire.Check, Name: "grid", Value: 1},
	{Kind: wire.Button, Name: "Another"},
}

// figure is a picture of four bytes.
var figure = wire.Figure{Picture: []byte("\x89PNG"), MIME: "image/png", Width: 400, Height: 300}

// tree is a state in which references to models are replaced by their states.
func tree(v any, states map[string]any) any {
	switch v := v.(type) {
	case string:
		if id, ok := strings.CutPrefix(v, reference); ok {
			return tree(states[id], states)
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = tree(v[i], states)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key := range v {
			out[key] = tree(v[key], states)
		}
		return out
	}
	return v
}

// shown starts a program with the controls in a cell and waits until they are shown.
func shown(t *testing.T, h *fakeHost, controls ...wire.Control) (p *program, root string) {
	t.Helper()
	before := len(h.all())
	p, live := h.start(controls...)
	if !live.Live {
		t.Fatalf("it isn't live: %q", live.Error)
	}
	p.write(wire.Answer{Figure: &figure})
	if p.read(&live); !live.Live {
		t.Fatal("it isn't shown")
	}
	s, _ := h.wait(before, func(s sent) bool { return s.kind == "display_data" && viewOf(s) != "" })
	return p, viewOf(s)
}

func viewOf(s sent) string {
	view, _ := s.data[viewMIME].(map[string]any)
	id, _ := view["model_id"].(string)
	return id
}

// TestOpensAsIpywidgets compares every key of every model with ipywidgets'.
func TestOpensAsIpywidgets(t *testing.T) {
	want, wantStates, last := readRecorded(t), map[string]any{}, ""
	for _, m := range want.Opened {
		wantStates[m.Comm], last = m.Data["state"], m.Comm
	}
	h := newHost(t)
	New(h, Options{})
	h.run("first", "a cell")
	_, root := shown(t, h, those...)
	states := map[string]any{}
	for _, s := range h.all() {
		if s.kind != "comm_open" {
			continue
		}
		state := s.data["state"].(map[string]any)
		states[s.content["comm_id"].(string)] = state
		if s.parent != "first" || s.content["target_name"] != target || s.metadata["version"] != want.Opened[0].Metadata["version"] {
			t.Errorf("opened with %v, %v", s.content, s.metadata)
		}
		paths := fmt.Sprint(s.data["buffer_paths"])
		if isImage := state["_model_name"] == "ImageModel"; isImage != (paths == "[[value]]") || isImage != (len(s.buffers) == 1) {
			t.Errorf("%v has buffers at %s", state["_model_name"], paths)
		}
	}
	if len(states) != len(wantStates) {
		t.Errorf("%d models, want %d", len(states), len(wantStates))
	}
	got, wanted := tree(states[root], states), tree(wantStates[last], wantStates)
	if !reflect.DeepEqual(got, wanted) {
		a, _ := json.MarshalIndent(got, "", " ")
		b, _ := json.MarshalIndent(wanted, "", " ")
		t.Errorf("the states are\n%s\nwant\n%s", a, b)
	}
}

// TestAnswersAsIpywidgets sends what a front end sends and compares every answer.
func TestAnswersAsIpywidgets(t *testing.T) {
	h := newHost(t)
	w := New(h, Options{})
	h.run("first", "a cell")
	shown(t, h, those...)
	want := readRecorded(t)
	// The nth model of a name is that of the same name and place there.
	ours, theirs := map[string]string{}, map[string]string{}
	for i, g := 0, w.groups[0]; i < len(g.controls); i++ {
		name := g.controls[i].model.name()
		for _, m := range want.Opened {
			if state := m.Data["state"].(map[string]any); state["_model_name"] == name {
				ours[m.Comm], theirs[g.controls[i].model.id] = g.controls[i].model.id, m.Comm
			}
		}
	}
	image := w.groups[0].image.id
	for _, m := range want.Opened {
		if m.Data["state"].(map[string]any)["_model_name"] == "ImageModel" {
			ours[m.Comm], theirs[image] = image, m.Comm
		}
	}
	for _, step := range want.Steps {
		comm := ours[step.Comm]
		if step.Name == "a request for all states" {
			open := front("comm_open", "asks", nil)
			open.Content = json.RawMessage(`{"comm_id":"asks","target_name":"jupyter.widget.control","data":{}}`)
			if err := w.Open(open); err != nil {
				t.Fatal(err)
			}
			comm = "asks"
		}
		before := len(h.all())
		if err := w.Msg(front("comm_msg", comm, step.Data)); err != nil {
			t.Fatalf("%s: %v", step.Name, err)
		}
		var answers []sent
		for _, s := range h.all()[before:] {
			if s.parent == "front-"+comm { // not what the program answers
				answers = append(answers, s)
			}
		}
		if len(answers) != len(step.Answers) {
			t.Errorf("%s: %d answers, want %d", step.Name, len(answers), len(step.Answers))
			continue
		}
		for i, a := range answers {
			wanted := step.Answers[i]
			if step.Name == "a request for all states" {
				checkAll(t, a, wanted)
				continue
			}
			clean(a.data, wanted.Data)
			if a.kind != wanted.Type || !reflect.DeepEqual(a.data, wanted.Data) || len(a.buffers) != len(wanted.Buffers) {
				t.Errorf("%s: %v, want %v", step.Name, a, wanted)
			}
			if len(a.buffers) == 1 && hex.EncodeToString(a.buffers[0]) != wanted.Buffers[0] {
				t.Errorf("%s: another picture", step.Name)
			}
		}
	}
}

// clean drops references, whose ids are others.
func clean(all ...map[string]any) {
	for _, data := range all {
		if state, ok := data["state"].(map[string]any); ok {
			delete(state, "layout")
			delete(state, "style")
		}
	}
}

// checkAll compares answers with all states: their keys, and where the picture's bytes
// belong.
func checkAll(t *testing.T, got sent, want recordedMessage) {
	t.Helper()
	states, wanted := got.data["states"].(map[string]any), want.Data["states"].(map[string]any)
	count := func(states map[string]any) map[string]int {
		n := map[string]int{}
		for _, s := range states {
			m := s.(map[string]any)
			n[fmt.Sprint(m["model_name"], m["model_module"], m["model_module_version"], len(m), len(m["state"].(map[string]any)))]++
		}
		return n
	}
	if !reflect.DeepEqual(count(states), count(wanted)) || got.data["method"] != want.Data["method"] {
		t.Errorf("all states are %v, want %v", count(states), count(wanted))
	}
	path := got.data["buffer_paths"].([]any)[0].([]any)
	name := states[path[0].(string)].(map[string]any)["model_name"]
	if name != "ImageModel" || fmt.Sprint(path[1:]) != "[state value]" || len(got.buffers) != len(want.Buffers) {
		t.Errorf("buffers at %v of a %v", path, name)
	}
}

// TestLatestMoveWins checks that moves during a drawing are drawn once, for the last.
func TestLatestMoveWins(t *testing.T) {
	h := newHost(t)
	w := New(h, Options{})
	h.run("first", "a cell")
	p, _ := shown(t, h, those[0], those[5])
	slider, button := w.groups[0].controls[0].model.id, w.groups[0].controls[1].model.id
	move := func(v float64) {
		if err := w.Msg(front("comm_msg", slider, map[string]any{"method": "update", "state": map[string]any{"value": v}})); err != nil {
			t.Fatal(err)
		}
	}
	var v wire.Values
	move(31)
	p.read(&v) // it draws for this one
	if v.Values[0] != 31 || v.Values[1] != 0 {
		t.Fatalf("it draws for %v", v.Values)
	}
	for n := range 20 {
		move(40 + float64(n))
	}
	for range 3 {
		if err := w.Msg(front("comm_msg", button, map[string]any{"method": "custom", "content": map[string]any{"event": "click"}})); err != nil {
			t.Fatal(err)
		}
	}
	before := len(h.all())
	p.write(wire.Answer{Number: 1, Figure: &wire.Figure{Picture: []byte("second"), MIME: "image/jpeg", Width: 300, Height: 300}})
	p.read(&v)
	if v.Number != 2 || v.Values[0] != 59 || v.Values[1] != 3 {
		t.Errorf("then for %v, want 59 and 3", v.Values)
	}
	s, _ := h.wait(before, func(s sent) bool { return len(s.buffers) == 1 })
	if state := s.data["state"].(map[string]any); string(s.buffers[0]) != "second" || state["width"] != "300" || state["format"] != "jpeg" {
		t.Errorf("it shows %v", s)
	}
	p.write(wire.Answer{Number: 1, Figure: &wire.Figure{Picture: []byte("better"), MIME: "image/jpeg", Width: 300, Height: 300}})
	h.wait(before, func(s sent) bool { return len(s.buffers) == 1 && string(s.buffers[0]) == "better" })
	move(60.00000000000001)
	p.write(wire.Answer{Number: 2, Figure: &figure})
	if p.read(&v); v.Number != 3 || v.Values[0] != 60 {
		t.Errorf("then for %v, want 60", v)
	}
	s, _ = h.wait(before, func(s sent) bool { return s.kind == "update_display_data" })
	if s.data["image/png"] == nil || viewOf(s) != "" || s.parent != "first" {
		t.Errorf("the notebook gets %v", s)
	}
}

// TestErrorsAreShown checks that an error is shown and goes with the next figure, and that
// HTML takes the picture's place.
func TestErrorsAreShown(t *testing.T) {
	h := newHost(t)
	w := New(h, Options{})
	h.run("first", "a cell")
	p, _ := shown(t, h, those[0])
	g := w.groups[0]
	answer := func(value float64, a wire.Answer, want func(id string, state map[string]any) bool) {
		t.Helper()
		before := len(h.all())
		w.Msg(front("comm_msg", g.controls[0].model.id, map[string]any{"method": "update", "state": map[string]any{"value": value}}))
		var v wire.Values
		p.read(&v)
		a.Number = v.Number
		p.write(a)
		h.wait(before, func(s sent) bool {
			id, _ := s.content["comm_id"].(string)
			state, _ := s.data["state"].(map[string]any)
			return s.data["method"] == "update" && want(id, state)
		})
	}
	answer(1, wire.Answer{Error: "no <such> picture"}, func(id string, s map[string]any) bool {
		return id == g.note.id && strings.Contains(fmt.Sprint(s["value"]), "no &lt;such&gt; picture")
	})
	answer(2, wire.Answer{Figure: &wire.Figure{HTML: "<table></table>"}}, func(id string, s map[string]any) bool {
		return id == g.noteLayout.id && s["display"] == "none"
	})
	if g.html.state["value"] != "<table></table>" || g.imageLayout.state["display"] != "none" || g.htmlLayout.state["display"] != nil {
		t.Errorf("the table isn't in the picture's place")
	}
}

// TestDeadWidgetsSayHowToGoOn checks what is shown of a program that has ended, for
// several reasons.
func TestDeadWidgetsSayHowToGoOn(t *testing.T) {
	h := newHost(t)
	w := New(h, Options{})
	dead := func(id, why string) {
		t.Helper()
		s, _ := h.wait(0, func(s sent) bool {
			state, _ := s.data["state"].(map[string]any)
			return s.parent == id && strings.Contains(fmt.Sprint(state["value"]), "Run the cell again to ")
		})
		if text := fmt.Sprint(s.data["state"]); !strings.Contains(text, why) {
			t.Errorf("%s says %s, want %q", id, text, why)
		}
		h.wait(0, func(s sent) bool {
			state, _ := s.data["state"].(map[string]any)
			return s.parent == id && state["disabled"] == true
		})
	}
	h.run("crashes", "cell 1")
	p, _ := shown(t, h, those[0])
	p.conn.Close()
	dead("crashes", "The cell&#39;s program has ended. Run the cell again to move the slider.")

	var programs []*program
	for i := range MaxLiving + 1 {
		h.run(fmt.Sprint("many ", i), fmt.Sprint("many ", i))
		p, _ := shown(t, h, those[0], those[4])
		programs = append(programs, p)
	}
	programs[0].ended()
	dead("many 0", "At most 8 cells keep running for their controls. Run the cell again to use the controls.")

	before := len(h.all())
	w.Begin(h.run("again", "many 1")) // the same cell is run again
	programs[1].ended()
	h.wait(before, func(s sent) bool { return s.kind == "comm_close" && s.parent == "many 1" })
	m := h.run("other", "other")
	m.Metadata = json.RawMessage(`{"cellId":"other","deletedCells":["many 2"]}`)
	w.Begin(m)
	programs[2].ended()
	if n := len(w.groups); n != MaxLiving-2 {
		t.Errorf("%d programs live, want %d", n, MaxLiving-2)
	}
	if err := w.Shutdown(false); err != nil {
		t.Error(err)
	}
	for _, p := range programs[3:] {
		p.ended()
	}
	dead("many 5", "Run the cell again")
}

// TestStaticWithoutFrontEnd checks that a run without a browser shows nothing that moves.
func TestStaticWithoutFrontEnd(t *testing.T) {
	h := newHost(t)
	New(h, Options{})
	h.run("first", "")
	if p, live := h.start(those...); live.Live || live.Error != "" {
		t.Errorf("it answers %v", live)
	} else {
		p.ended()
	}
	h.run("first", "a cell")
	if _, live := h.start(wire.Control{Kind: "knob", Name: "n"}); !strings.Contains(live.Error, `"knob"`) {
		t.Errorf("it answers %v", live)
	}
	if len(h.all()) != 0 {
		t.Errorf("it sent %v", h.all())
	}
}

// TestRestart checks that the next kernel knows the widgets of the last one.
func TestRestart(t *testing.T) {
	state := filepath.Join(t.TempDir(), "left.json")
	h := newHost(t)
	w := New(h, Options{State: state})
	h.run("first", "a cell")
	_, root := shown(t, h, those...)
	if err := w.Shutdown(true); err != nil {
		t.Fatal(err)
	}
	h = newHost(t)
	next := New(h, Options{State: state})
	if !next.Has(root) || len(next.Info(target)) != len(w.models) || len(next.Info("gonb_comm")) != 0 {
		t.Fatalf("it knows %v", next.Info(""))
	}
	if err := next.Msg(front("comm_msg", root, map[string]any{"method": "request_state"})); err != nil {
		t.Fatal(err)
	}
	if s := h.all(); len(s) != 1 || !reflect.DeepEqual(s[0].data["state"], plain(t, w.groupsRoot(root))) {
		t.Errorf("it answers %v", s)
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("the file is still there")
	}
	if third := New(newHost(t), Options{State: state}); third.Has(root) {
		t.Error("the one after it knows them, too")
	}
}

func (w *Widgets) groupsRoot(id string) map[string]any { return w.model(id).state }

// TestRestartOnlyDisables checks that the next kernel tells a page that is still open what
// the page has already, whatever was moved in it, but for "disabled". A front end's slider
// that gets another value passes over the rest of the state.
func TestRestartOnlyDisables(t *testing.T) {
	state := filepath.Join(t.TempDir(), "left.json")
	h := newHost(t)
	w := New(h, Options{State: state})
	h.run("first", "a cell")
	far := wire.Control{Kind: wire.Slider, Name: "far", Min: -1e9, Max: 1e9, Step: 0.1, Value: 0.1}
	shown(t, h, those...) // two groups in one cell, and one in another
	shown(t, h, those[0], far)
	h.run("second", "another cell")
	shown(t, h, those...)
	moves := map[string][]any{
		"FloatSliderModel":   {45.9, 33.00000000000001},
		"IntSliderModel":     {7},
		"DropdownModel":      {0},
		"ToggleButtonsModel": {2},
		"CheckboxModel":      {false},
	}
	page := map[string]map[string]any{} // what a front end has of the controls
	for _, s := range h.all() {
		if s.kind == "comm_open" {
			page[s.content["comm_id"].(string)] = s.data["state"].(map[string]any)
		}
	}
	move := func(c *control, v any) {
		t.Helper()
		id, key, before := c.model.id, "value", len(h.all())
		if c.Kind == wire.Select || c.Kind == wire.Toggle {
			key = "index"
		}
		page[id][key] = v
		if err := w.Msg(front("comm_msg", id, map[string]any{"method": "update", "state": map[string]any{key: v}})); err != nil {
			t.Fatal(err)
		}
		for _, s := range h.all()[before:] {
			if s.parent == "front-"+id && s.data["method"] == "update" { // corrected
				page[id][key] = s.data["state"].(map[string]any)[key]
			}
		}
	}
	var controls []*control
	for i, g := range slices.Clone(w.groups) {
		for _, c := range g.controls {
			controls = append(controls, c)
			for _, v := range moves[c.model.name()] {
				move(c, v)
			}
		}
		if i == 1 {
			move(g.controls[0], 120) // beyond the end
			move(g.controls[1], 300000.10000000003)
		}
	}
	if v := controls[0].Value; v != 33 {
		t.Errorf("the program gets %v, want 33", v)
	}
	if err := w.Shutdown(true); err != nil {
		t.Fatal(err)
	}
	next := New(newHost(t), Options{State: state})
	for _, c := range controls {
		m := next.model(c.model.id)
		if m == nil {
			t.Errorf("%s isn't known any more", c.Name)
			continue
		}
		want := plain(t, page[m.id])
		want["disabled"] = true
		got := plain(t, m.state)
		for key := range got {
			if !reflect.DeepEqual(got[key], want[key]) {
				t.Errorf("%s: the next kernel has the %s %v, want %v", c.Name, key, got[key], want[key])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: the next kernel has %d keys, want %d", c.Name, len(got), len(want))
		}
	}
}

// TestSavedNotebook checks that widgets of a saved notebook are shown as their last picture.
func TestSavedNotebook(t *testing.T) {
	h := newHost(t)
	New(h, Options{})
	h.run("first", "a cell")
	_, root := shown(t, h, those...)
	var outputs []any
	for _, s := range h.all() {
		if s.kind == "display_data" {
			delete(s.content, "transient") // as front ends do
			outputs = append(outputs, s.content)
		}
	}
	path := filepath.Join(t.TempDir(), "n.ipynb")
	foreign := map[string]any{"data": map[string]any{viewMIME: view("foreign"), "text/plain": "IntSlider(value=0)"}}
	data, err := json.Marshal(map[string]any{"cells": []any{
		map[string]any{"cell_type": "markdown", "source": []string{"x"}},
		map[string]any{"outputs": append(outputs, foreign, map[string]any{"output_type": "stream", "text": []string{"x"}})},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	h = newHost(t)
	w := New(h, Options{Notebooks: []string{"", path}})
	if w.Info("")[root] == nil || w.Info("")["foreign"] != nil || !w.Has(root) {
		t.Fatalf("it knows %v", w.Info(""))
	}
	states := map[string]any{}
	for _, m := range w.models {
		states[m.id] = plain(t, m.state)
		if m.name() == "ImageModel" && (string(m.value) != string(figure.Picture) || m.state["width"] != "400") {
			t.Errorf("the picture is %q, %v", m.value, m.state)
		}
	}
	children := tree(states[root], states).(map[string]any)["children"].([]any)
	if note := children[0].(map[string]any)["value"]; len(children) != 2 || !strings.Contains(fmt.Sprint(note), "Run the cell again to use the controls.") {
		t.Errorf("it shows %v", children)
	}
}

// FuzzMessages checks that no message from a front end and no file harms the kernel.
func FuzzMessages(f *testing.F) {
	f.Add(`{"comm_id":"x","data":{"method":"update","state":{"value":1}}}`)
	f.Add(`{"comm_id":"x","target_name":"jupyter.widget.control","data":{"method":"request_states"}}`)
	f.Add(`{"cells":[{"outputs":[{"data":{"application/vnd.jupyter.widget-view+json":{"model_id":"a"},"text/plain":["Run the cell again in JupyterLab to x"],"image/png":"AAAA"}}]}]}`)
	f.Add(`[{"id":"a","state":{"_model_name":"ImageModel"}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range savedWidgets([]byte(text)) {
			s.models()
		}
		for _, m := range parseLeft([]byte(text)) {
			if m.name() == "" {
				t.Error("a model without a name")
			}
		}
		c, _ := newControl(those[0], "5em")
		var state map[string]json.RawMessage
		json.Unmarshal([]byte(text), &state)
		c.set(state)
		if !(c.Value >= c.Min && c.Value <= c.Max) {
			t.Errorf("the slider is at %g", c.Value)
		}
	})
}
