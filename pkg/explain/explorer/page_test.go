package explorer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/data/pets"
	"gaze/pkg/explain"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// pageFolder is where TestPage leaves what tools/browser/explorer.py opens.
var pageFolder = flag.String("page", "", "folder for a page and what it must show")

// hostile is a name that would break out of the page if it weren't escaped.
const hostile = "a \"name\" & 'more'\n</script><script>document.title='broken'</script>\u2028<!-- {{data}}"

// made is a picture with attention that differs between layers, heads and queries.
func made(name string, im *transform.Image, rows, cols, layers, heads int, tokens ...string) Picture {
	p := Picture{Name: name, Credit: "drawn", Model: "none", Image: im, Rows: rows, Cols: cols, Tokens: tokens}
	for l := range layers {
		layer := Layer{Heads: heads}
		for h := range heads {
			for q := -len(tokens); q < rows*cols; q++ {
				layer.Weights = append(layer.Weights, bump(rows, cols, q, 1+float64(l), float64(h))...)
			}
		}
		p.Layers = append(p.Layers, layer)
	}
	return p
}

// bump is a map that sums to 1, highest near cell at, with waves.
func bump(rows, cols, at int, width, waves float64) []float32 {
	out, sum := make([]float32, rows*cols), 0.0
	r0, c0 := float64(at/cols), float64(at%cols)
	if at < 0 {
		r0, c0 = float64(rows)/3, float64(cols)/2
	}
	value := func(i int) float64 {
		r, c := float64(i/cols)-r0, float64(i%cols)-c0
		return math.Exp(-(r*r+c*c)/(2*width*width)) + 0.05*(1+math.Sin(waves*(r-c)))
	}
	for i := range out {
		sum += value(i)
	}
	for i := range out {
		out[i] = float32(value(i) / sum)
	}
	return out
}

// withMaps adds maps by an unsigned, a signed and a method without classes.
func withMaps(p Picture, groups ...string) Picture {
	for i, g := range groups {
		m := bump(p.Rows, p.Cols, i*7, 2+float64(i), 1)
		s := bump(p.Rows, p.Cols, i*11, 3, 2)
		for j := range s {
			s[j] = s[j]*5 - 0.02
		}
		p.Groups = append(p.Groups, Group{g, "40 %"})
		p.Maps = append(p.Maps,
			Named{Group: g, Key: "chefer", Name: "Chefer et al.", About: "Attention weighted by its gradient, through all layers.", Map: explain.Map{Rows: p.Rows, Cols: p.Cols, Values: m}},
			Named{Group: g, Key: "attcat", Name: "AttCAT", About: "Signed.", Signed: true, Map: explain.Map{Rows: p.Rows, Cols: p.Cols, Values: s}})
	}
	p.Maps = append(p.Maps, Named{Key: "rollout", Name: "Rollout", About: "The same map for every class.", Map: explain.Map{Rows: p.Rows, Cols: p.Cols, Values: bump(p.Rows, p.Cols, 3, 4, 0)}})
	return p
}

// samples are two pictures: a square one whose attention fits, a wide one with a name that
// must be escaped and without tokens before the patches.
func samples(t testing.TB) []Picture {
	square := drawn(t, 1, 640, 640)
	wide := drawn(t, 2, 780, 520)
	return []Picture{
		withMaps(made("A drawn pet", square, 16, 16, 4, 3, "[class]"), "Birman", "Ragdoll"),
		withMaps(made(hostile, wide, 6, 9, 2, 1), hostile, "Beagle"),
	}
}

func drawn(t testing.TB, seed uint64, width, height int) *transform.Image {
	t.Helper()
	sample, err := pets.Draw(seed, 3, 0, 256, pets.Natural)
	if err != nil {
		t.Fatal(err)
	}
	return transform.Resize(sample.Image, height, width, transform.Bilinear)
}

// view is a state of the page and what its map must be.
type view struct {
	Picture int    `json:"picture"`
	Kind    string `json:"kind"`
	Layer   int    `json:"layer"`
	Head    int    `json:"head"`
	Token   int    `json:"token"` // -1: a patch
	Row     int    `json:"row"`
	Col     int    `json:"col"`
	Method  string `json:"method"`
	Group   string `json:"group"`
	RGB     string `json:"rgb"` // of the canvas, in base64
}

// colours are the bytes that a canvas must have for a map.
func colours(values []float32, signed bool) string {
	table := plots.Inferno
	if signed {
		table = plots.Coolwarm
	}
	q, _, _ := quantise(values, signed)
	var out []byte
	for _, b := range q {
		c := table.Table[b]
		out = append(out, c.R, c.G, c.B)
	}
	return base64.StdEncoding.EncodeToString(out)
}

// views are what a browser must show, some of each kind.
func views(all []Picture) []view {
	var out []view
	for i, p := range all {
		for l := range p.Layers {
			for h := -1; h < p.Layers[l].Heads; h++ {
				for _, at := range [][2]int{{0, 0}, {p.Rows - 1, p.Cols - 1}, {p.Rows / 2, 1}} {
					row := p.row(l, h, []int{len(p.Tokens) + at[0]*p.Cols + at[1]})
					out = append(out, view{Picture: i, Kind: "attention", Layer: l, Head: h, Token: -1, Row: at[0], Col: at[1], RGB: colours(row, false)})
				}
				for token := range p.Tokens {
					out = append(out, view{Picture: i, Kind: "attention", Layer: l, Head: h, Token: token, RGB: colours(p.row(l, h, []int{token}), false)})
				}
			}
		}
		for _, m := range p.Maps {
			out = append(out, view{Picture: i, Kind: "methods", Method: m.Key, Group: m.Group, RGB: colours(m.Map.Values, m.Signed)})
		}
	}
	return out
}

// dataOf is the data in a document.
func dataOf(t *testing.T, document string) data {
	t.Helper()
	_, rest, ok := strings.Cut(document, `<script type="application/json" id="data">`)
	text, _, ok2 := strings.Cut(rest, "</script>")
	var d data
	if err := json.Unmarshal([]byte(text), &d); err != nil || !ok || !ok2 {
		t.Fatalf("the document's data can't be read: %v", err)
	}
	return d
}

// TestPage checks that a page has its pictures and nothing that breaks out of them. With
// -page it leaves the page for a browser.
func TestPage(t *testing.T) {
	all := samples(t)
	var b bytes.Buffer
	if err := Page(&b, Options{}, all...); err != nil {
		t.Fatal(err)
	}
	d := dataOf(t, b.String())
	if len(d.Pictures) != 2 || d.Pictures[1].Name != hostile || d.Pictures[1].Groups[0].Name != hostile || len(d.Colormaps) != len(plots.Colormaps()) {
		t.Errorf("the data has %d pictures, %d colour maps", len(d.Pictures), len(d.Colormaps))
	}
	if n := strings.Count(b.String(), "</script>"); n != 2 {
		t.Errorf("the page has %d ends of scripts, not 2", n)
	}
	if strings.Contains(b.String(), "://") {
		t.Error("the page names an address")
	}
	again := bytes.Buffer{}
	if err := Page(&again, Options{}, all...); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Errorf("the same pictures make another page (%v)", err)
	}
	if *pageFolder == "" {
		return
	}
	want, err := json.Marshal(views(all))
	if err != nil {
		t.Fatal(err)
	}
	frame, err := Frame(Options{}, all...)
	if err != nil {
		t.Fatal(err)
	}
	var photo bytes.Buffer
	if err := png.Encode(&photo, all[0].Image); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"explorer.html": b.Bytes(), "views.json": want, "frame.html": []byte(frame), "pet.png": photo.Bytes()} {
		if err := os.WriteFile(filepath.Join(*pageFolder, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
