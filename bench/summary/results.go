package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A run is what bench.json holds of a processor.
type run struct {
	Machine struct {
		Date      string  `json:"date"`
		Processor string  `json:"processor"`
		Name      string  `json:"name"` // with its microarchitecture and vectors
		ISA       string  `json:"isa"`  // that the peers were held to; "" for the processor's own
		Cores     int     `json:"cores"`
		Peak      float64 `json:"peak_gflops"`
	} `json:"machine"`
	Quick bool              `json:"quick"`
	Rows  []row             `json:"rows"`
	Peers map[string]string `json:"peers"`

	folder string
}

// A row is the same work for several peers.
type row struct {
	Group string          `json:"group"`
	Name  string          `json:"name"`
	Unit  string          `json:"unit"`
	Date  string          `json:"date"`
	Peers map[string]peer `json:"peers"`
	Task  struct {
		Model *vit `json:"model"`
	} `json:"task"`
}

type peer struct {
	Seconds []float64 `json:"seconds"`
	Rate    float64   `json:"rate"` // 0 for work that is done once
	Left    float64   `json:"left"` // of the rate, beside a busy process; 0 if that wasn't measured
	Memory  float64   `json:"peak_mib"`
	Error   string    `json:"error"`
}

type vit struct {
	Dim     float64 `json:"dim"`
	Depth   float64 `json:"depth"`
	Size    float64 `json:"size"`
	Patch   float64 `json:"patch"`
	Classes float64 `json:"classes"`
}

// operations are those of a picture's matrix products in a forward pass, as in rows.py.
func (m vit) operations() float64 {
	patches := (m.Size / m.Patch) * (m.Size / m.Patch)
	tokens := patches + 1
	layer := 2*tokens*12*m.Dim*m.Dim + 4*tokens*tokens*m.Dim
	return m.Depth*layer + 2*patches*m.Dim*3*m.Patch*m.Patch + 2*m.Dim*m.Classes
}

// readRuns reads all processors' results, the newest first.
func readRuns(results string) ([]run, error) {
	paths, err := filepath.Glob(filepath.Join(results, "*", "bench.json"))
	if err != nil {
		return nil, err
	}
	var all []run
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		r := run{folder: filepath.Base(filepath.Dir(path))}
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if r.Quick {
			return nil, fmt.Errorf("%s holds a quick run, which compares nothing: measure again without QUICK=1", path)
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b run) int { return strings.Compare(b.date(), a.date()) })
	return all, nil
}

// date is the day of the newest row.
func (r run) date() string {
	newest := r.Machine.Date
	for _, row := range r.Rows {
		newest = max(newest, row.Date)
	}
	return newest[:min(len(newest), len("2006-01-02"))]
}

// title names the processor.
func (r run) title() string {
	name := r.Machine.Name
	if name == "" {
		name = r.Machine.Processor
	}
	if r.Machine.ISA != "" {
		name += ", held to " + strings.ToUpper(r.Machine.ISA)
	}
	return name
}

// groups are the groups of rows in their order. Those of a notebook have their own tables.
func (r run) groups() []string {
	var all []string
	for _, row := range r.Rows {
		if row.Group != "notebook" && !slices.Contains(all, row.Group) {
			all = append(all, row.Group)
		}
	}
	return all
}

// of are a group's rows that Gaze can do.
func (r run) of(group string) []row {
	var all []row
	for _, row := range r.Rows {
		if _, ok := row.gaze(); row.Group == group && ok {
			all = append(all, row)
		}
	}
	return all
}

// gaze is Gaze's figure on the default backend.
func (r row) gaze() (peer, bool) {
	for _, name := range []string{"gaze", "gaze-gpu"} {
		if p, ok := r.Peers[name]; ok && p.Error == "" {
			return p, p.figure() > 0
		}
	}
	return peer{}, false
}

// others are the peers that did the row, without Gaze's own.
func (r row) others() map[string]peer {
	all := map[string]peer{}
	for name, p := range r.Peers {
		if !strings.HasPrefix(name, "gaze") && !strings.HasSuffix(name, "-loaded") && p.Error == "" && p.figure() > 0 {
			all[name] = p
		}
	}
	return all
}

// figure is a rate, beside a busy process where that was measured, or the median seconds of
// work that is done once.
func (p peer) figure() float64 {
	if p.Left > 0 {
		return p.Rate * p.Left
	}
	if p.Rate > 0 || len(p.Seconds) == 0 {
		return p.Rate
	}
	s := slices.Sorted(slices.Values(p.Seconds))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// speed is Gaze's speed relative to a peer.
func (r row) speed(other peer) float64 {
	g, _ := r.gaze()
	if r.Unit == "s" {
		return other.figure() / g.figure()
	}
	return g.figure() / other.figure()
}

// toBest is Gaze's speed relative to the fastest peer; false if no other does the row.
func (r row) toBest() (float64, bool) {
	least, found := 0.0, false
	for _, p := range r.others() {
		if s := r.speed(p); !found || s < least {
			least, found = s, true
		}
	}
	return least, found
}

// toTorch is Gaze's speed relative to torch eager as it is installed.
func (r row) toTorch() (float64, bool) {
	p, ok := r.others()["torch"]
	if !ok {
		return 0, false
	}
	return r.speed(p), true
}

// memory is Gaze's peak memory relative to the peer that needs the least.
func (r row) memory() (float64, bool) {
	g, _ := r.gaze()
	least := 0.0
	for _, p := range r.others() {
		if p.Memory > 0 && (least == 0 || p.Memory < least) {
			least = p.Memory
		}
	}
	if least == 0 || g.Memory == 0 {
		return 0, false
	}
	return g.Memory / least, true
}
