package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/evaluate"
	"gaze/pkg/evaluate/maps"
)

// TestRecordedMaps: what ships can be read, shown and discussed, and is small.
func TestRecordedMaps(t *testing.T) {
	reports, err := RecordedMaps()
	if err != nil {
		t.Fatal(err)
	}
	if len(mapsRecord) > 300_000 {
		t.Errorf("the record has %d bytes", len(mapsRecord))
	}
	if len(reports) < 2 || !strings.Contains(reports[0].Set, "val") || reports[0].Part(maps.Pet) == nil || reports[1].Part(maps.Head) == nil {
		t.Fatalf("%d reports", len(reports))
	}
	for _, r := range reports {
		for _, p := range r.Parts {
			if text := r.Table(p.Truth).String(); !strings.Contains(text, r.Model) {
				t.Errorf("%s", text)
			}
			if _, err := r.Figure(p.Truth, maps.Energy); err != nil {
				t.Error(err)
			}
		}
	}
	text := DiscussMaps(reports...)
	for _, want := range []string{reports[0].Model, "the box around the head", "The report's reading"} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q: %s", want, text)
		}
	}
}

// TestDiscussMaps: what is said follows the numbers, whichever they are.
func TestDiscussMaps(t *testing.T) {
	of := func(truth string, over, low, high, gauss float64) string {
		interval := func(v float64) evaluate.Interval { return evaluate.Interval{Value: v, Low: v - 0.01, High: v + 0.01} }
		part := &maps.Part{Truth: truth, Pictures: 9, Classes: 2, Area: interval(0.2), Rows: []maps.Row{
			{ID: maps.ID{Name: maps.Gaussian, Layer: -1, Head: -1}, Energy: interval(gauss), Pointing: interval(0.5)},
			{ID: maps.ID{Name: "layer 0, mean of heads", Layer: 0, Head: -1}, Energy: interval(0.2 + over), Over: evaluate.Interval{Value: over, Low: low, High: high}},
		}}
		return DiscussMaps(&maps.Report{Model: "a model", Set: "a set", Parts: []*maps.Part{part}})
	}
	for _, c := range []struct {
		text  string
		says  []string
		never string
	}{
		{of(maps.Head, 0.1, 0.05, 0.15, 0.2), []string{"+10.0 points (+5.0 to +15.0)", "areas around the faces are more important, **holds", "tells more than"}, "doesn't"},
		{of(maps.Head, -0.1, -0.15, -0.05, 0.2), []string{"-10.0 points", "less than an even map", "**doesn't hold for this model; the opposite does**", "tells less than"}, "**holds"},
		{of(maps.Head, 0.01, -0.01, 0.03, 0.2), []string{"can't be told", "**isn't shown for this model**", "tells no more than"}, "**holds"},
		{of(maps.Pet, 0.1, 0.05, 0.15, 0.5), []string{"looks at the animal, **holds", "tells less than"}, "faces"},
	} {
		for _, want := range c.says {
			if !strings.Contains(c.text, want) {
				t.Errorf("it doesn't say %q: %s", want, c.text)
			}
		}
		if strings.Contains(c.text, c.never) {
			t.Errorf("it says %q: %s", c.never, c.text)
		}
	}
	even := &maps.Part{Truth: maps.Head, Pictures: 9, Classes: 2, Rows: []maps.Row{
		{ID: maps.ID{Name: maps.Gaussian, Layer: -1, Head: -1}}, {ID: maps.ID{Name: maps.Evenly, Layer: -1, Head: -1}}, {ID: maps.ID{Name: "layer 0, mean of heads", Layer: 0, Head: -1}},
	}}
	for want, d := range map[string]evaluate.Interval{
		"prefers the head to the rest": {Value: 0.1, Low: 0.05, High: 0.15}, "doesn't prefer the head": {Value: -0.1, Low: -0.15, High: -0.05}, "can't be told": {Value: 0, Low: -0.1, High: 0.1},
	} {
		even.OverEvenly = &d
		if text := DiscussMaps(&maps.Report{Parts: []*maps.Part{even}}); !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q: %s", want, text)
		}
	}
	if DiscussMaps() == "" || DiscussMaps(&maps.Report{}) == "" {
		t.Error("without scores the text is empty")
	}
}

// TestFindTruth: the set that GAZE_PETS names, that beside the clone, or none.
func TestFindTruth(t *testing.T) {
	root := files(t, "shared/data/pets/val/0_1.jpg", "clone/go.mod", "photos/a.jpg")
	set := filepath.Join(root, "shared", "data", "pets")
	clone := filepath.Join(root, "clone")
	t.Setenv(EnvPets, "")
	if truth, err := FindTruth(clone); truth != nil || err != nil {
		t.Errorf("without an index: %v, %v", truth, err)
	}
	index := "file,split,cls,width,height,xmin,ymin,xmax,ymax\n0_1.jpg,val,0,9,9,1,1,3,3\n"
	if err := os.WriteFile(filepath.Join(set, "index.csv"), []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	if truth, err := FindTruth(clone); err != nil || truth == nil || truth.Folder != filepath.Join(clone, "..", "shared", "data", "pets") {
		t.Errorf("beside the clone: %v, %v", truth, err)
	}
	if truth, err := FindTruth(""); truth != nil || err != nil {
		t.Errorf("without a clone: %v, %v", truth, err)
	}
	for value, want := range map[string]bool{filepath.Join(root, "photos"): false, set: true} {
		t.Setenv(EnvPets, value)
		if truth, err := FindTruth(clone); err != nil || (truth != nil) != want {
			t.Errorf("%s: %v, %v", value, truth, err)
		}
	}
	t.Setenv(EnvPets, filepath.Join(root, "none"))
	if _, err := FindTruth(clone); err == nil {
		t.Error("a folder that isn't there")
	}
	t.Setenv(EnvPets, set)
	if err := os.WriteFile(filepath.Join(set, "index.csv"), []byte("file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := FindTruth(clone); err == nil || !strings.Contains(err.Error(), "index.csv:1") {
		t.Errorf("a damaged index: %v", err)
	}
	layers := &maps.Part{Truth: maps.Pet, Pictures: 9, Classes: 2, Rows: []maps.Row{
		{ID: maps.ID{Name: maps.Gaussian, Layer: -1, Head: -1}},
		{ID: maps.ID{Name: "layer 0, mean of heads", Layer: 0, Head: -1}, Energy: evaluate.Interval{Value: 0.7, Low: 0.6, High: 0.8}},
		{ID: maps.ID{Name: "layer 1, mean of heads", Layer: 1, Head: -1}, Energy: evaluate.Interval{Value: 0.3, Low: 0.2, High: 0.4}},
	}}
	for high, want := range map[float64]bool{0.4: true, 0.65: false} {
		layers.Rows[2].Energy.High = high
		if text := DiscussMaps(&maps.Report{Parts: []*maps.Part{layers}}); strings.Contains(text, "layer 0's lies there most") != want {
			t.Errorf("with %g: %s", high, text)
		}
	}
}
