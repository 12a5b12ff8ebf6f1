// Command charts draws the results of bench/run.py: for each group of rows the speed of
// Gaze relative to its peers, and for scaling the cost with a fitted exponent.
//
//	charts RESULTS
//
// RESULTS is the folder with bench.json. The charts are written there as bench-NAME.png.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/pkg/plots"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "charts:", err)
		os.Exit(1)
	}
}

// results has the fields that are read from bench.json.
type results struct {
	Peers map[string]string `json:"peers"` // titles
	Rows  []row             `json:"rows"`
}

// row is one row: the same work for several peers.
type row struct {
	Group string            `json:"group"`
	Name  string            `json:"name"`
	Unit  string            `json:"unit"`
	Items float64           `json:"items"`
	Axis  string            `json:"axis"` // for rows of scaling
	X     float64           `json:"x"`
	Peers map[string]figure `json:"peers"`
}

// figure is the result of one peer.
type figure struct {
	Seconds []float64 `json:"seconds"` // of one repetition, by round; empty if the peer can't do the row
}

// median returns the median of the rounds, 0 if there are none.
func (f figure) median() float64 {
	s := slices.Sorted(slices.Values(f.Seconds))
	if len(s) == 0 {
		return 0
	}
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("give the folder of bench.json")
	}
	text, err := os.ReadFile(filepath.Join(args[0], "bench.json"))
	if err != nil {
		return err
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("bench.json: %w", err)
	}
	for name, f := range r.figures() {
		png, err := plots.PNG(f, 2)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(args[0], "bench-"+name+".png"), png, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r results) figures() map[string]plots.Figure {
	groups, axes := map[string][]row{}, map[string][]row{}
	for _, row := range r.Rows {
		if row.Axis != "" {
			axes[row.Axis] = append(axes[row.Axis], row)
		} else {
			groups[row.Group] = append(groups[row.Group], row)
		}
	}
	figures := map[string]plots.Figure{}
	for name, rows := range groups {
		if f, ok := r.ratios(name, rows); ok {
			figures[name] = f
		}
	}
	for name, rows := range axes {
		if f, ok := r.growth(name, rows); ok {
			figures["scaling-"+name] = f
		}
	}
	return figures
}

// present returns the names of the peers that have a figure in some row, by place.
func (r results) present(rows []row) []string {
	found := map[string]bool{}
	for _, row := range rows {
		for name, f := range row.Peers {
			if f.median() > 0 {
				found[name] = true
			}
		}
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
	})
	return names
}

// places has the peers of most rows, in the order of charts and of their colours.
var places = []string{"gaze", "jax", "onnxruntime", "torch", "torch-mkl", "torch-compile", "gaze-go"}

// place returns a peer's index in a chart. Peers of few rows come after the others.
func place(peer string) int {
	if i := slices.Index(places, strings.TrimSuffix(peer, "-gpu")); i >= 0 {
		return i
	}
	return len(places)
}

// colors returns the colours of peers. Peers of most rows have the same colour in all
// charts.
func colors(names []string) map[string]color.Color {
	colors, next := map[string]color.Color{}, 1
	for _, name := range names {
		if i := place(name); i < len(places) {
			colors[name] = plots.Palette[i%len(plots.Palette)]
		} else {
			colors[name] = plots.Palette[next%len(plots.Palette)]
			next++
		}
	}
	return colors
}
