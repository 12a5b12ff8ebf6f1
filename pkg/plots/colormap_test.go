package plots

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// TestColormapsLikeMatplotlib compares with matplotlib's colours for values at, near,
// below and above the boundaries of the 256 colours.
func TestColormapsLikeMatplotlib(t *testing.T) {
	data, err := os.ReadFile("testdata/colormaps.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Values []float64
		Maps   []struct {
			Name   string
			Colors []string
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Maps) != len(Colormaps()) {
		t.Fatalf("golden colours for %d maps, there are %d", len(golden.Maps), len(Colormaps()))
	}
	for _, g := range golden.Maps {
		m, err := ColormapByName(g.Name)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range golden.Values {
			c := m.At(v)
			if got := fmt.Sprintf("%02x%02x%02x", c.R, c.G, c.B); got != g.Colors[i] || c.A != 255 {
				t.Errorf("%s.At(%v) = %s, alpha %d; matplotlib has %s", g.Name, v, got, c.A, g.Colors[i])
			}
		}
	}
}

func TestColormapEdges(t *testing.T) {
	m := *Viridis
	m.Under, m.Over = badColor, white
	tests := []struct {
		v    float64
		want any
	}{
		{math.NaN(), m.Bad}, {math.Inf(1), m.Over}, {math.Inf(-1), m.Under},
		{math.Copysign(0, -1), m.Table[0]}, {1, m.Table[255]}, {math.Nextafter(1, 0), m.Table[255]}, {math.Nextafter(1, 2), m.Over},
	}
	for _, tt := range tests {
		if got := m.At(tt.v); got != tt.want {
			t.Errorf("At(%v) = %v, want %v", tt.v, got, tt.want)
		}
	}
	if r := Viridis.Reversed(); r.At(0) != Viridis.At(1) || r.At(1) != Viridis.At(0) || r.Name != "viridis_r" {
		t.Error("Reversed doesn't reverse the table")
	}
}

func TestColormapByName(t *testing.T) {
	for _, name := range []string{"viridis", "Viridis", "gray", "GREY", "RdBu"} {
		if _, err := ColormapByName(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := ColormapByName("rainbow"); err == nil {
		t.Error("no error for an unknown name")
	}
}
