package widgets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"

	"gaze/internal/jupyter"
	"gaze/internal/kernel"
	"gaze/internal/widgets/wire"
)

// group is what one call of a cell's program shows: its controls, the figure, and a line
// for what goes wrong.
type group struct {
	cell     cell
	request  *jupyter.Message // the execute_request that all of it belongs to
	conn     *kernel.Conn     // to the program
	controls []*control
	models   []*model // all, the outermost last

	image, imageLayout *model
	html, htmlLayout   *model
	note, noteLayout   *model
	root               *model

	asked chan struct{} // has an item if values are to be drawn
	saved *time.Timer   // until the picture in the notebook's file follows
}

// pictureDelay is how long the controls must rest until the notebook's output, which an
// export shows, gets the picture.
const pictureDelay = time.Second

// newGroup makes the models of a group.
func newGroup(controls []wire.Control) *group {
	g := &group{asked: make(chan struct{}, 1)}
	var children []string
	for _, c := range controls {
		made, models := newControl(c, width(controls))
		g.controls = append(g.controls, made)
		g.models = append(g.models, models...)
		children = append(children, made.model.ref())
	}
	hidden := map[string]any{"display": "none"}
	g.imageLayout, g.htmlLayout, g.noteLayout = newModel("LayoutModel", hidden), newModel("LayoutModel", hidden), newModel("LayoutModel", hidden)
	g.image = newModel("ImageModel", map[string]any{"layout": g.imageLayout.ref()})
	g.image.value = []byte{}
	htmlStyle, noteStyle := newModel("HTMLStyleModel", nil), newModel("HTMLStyleModel", nil)
	g.html = newModel("HTMLModel", map[string]any{"layout": g.htmlLayout.ref(), "style": htmlStyle.ref()})
	g.note = newModel("HTMLModel", map[string]any{"layout": g.noteLayout.ref(), "style": noteStyle.ref()})
	rootLayout := newModel("LayoutModel", nil)
	children = append(children, g.note.ref(), g.image.ref(), g.html.ref())
	g.root = newModel("VBoxModel", map[string]any{"children": children, "layout": rootLayout.ref()})
	g.models = append(g.models, g.imageLayout, g.image, g.htmlLayout, htmlStyle, g.html, g.noteLayout, noteStyle, g.note, rootLayout, g.root)
	return g
}

// width is the width of the descriptions: that of the longest, so that sliders begin below
// each other.
func width(controls []wire.Control) string {
	longest := 0
	for _, c := range controls {
		if c.Kind != wire.Check && c.Kind != wire.Button {
			longest = max(longest, len([]rune(c.Name)))
		}
	}
	return strconv.Itoa(min(longest*6/10+1, 20)) + "em"
}

// ask has the program draw the controls' values when it has answered for the last ones.
func (g *group) ask() {
	select {
	case g.asked <- struct{}{}:
	default:
	}
}

// serve serves a cell's program until it ends.
func (w *Widgets) serve(first json.RawMessage, conn *kernel.Conn) {
	var hello wire.Hello
	err := json.Unmarshal(first, &hello)
	for _, c := range hello.Controls {
		if err == nil {
			err = c.Check()
		}
	}
	if err != nil {
		wire.Write(conn, wire.Live{Error: err.Error()})
		return
	}
	running := w.host.Running()
	if running == nil || cellOf(running.Message()).ID == "" {
		wire.Write(conn, wire.Live{})
		return
	}
	if wire.Write(conn, wire.Live{Live: true}) != nil {
		return
	}
	var a wire.Answer
	if wire.Read(conn.Reader, &a) != nil || a.Figure == nil || a.Figure.Check() != nil {
		return
	}
	g := newGroup(hello.Controls)
	g.conn, g.request, g.cell = conn, running.Message(), cellOf(running.Message())
	g.set(*a.Figure)
	if w.open(g, running) == nil && wire.Write(conn, wire.Live{Live: true}) == nil {
		w.follow(g)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(g, "The cell's program has ended.")
}

// follow passes values to the program and its figures to front ends until the program ends.
func (w *Widgets) follow(g *group) {
	answers, done := make(chan wire.Answer), make(chan struct{})
	defer close(done)
	go func() {
		defer close(answers)
		for {
			var a wire.Answer
			if wire.Read(g.conn.Reader, &a) != nil {
				return
			}
			select {
			case answers <- a:
			case <-done:
				return
			}
		}
	}()
	asked, answered := 0, 0
	for {
		var moves <-chan struct{} // until the answer, moves leave one item in g.asked
		if answered == asked {
			moves = g.asked
		}
		select {
		case <-moves:
			asked++
			if wire.Write(g.conn, wire.Values{Number: asked, Values: w.values(g)}) != nil {
				return
			}
		case a, ok := <-answers:
			if !ok || a.Figure.Check() != nil || a.Number < answered || a.Number > asked {
				return // it has ended, or it answers what it wasn't asked
			}
			answered = a.Number
			w.show(g, a)
		}
	}
}

func (w *Widgets) values(g *group) []float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	values := make([]float64, len(g.controls))
	for i, c := range g.controls {
		values[i] = c.Value
	}
	return values
}

// open makes the widgets in the front ends and shows them below the cell. The least recently
// moved end if there are too many.
func (w *Widgets) open(g *group, running kernel.Cell) error {
	w.mu.Lock()
	for len(w.groups) >= MaxLiving {
		w.end(w.groups[0], fmt.Sprintf("At most %d cells keep running for their controls.", MaxLiving))
	}
	if w.closed {
		w.mu.Unlock()
		return fmt.Errorf("widgets: the kernel ends")
	}
	for _, m := range g.models {
		content, metadata, buffers := m.opening()
		if err := w.host.Publish(g.request, "comm_open", content, metadata, buffers...); err != nil {
			w.mu.Unlock()
			return err
		}
	}
	w.models = append(w.models, g.models...)
	w.groups = append(w.groups, g)
	w.mu.Unlock()
	// A front end shows the widgets, with the picture in them, and hides the picture. An
	// export shows the picture and the line.
	if err := running.Publish("display_data", g.picture(), nil); err != nil {
		return err
	}
	return running.Publish("display_data", map[string]any{
		"data": map[string]any{
			viewMIME:     view(g.root.id),
			"text/html":  "<p>" + html.EscapeString(g.again(exported)) + "</p>",
			"text/plain": g.again(exported),
		},
		"metadata": map[string]any{}, "transient": map[string]any{},
	}, nil)
}

const (
	viewMIME  = "application/vnd.jupyter.widget-view+json"
	imageMIME = "image/" // and the format
)

// view shows a widget; for an empty id front ends show nothing.
func view(id string) any {
	return map[string]any{"version_major": 2, "version_minor": 0, "model_id": id}
}

// picture is the figure as an output of the notebook, which front ends with widgets hide.
func (g *group) picture() map[string]any {
	data, metadata := map[string]any{viewMIME: view("")}, map[string]any{}
	if text := g.html.state["value"].(string); text != "" {
		data["text/html"] = text
	} else {
		size := map[string]any{}
		for _, key := range []string{"width", "height"} {
			if n, err := strconv.Atoi(g.image.state[key].(string)); err == nil {
				size[key] = n
			}
		}
		mime := imageMIME + g.image.state["format"].(string)
		data[mime], metadata[mime] = g.image.value, size // in base64, as JSON has it
	}
	return map[string]any{"data": data, "metadata": metadata, "transient": map[string]any{"display_id": g.root.id}}
}

// set sets the figure in the models and returns the changes of each.
func (g *group) set(f wire.Figure) (image, html, imageLayout, htmlLayout map[string]any) {
	show := func(layout *model, on bool) map[string]any {
		display := any("none")
		if on {
			display = nil
		}
		if layout.state["display"] == display {
			return nil
		}
		layout.state["display"] = display
		return map[string]any{"display": display}
	}
	if f.HTML != g.html.state["value"] {
		html = map[string]any{"value": f.HTML}
		g.html.state["value"] = f.HTML
	}
	if len(f.Picture) > 0 && !bytes.Equal(f.Picture, g.image.value) {
		g.image.value = f.Picture
		image = map[string]any{}
		for key, text := range map[string]string{"width": strconv.Itoa(f.Width), "height": strconv.Itoa(f.Height), "format": strings.TrimPrefix(f.MIME, imageMIME)} {
			if text != "0" && g.image.state[key] != text {
				image[key], g.image.state[key] = text, text
			}
		}
	}
	return image, html, show(g.imageLayout, f.HTML == ""), show(g.htmlLayout, f.HTML != "")
}

// show shows a figure or an error that the program has answered with.
func (w *Widgets) show(g *group, a wire.Answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.Figure == nil {
		w.tell(g, `<span style="color: var(--jp-error-color1, #c62828)">`+html.EscapeString(a.Error)+`</span>`)
		return
	}
	image, text, imageLayout, textLayout := g.set(*a.Figure)
	if image != nil {
		w.host.Publish(g.request, "comm_msg", message(g.image.id, update("update", image, [][]any{{"value"}})), nil, g.image.value)
	}
	w.change(g, g.html, text)
	w.change(g, g.imageLayout, imageLayout)
	w.change(g, g.htmlLayout, textLayout)
	w.tell(g, "")
	if g.saved == nil {
		g.saved = time.AfterFunc(pictureDelay, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if slices.Contains(w.groups, g) {
				w.save(g)
			}
		})
	} else {
		g.saved.Reset(pictureDelay)
	}
}

// save puts the picture into the notebook's output.
func (w *Widgets) save(g *group) { w.host.Publish(g.request, "update_display_data", g.picture(), nil) }

// change tells front ends of a changed state; nil is no change. Errors mean that nobody
// listens any more.
func (w *Widgets) change(g *group, m *model, state map[string]any) {
	if state != nil {
		w.host.Publish(g.request, "comm_msg", message(m.id, update("update", state, nil)), nil)
	}
}

// tell shows a line between the controls and the figure; an empty one is hidden.
func (w *Widgets) tell(g *group, text string) {
	if g.note.state["value"] == text {
		return
	}
	g.note.state["value"] = text
	w.change(g, g.note, map[string]any{"value": text})
	display := any(nil)
	if text == "" {
		display = "none"
	}
	if g.noteLayout.state["display"] != display {
		g.noteLayout.state["display"] = display
		w.change(g, g.noteLayout, map[string]any{"display": display})
	}
}

// end ends a group's program. Its widgets stay, but can't be moved any more, and say why.
func (w *Widgets) end(g *group, why string) {
	i := slices.Index(w.groups, g)
	if i < 0 {
		return // it has ended already
	}
	w.groups = slices.Delete(w.groups, i, i+1)
	g.conn.Close()
	if g.saved != nil && g.saved.Stop() {
		w.save(g)
	}
	for _, c := range g.controls {
		c.model.state["disabled"] = true
		w.change(g, c.model, map[string]any{"disabled": true})
	}
	w.tell(g, noteHTML(why, g.again(inPage)))
}

// noteHTML is a line about dead widgets.
func noteHTML(why, again string) string {
	if why != "" {
		again = why + " " + again
	}
	return `<span style="color: var(--jp-ui-font-color2, #616161)">` + html.EscapeString(again) + `</span>`
}

// remove ends a group's program and closes its widgets, which disappear.
func (w *Widgets) remove(g *group) {
	w.groups = slices.DeleteFunc(w.groups, func(other *group) bool { return other == g })
	g.conn.Close()
	if g.saved != nil {
		g.saved.Stop()
	}
	w.models = slices.DeleteFunc(w.models, func(m *model) bool { return slices.Contains(g.models, m) })
	for _, m := range slices.Backward(g.models) {
		w.host.Publish(g.request, "comm_close", message(m.id, map[string]any{}), nil)
	}
}

// Where a line about dead widgets is shown.
const (
	inPage   = "Run the cell again to "
	exported = "Run the cell again in JupyterLab to "
)

// again says how to bring dead widgets back to life.
func (g *group) again(begin string) string {
	for _, c := range g.controls {
		if c.Kind != wire.Slider && c.Kind != wire.Integer {
			return begin + "use the controls."
		}
	}
	if len(g.controls) == 1 {
		return begin + "move the slider."
	}
	return begin + "move the sliders."
}
