package league

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"

	"gaze/internal/atomicfile"
	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
)

// Record is what a league found, as a file has it.
type Record struct {
	Format    int               `json:"format"`
	Parts     []*Part           `json:"parts"`
	Chosen    []Choice          `json:"chosen,omitempty"` // of every method with several settings
	Resamples int               `json:"resamples"`
	Seed      uint64            `json:"seed"`
	Level     float64           `json:"level"`    // of tests and, as 1-Level, of intervals
	Interest  float64           `json:"interest"` // the smallest difference of interest, as a share of a column's range
	Versions  map[string]string `json:"versions,omitempty"`
	Notes     []string          `json:"notes,omitempty"`
}

// format is that of the files that this package writes.
const format = 1

// Part is the league of some models on the same pictures.
type Part struct {
	Key      string   `json:"key"`   // such as "drawn"
	Title    string   `json:"title"` // as in figures
	Models   []string `json:"models"`
	Pictures int      `json:"pictures"`
	Right    []int    `json:"right"` // of each model, how many pictures it is right about
	Cases    []string `json:"cases"` // names of the pictures
	Rows     []Row    `json:"rows"`
	Columns  []Column `json:"columns"`
	// Standings are the methods' ranks by families, the best first.
	Standings []Standing `json:"standings"`
	// Diagrams are for the families and, under "", for all.
	Diagrams []Diagram `json:"diagrams"`
	// ModelRanks is each method's mean rank in each model, [models][rows]; 0: isn't ranked.
	ModelRanks [][]float64 `json:"model_ranks"`
}

// Row is a line of the league.
type Row struct {
	Name     string `json:"name"`
	Role     Role   `json:"role"`
	Method   string `json:"method,omitempty"`
	Title    string `json:"title,omitempty"`
	Cost     int    `json:"cost,omitempty"` // in forward passes
	Operator string `json:"operator,omitempty"`
	Settings string `json:"settings,omitempty"`
	Pictures int    `json:"pictures,omitempty"` // that it has maps of; 0: all
	// Failed is the number of pictures that it has no map of; there it is a constant.
	Failed int `json:"failed,omitempty"`
}

// Column is a metric with what it says of every row.
type Column struct {
	Key      string      `json:"key"`
	Name     string      `json:"name"`
	Family   maps.Family `json:"family"`
	Lower    bool        `json:"lower,omitempty"`
	Range    [2]float64  `json:"range"`
	Chance   *float64    `json:"chance,omitempty"`
	Operator string      `json:"operator,omitempty"`
	About    string      `json:"about,omitempty"`
	// Pictures is how many count in some model, Common on how many of them all rows are
	// ranked (costly methods have fewer maps), Wrong how many a model is wrong about, all
	// models together.
	Pictures int           `json:"pictures"`
	Common   int           `json:"common"`
	Wrong    int           `json:"wrong"`
	Gate     Gate          `json:"gate"`
	Friedman *FriedmanTest `json:"friedman,omitempty"`
	Cells    []*Cell       `json:"cells"` // of each row; nil: doesn't apply
	// Kept is the scores of the single pictures, if they are kept.
	Kept *Kept `json:"kept,omitempty"`
}

// Cell is what a column says of a row: on pictures that the models are right about, if
// nothing else is said.
type Cell struct {
	Value float64   `json:"v"` // the mean of the models' means
	Low   float64   `json:"l"`
	High  float64   `json:"h"`
	Model []float64 `json:"m,omitempty"`   // the mean of each model, if there are several
	Wrong *float64  `json:"w,omitempty"`   // the mean on pictures that the models are wrong about
	Rank  float64   `json:"r,omitempty"`   // mean of the ranks on single pictures; 0: isn't ranked
	Own   bool      `json:"own,omitempty"` // isn't ranked since it uses the column's operator itself
	// Gain is by how much it is better than the reference, with simultaneous intervals of all
	// methods (Holm); P is Wilcoxon's, corrected for all methods, too.
	Gain   *Gain   `json:"g,omitempty"`
	P      float64 `json:"p,omitempty"`
	Effect float64 `json:"e,omitempty"` // rank-biserial correlation with the reference
	Size   float64 `json:"d,omitempty"` // mean over standard deviation of the paired differences
}

// Standing is a method's place.
type Standing struct {
	Name string `json:"name"`
	// Families is the mean rank in the columns of each family that passed the gate, with the
	// numbers of columns. Rank is the mean over the families.
	Families map[maps.Family]float64 `json:"families"`
	Columns  map[maps.Family]int     `json:"columns"`
	Rank     float64                 `json:"rank"`
	Cost     int                     `json:"cost"`
}

// Diagram is a critical-difference diagram: mean ranks over blocks (strata of pictures),
// and groups of methods that can't be told apart.
type Diagram struct {
	Family   maps.Family   `json:"family,omitempty"`
	Friedman *FriedmanTest `json:"friedman,omitempty"`
	Names    []string      `json:"names"` // the best first
	Ranks    []float64     `json:"ranks"`
	Groups   [][2]int      `json:"groups"` // first and last of the names
}

// Choice is the settings that were chosen for a method on validation pictures.
type Choice struct {
	Method   string      `json:"method"`
	Chosen   string      `json:"chosen"`
	Tried    []Candidate `json:"tried"`
	Pictures int         `json:"pictures"`
	Columns  []string    `json:"columns"`

	Settings explain.Settings `json:"-"`
}

// Candidate is settings that were tried.
type Candidate struct {
	Settings string  `json:"settings"` // what differs from the defaults; "" if nothing does
	Rank     float64 `json:"rank"`
}

// Part returns a part by its key, nil if there is none.
func (r *Record) Part(key string) *Part {
	for _, p := range r.Parts {
		if p.Key == key {
			return p
		}
	}
	return nil
}

// Row returns the number of a row by its name, -1 if there is none.
func (p *Part) Row(name string) int {
	for i, r := range p.Rows {
		if r.Name == name {
			return i
		}
	}
	return -1
}

// Column returns a column by its key, nil if there is none.
func (p *Part) Column(key string) *Column {
	for i := range p.Columns {
		if p.Columns[i].Key == key {
			return &p.Columns[i]
		}
	}
	return nil
}

// MostBytes is the size that a record's file must not exceed.
const MostBytes = 2 << 20

// WriteJSON writes the record. It is an error if it is larger than [MostBytes].
func (r *Record) WriteJSON(w io.Writer) error {
	r.Format = format
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("league: the record: %w", err)
	}
	if len(text) > MostBytes {
		return fmt.Errorf("league: the record has %d bytes, more than %d: keep the scores of single pictures for fewer columns", len(text), MostBytes)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// Save writes the record to a file, which is whole or not there.
func (r *Record) Save(path string) error { return atomicfile.Write(path, r.WriteJSON) }

// ReadRecord reads a record.
func ReadRecord(text []byte) (*Record, error) {
	var r Record
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("league: it isn't a league's record: %w", err)
	}
	if r.Format != format {
		return nil, fmt.Errorf("league: the record has format %d, this program reads %d: make it again with 'make league'", r.Format, format)
	}
	for _, p := range r.Parts {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("league: the record's part %q: %w", p.Key, err)
		}
	}
	return &r, nil
}

// OpenRecord reads a record's file.
func OpenRecord(path string) (*Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := ReadRecord(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// check makes sure that tables and figures find what they look for.
func (p *Part) check() error {
	for _, c := range p.Columns {
		if len(c.Cells) != len(p.Rows) {
			return fmt.Errorf("column %q has %d cells for %d rows", c.Key, len(c.Cells), len(p.Rows))
		}
		if c.Kept != nil {
			if err := c.Kept.check(len(p.Cases), len(p.Rows)); err != nil {
				return fmt.Errorf("column %q: %w", c.Key, err)
			}
		}
	}
	for _, ranks := range p.ModelRanks {
		if len(ranks) != len(p.Rows) {
			return fmt.Errorf("%d ranks for %d rows", len(ranks), len(p.Rows))
		}
	}
	for _, d := range p.Diagrams {
		if len(d.Ranks) != len(d.Names) {
			return fmt.Errorf("a diagram with %d ranks of %d methods", len(d.Ranks), len(d.Names))
		}
		for _, g := range d.Groups {
			if g[0] < 0 || g[1] <= g[0] || g[1] >= len(d.Names) {
				return fmt.Errorf("a diagram with a group %v of %d methods", g, len(d.Names))
			}
		}
	}
	return nil
}

// Taus is Kendall's τ between the mean ranks in models, over the methods that both rank:
// the names of the models of all parts, and a matrix; NaN where they share fewer than three.
func (r *Record) Taus() (models []string, taus [][]float64) {
	type ranked struct {
		part  *Part
		ranks []float64
	}
	var all []ranked
	for _, p := range r.Parts {
		for m, ranks := range p.ModelRanks {
			models, all = append(models, p.Models[m]), append(all, ranked{p, ranks})
		}
	}
	for _, a := range all {
		var line []float64
		for _, b := range all {
			var x, y []float64
			for i, row := range a.part.Rows {
				if k := b.part.Row(row.Name); k >= 0 && a.ranks[i] > 0 && b.ranks[k] > 0 {
					x, y = append(x, a.ranks[i]), append(y, b.ranks[k])
				}
			}
			tau := math.NaN()
			if len(x) >= 3 {
				tau = Kendall(x, y)
			}
			line = append(line, tau)
		}
		taus = append(taus, line)
	}
	return models, taus
}
