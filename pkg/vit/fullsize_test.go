package vit

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// fullSize is the names and shapes of a published model, as tools/golden/vit_keys.py writes
// them.
type fullSize struct {
	Name, Layout                                           string
	Dim, Depth, Heads, MLP, Classes, Registers, Parameters int
	Patch, Grid                                            [2]int
	Tensors                                                [][2]json.RawMessage
}

func readFullSize(t *testing.T, path string) (m fullSize, names []string, shapes map[string][]int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(&m); err != nil {
		t.Fatal(err)
	}
	shapes = map[string][]int{}
	for _, tensor := range m.Tensors {
		var name string
		var shape []int
		if err := json.Unmarshal(tensor[0], &name); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(tensor[1], &shape); err != nil {
			t.Fatal(err)
		}
		names, shapes[name] = append(names, name), shape
	}
	return m, names, shapes
}

// TestFullSize finds layout and configuration of published models from the names and shapes of
// their tensors alone.
func TestFullSize(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "keys", "*.json.gz"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files of names: tools/golden/vit_keys.py makes more (%v)", len(files), err)
	}
	for _, path := range files {
		m, names, inFile := readFullSize(t, path)
		found := detect(names)
		shapes := shapesOf{}
		for ours, parts := range found.found {
			s := &nn.Stored{}
			for _, i := range sortedKeys(parts) {
				name := parts[i].name
				s.Parts = append(s.Parts, nn.Part{Tensor: &weights.Tensor{Name: name, Shape: inFile[name], DType: weights.Float32}, Order: parts[i].fix})
			}
			if shapes[ours], err = s.Shape(); err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
		}
		c, _, _, err := inferConfig(found.table, shapes, nil)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		found.unknown = nil // poolers and the like, which sortExtras passes over
		if err := found.check(c, shapes); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		got := fullSize{Name: m.Name, Layout: m.Layout, Dim: c.Dim, Depth: c.Depth, Heads: c.Heads, MLP: c.MLPDim, Classes: c.Classes,
			Registers: c.Registers, Patch: c.PatchSize, Grid: c.Grid(), Parameters: m.Parameters}
		want := m
		want.Tensors = nil
		if !equalFullSize(got, want) {
			t.Errorf("%s is read as %+v, want %+v", m.Name, got, want)
		}
		if strings.HasPrefix(m.Name, "timm_") && c.ParameterCount() != m.Parameters {
			t.Errorf("%s: %d parameters, timm counts %d", m.Name, c.ParameterCount(), m.Parameters)
		}
	}
}

func equalFullSize(a, b fullSize) bool {
	a.Tensors, b.Tensors = nil, nil
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// TestHybridNames are what published hybrids are called.
func TestHybridNames(t *testing.T) {
	for file, want := range map[string]string{
		"vit_tiny_r_s16_p8_224": "R+ViT-Ti/32", "vit_small_r26_s32_384": "R26+ViT-S/32", "vit_base_r26_s32_224": "R26+ViT-B/32",
		"vit_base_r50_s16_384": "R50+ViT-B/16", "vit_large_r50_s32_224": "R50+ViT-L/32",
	} {
		_, names, inFile := readFullSize(t, filepath.Join("testdata", "keys", "timm_"+file+".json.gz"))
		shapes := shapesOf{}
		found := detect(names)
		for ours, parts := range found.found {
			shapes[ours] = inFile[parts[0].name]
		}
		c, _, _, err := inferConfig(found.table, shapes, nil)
		if err != nil || c.Architecture() != want {
			t.Errorf("%s is %s, want %s (%v)", file, c.Architecture(), want, err)
		}
	}
}
