package notebook

import (
	"html"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gaze/internal/widgets/wire"
	"gaze/pkg/data/pets"
	"gaze/pkg/hub"
	"gaze/pkg/vit"
)

// drawnPhotograph is a file with a drawn pet.
func drawnPhotograph(t *testing.T, name string) string {
	t.Helper()
	s, err := pets.Draw(1, 3, 0, 96, pets.Natural)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, s.Image); err != nil {
		t.Fatal(err)
	}
	return path
}

// known opens a model that ships.
func knownModel(t *testing.T, name string) *Weights {
	t.Helper()
	w, err := openKnown(name)
	if err != nil {
		t.Skip(err)
	}
	return w
}

// TestExplore checks what an explorer has for a model with a head: attention, the maps of
// every cheap method for the likeliest classes, and answers for the others.
func TestExplore(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles every cheap method's program")
	}
	w := knownModel(t, hub.Pets37ViT)
	x, err := newExploring(w, []string{drawnPhotograph(t, "a pet.png")})
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	all, err := x.pictures()
	if err != nil {
		t.Fatal(err)
	}
	p := all[0]
	if p.Name != "a pet.png" || len(p.Layers) != w.Config.Depth || len(p.Groups) != min(likeliest, x.classes()) || len(p.Tokens) != w.Config.Prefix() {
		t.Errorf("%q has %d layers, %d classes, tokens %q", p.Name, len(p.Layers), len(p.Groups), p.Tokens)
	}
	if x.classes() == 0 {
		return
	}
	l := x.live()
	controls := x.controls(l)
	for _, c := range controls {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
	answer := x.answer(l)
	values := wire.Start(controls)
	for _, asked := range []struct {
		class float64
		want  string
	}{{0, `"key":""`}, {2, `"group":{"name":"` + l.Groups[1]}} {
		values[2] = asked.class
		got, err := answer(values)
		text := html.UnescapeString(string(got.(HTML)))
		if err != nil || !strings.Contains(text, asked.want) || !regexp.MustCompile(`data-explorer="`+l.ID).MatchString(text) {
			t.Errorf("class %g: %v: %.300s", asked.class, err, text)
		}
	}
}

// TestExploreRefuses checks what can't be explored.
func TestExploreRefuses(t *testing.T) {
	w := &Weights{Model: &vit.Model{}}
	if _, err := newExploring(w, make([]string, mostExplored+1)); err == nil || !strings.Contains(err.Error(), "at most 6") {
		t.Errorf("seven photographs: %v", err)
	}
}
