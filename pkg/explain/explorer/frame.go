package explorer

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"gaze/internal/webpicture"
	"gaze/pkg/explain"
	"gaze/pkg/plots"
)

// Frame is HTML that shows pictures in a notebook's output: the document of [Page] in a
// frame, so that its styles and keys are its own, and several fit on a page. A still
// picture is shown where frames aren't, and in print.
func Frame(o Options, pictures ...Picture) (string, error) {
	text, err := document(o, pictures)
	if err != nil {
		return "", err
	}
	image, err := still(pictures)
	if err != nil {
		return "", fmt.Errorf("explorer: %w", err)
	}
	title := o.Title
	if title == "" {
		title = pictures[0].Name
	}
	// The sanitizer of exports (tools/notebooks/export/clean.py) knows the frame by this form.
	return fmt.Sprintf(`<div class="gaze-explorer"><iframe class="gaze-explorer" title="%s" style="width: 100%%; height: 720px; border: 0; display: block" srcdoc="%s"></iframe>%s</div>`,
		html.EscapeString(title), html.EscapeString(text), image), nil
}

// stills is how many pictures the still picture has at most.
const stills = 3

// still draws the first pictures with a map each.
func still(pictures []Picture) (string, error) {
	g := plots.Grid{Scale: plots.Scale{Map: plots.Inferno, NoBar: true}, OwnRange: true, PanelWidth: 280}
	for i := range pictures[:min(len(pictures), stills)] {
		p := &pictures[i]
		title, m, signed := p.first()
		scale := plots.Scale{Map: plots.Inferno}
		if signed {
			scale = plots.Scale{Map: plots.Coolwarm, Center: true}
		}
		g.Panels = append(g.Panels, []plots.Panel{{Title: p.Name, Picture: p.Image}, {Title: title, Picture: p.Image, Values: m.Matrix(), Alpha: 0.55, Scale: &scale}})
	}
	img, err := g.Image(1.5)
	if err != nil {
		return "", err
	}
	data, mime, err := webpicture.Encode(img)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`<img class="gaze-explorer-still" alt="%s" width="%d" height="%d" src="data:%s;base64,%s">`,
		html.EscapeString("Photographs with a map over each: the explorer's first"), int(float64(img.Bounds().Dx())/1.5), int(float64(img.Bounds().Dy())/1.5), mime, base64.StdEncoding.EncodeToString(data)), nil
}

// first is the map that the page shows first.
func (p *Picture) first() (title string, m explain.Map, signed bool) {
	if len(p.Layers) == 0 {
		return strings.TrimSpace(p.Maps[0].Name + " " + p.Maps[0].Group), p.Maps[0].Map, p.Maps[0].Signed
	}
	query, name := 0, ""
	if len(p.Tokens) == 0 {
		query = p.Rows/2*p.Cols + p.Cols/2
		name = "the patch in the middle"
	} else {
		name = "the " + p.Tokens[0] + " token"
	}
	values := p.row(len(p.Layers)-1, -1, []int{query})
	return "where " + name + " looks", explain.Map{Rows: p.Rows, Cols: p.Cols, Values: values}, false
}

// answer is what a cell's program tells the page.
type answer struct {
	Version int       `json:"version"`
	Picture int       `json:"picture"`
	Key     string    `json:"key"`
	Group   groupData `json:"group"`
	Map     *mapData  `json:"map,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// Answer is HTML, invisible, with what a cell's program has computed for the page of this
// [Live.ID]: a map of a picture by the method of a key for a group, or why there is none.
// made is nil before anything was asked.
func Answer(id string, picture int, key string, group Group, made *Named, failed error) (string, error) {
	a := answer{Version: version, Picture: picture, Key: key, Group: groupData(group)}
	switch {
	case failed != nil:
		a.Error = failed.Error()
	case made != nil:
		if at := notFinite(made.Map.Values); at >= 0 || len(made.Map.Values) == 0 {
			return "", fmt.Errorf("explorer: %s: the map has no values, or one that isn't finite", made.Name)
		}
		d := made.data()
		a.Map = &d
	}
	text, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("explorer: %w", err)
	}
	return fmt.Sprintf(`<div class="gaze-explorer-answer" data-explorer="%s" data-answer="%s" style="display: none"></div>`, html.EscapeString(id), html.EscapeString(string(text))), nil
}
