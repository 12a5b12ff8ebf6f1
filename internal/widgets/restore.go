package widgets

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"

	"gaze/internal/atomicfile"
)

// left is a widget in the file that a kernel leaves.
type left struct {
	ID    string         `json:"id"`
	State map[string]any `json:"state"`
	Value []byte         `json:"value,omitempty"`
}

// leave writes dead widgets for the next kernel of the same front end.
func leave(path string, models []*model) error {
	all := make([]left, len(models))
	for i, m := range models {
		all[i] = left{m.id, m.state, m.value}
	}
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, data)
}

// restored reads what an earlier kernel left, and removes it. It is for convenience only:
// a file that can't be read is no widgets.
func restored(path string) []*model {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	os.Remove(path)
	if err != nil {
		return nil
	}
	return parseLeft(data)
}

// parseLeft returns the widgets in such a file, with the keys that ipywidgets has today.
func parseLeft(data []byte) []*model {
	var all []left
	if json.Unmarshal(data, &all) != nil {
		return nil
	}
	var models []*model
	for _, l := range all {
		name, _ := l.State["_model_name"].(string)
		if defaults[name] == nil || l.ID == "" {
			return nil // of another version
		}
		m := newModel(name, l.State)
		m.id, m.value = l.ID, l.Value
		if name == "ImageModel" && m.value == nil {
			m.value = []byte{}
		}
		models = append(models, m)
	}
	return models
}

// addSaved adds the widgets of the saved notebook that nobody knows, each as its last
// picture with a line that says how to bring it back.
func (w *Widgets) addSaved() {
	for _, path := range w.options.Notebooks {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for _, s := range savedWidgets(data) {
			if w.model(s.id) == nil {
				w.models = append(w.models, s.models()...)
			}
		}
	}
}

// savedWidget is a widget in a notebook's output.
type savedWidget struct {
	id      string
	again   string // the line that an export shows
	picture []byte
	set     map[string]string // format, width and height of the picture, as an Image has them
	html    string
}

// text is a string of a notebook's file, which may be a list of lines.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	var lines []string
	if json.Unmarshal(data, &lines) == nil {
		*t = text(strings.Join(lines, ""))
		return nil
	}
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = text(one)
	}
	return nil // other values belong to other kinds of output
}

type savedOutput struct {
	Data struct {
		View *struct {
			ID string `json:"model_id"`
		} `json:"application/vnd.jupyter.widget-view+json"`
		PNG   text `json:"image/png"`
		JPEG  text `json:"image/jpeg"`
		HTML  text `json:"text/html"`
		Plain text `json:"text/plain"`
	} `json:"data"`
	Metadata struct {
		PNG  map[string]json.Number `json:"image/png"`
		JPEG map[string]json.Number `json:"image/jpeg"`
	} `json:"metadata"`
}

// savedWidgets finds the widgets of cells like ours in a notebook: a hidden picture, then
// the widget. Anything else, such as a file that is no notebook, is passed over.
func savedWidgets(notebook []byte) []savedWidget {
	var file struct {
		Cells []struct {
			Outputs []json.RawMessage `json:"outputs"`
		} `json:"cells"`
	}
	if json.Unmarshal(notebook, &file) != nil {
		return nil
	}
	var found []savedWidget
	for _, cell := range file.Cells {
		var picture savedOutput
		for _, output := range cell.Outputs {
			var o savedOutput
			if json.Unmarshal(output, &o) != nil || o.Data.View == nil {
				continue
			}
			if o.Data.View.ID == "" {
				picture = o
				continue
			}
			if rest, ok := strings.CutPrefix(string(o.Data.Plain), exported); ok {
				found = append(found, savedFrom(o.Data.View.ID, inPage+rest, picture))
			}
			picture = savedOutput{}
		}
	}
	return found
}

func savedFrom(id, again string, picture savedOutput) savedWidget {
	s := savedWidget{id: id, again: again, set: map[string]string{"format": "png"}, html: string(picture.Data.HTML)}
	encoded, size := picture.Data.PNG, picture.Metadata.PNG
	if picture.Data.JPEG != "" {
		s.set["format"], encoded, size = "jpeg", picture.Data.JPEG, picture.Metadata.JPEG
	}
	s.picture, _ = base64.StdEncoding.DecodeString(string(encoded)) // a damaged one is shown as far as it goes
	for key, n := range size {
		if key == "width" || key == "height" {
			s.set[key] = n.String()
		}
	}
	return s
}

// models are the widgets that show it.
func (s savedWidget) models() []*model {
	layout, style := newModel("LayoutModel", nil), newModel("HTMLStyleModel", nil)
	note := newModel("HTMLModel", map[string]any{"layout": layout.ref(), "style": style.ref(), "value": noteHTML("", s.again)})
	all, children := []*model{layout, style, note}, []string{note.ref()}
	switch {
	case s.html != "":
		html := newModel("HTMLModel", map[string]any{"layout": layout.ref(), "style": style.ref(), "value": s.html})
		all, children = append(all, html), append(children, html.ref())
	case len(s.picture) > 0:
		image := newModel("ImageModel", map[string]any{"layout": layout.ref()})
		for key, text := range s.set {
			image.state[key] = text
		}
		image.value = s.picture
		all, children = append(all, image), append(children, image.ref())
	}
	root := newModel("VBoxModel", map[string]any{"children": children, "layout": layout.ref()})
	root.id = s.id
	return append(all, root)
}
