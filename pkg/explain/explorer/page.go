package explorer

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"image/jpeg"
	"io"
	"strconv"
	"strings"

	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// The parts of the document. tools/notebooks/export/clean.py puts them together in the
// same way.
//
//go:embed explorer.html explorer.css data.js view.js controls.js live.js
var assets embed.FS

// scripts are the document's scripts, in order.
var scripts = []string{"data.js", "view.js", "controls.js", "live.js"}

// version is that of the data's form. A page made by another version's scripts isn't.
const version = 1

// Options say what a document has besides its pictures.
type Options struct {
	Title string // of the document; "": the first picture's name
	Live  *Live  // what a notebook's cell can be asked; nil: nothing
}

// Live says what a cell's program can compute for the page.
type Live struct {
	ID      string   `json:"id"` // unique in the notebook; see [Answer]
	Methods []Method `json:"methods"`
	Groups  []string `json:"groups"` // names of classes that can be asked for
}

// Method names a method that can be asked for.
type Method struct {
	Key     string `json:"key"`
	Name    string `json:"name"`
	OfGroup bool   `json:"ofGroup"` // its maps differ between groups
}

// The data's form. Everything in it is text that the scripts check and never run.
type data struct {
	Version   int           `json:"version"`
	Title     string        `json:"title"`
	Colormaps []colormap    `json:"colormaps"`
	Pictures  []pictureData `json:"pictures"`
	Live      *Live         `json:"live,omitempty"`
}

type colormap struct {
	Name      string `json:"name"`
	Diverging bool   `json:"diverging"`
	Table     string `json:"table"` // 256 colours of 3 bytes, in base64
}

type pictureData struct {
	Name       string      `json:"name"`
	Credit     string      `json:"credit"`
	Model      string      `json:"model"`
	Photo      string      `json:"photo"` // a data: URL
	Width      int         `json:"width"`
	Height     int         `json:"height"`
	Rows       int         `json:"rows"`
	Cols       int         `json:"cols"`
	Covered    [2]float64  `json:"covered"`
	Tokens     []string    `json:"tokens"`
	Step       int         `json:"step"`
	Layers     []layerData `json:"layers"`
	GroupLabel string      `json:"groupLabel"`
	Groups     []groupData `json:"groups"`
	Maps       []mapData   `json:"maps"`
}

type layerData struct {
	Name  string   `json:"name"`
	Mean  string   `json:"mean"`
	Heads []string `json:"heads"`
}

type groupData struct {
	Name string `json:"name"`
	Note string `json:"note"`
}

type mapData struct {
	Group  string  `json:"group"`
	Key    string  `json:"key"`
	Name   string  `json:"name"`
	Note   string  `json:"note"`
	About  string  `json:"about"`
	Signed bool    `json:"signed"`
	Low    float32 `json:"low"`
	High   float32 `json:"high"`
	Bytes  string  `json:"bytes"`
}

// Page writes a page of pictures, a file to open in a browser.
func Page(w io.Writer, o Options, pictures ...Picture) error {
	text, err := document(o, pictures)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// document is the whole document.
func document(o Options, pictures []Picture) (string, error) {
	d := data{Version: version, Title: o.Title, Live: o.Live}
	if len(pictures) == 0 {
		return "", errors.New("explorer: there are no pictures")
	}
	if d.Title == "" {
		d.Title = pictures[0].Name
	}
	for _, m := range plots.Colormaps() {
		table := make([]byte, 0, 3*len(m.Table))
		for _, c := range m.Table {
			table = append(table, c.R, c.G, c.B)
		}
		d.Colormaps = append(d.Colormaps, colormap{m.Name, m == plots.Coolwarm || m == plots.RdBu, base64.StdEncoding.EncodeToString(table)})
	}
	for i := range pictures {
		p, err := pictures[i].data()
		if err != nil {
			return "", fmt.Errorf("explorer: %s: %w", nameOf(pictures[i].Name, i), err)
		}
		d.Pictures = append(d.Pictures, *p)
	}
	text, err := json.Marshal(d) // < > & are escaped, so that nothing in it ends the script
	if err != nil {
		return "", fmt.Errorf("explorer: %w", err)
	}
	var code strings.Builder
	for _, name := range scripts {
		code.WriteString(asset(name))
	}
	return strings.NewReplacer("{{title}}", html.EscapeString(d.Title), "{{style}}", asset("explorer.css"),
		"{{data}}", string(text), "{{script}}", code.String()).Replace(asset("explorer.html")), nil
}

// nameOf names a picture in errors.
func nameOf(name string, i int) string {
	if name == "" {
		return "picture " + strconv.Itoa(i)
	}
	return name
}

func asset(name string) string {
	b, err := assets.ReadFile(name)
	if err != nil {
		panic(err) // it is a part of the program
	}
	return string(b)
}

// data is the picture as the page has it.
func (p *Picture) data() (*pictureData, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	photo, err := photograph(p.Image)
	if err != nil {
		return nil, err
	}
	d := &pictureData{Name: p.Name, Credit: p.Credit, Model: p.Model, Photo: photo, Width: p.Image.Width, Height: p.Image.Height,
		Rows: p.Rows, Cols: p.Cols, Covered: p.Covered, Tokens: append([]string{}, p.Tokens...), Layers: []layerData{}, GroupLabel: p.GroupLabel, Groups: []groupData{}, Maps: []mapData{}}
	if d.Covered == [2]float64{} {
		d.Covered = [2]float64{float64(p.Rows), float64(p.Cols)}
	}
	if d.GroupLabel == "" {
		d.GroupLabel = "Class"
	}
	for _, g := range p.groups() {
		d.Groups = append(d.Groups, groupData(g))
	}
	room := Budget - len(photo) - overhead
	for i := range p.Maps {
		m := p.Maps[i].data()
		d.Maps = append(d.Maps, m)
		room -= len(m.Bytes) + len(m.About) + overheadOfMap
	}
	f := p.fit(room)
	d.Step = f.step
	for _, l := range f.layers {
		name := p.Layers[l.index].Name
		if name == "" {
			name = strconv.Itoa(l.index)
		}
		d.Layers = append(d.Layers, layerData{name, l.mean, l.heads})
	}
	return d, nil
}

// What the document has besides: scripts and colours, the still picture of [Frame], and
// the names of a map.
const (
	overhead      = 160_000
	overheadOfMap = 400
)

// data is the map as the page has it.
func (m *Named) data() mapData {
	bytes, lo, hi := quantise(m.Map.Values, m.Signed)
	return mapData{m.Group, m.key(), m.Name, m.Note, m.About, m.Signed, lo, hi, packed(bytes)}
}

// photoSide is the longest side of the photograph in the page, in pixels, and photoQuality
// the JPEG's quality.
const (
	photoSide    = 800
	photoQuality = 82
)

// photograph is the picture as a data: URL.
func photograph(im *transform.Image) (string, error) {
	if longest := max(im.Width, im.Height); longest > photoSide {
		im = transform.Resize(im, max(im.Height*photoSide/longest, 1), max(im.Width*photoSide/longest, 1), transform.Bilinear)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, im, &jpeg.Options{Quality: photoQuality}); err != nil {
		return "", fmt.Errorf("the photograph: %w", err)
	}
	return "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), nil
}
