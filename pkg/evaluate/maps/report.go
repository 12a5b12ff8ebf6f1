package maps

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"gaze/internal/atomicfile"
	"gaze/pkg/evaluate"
)

// Report is how well a model's maps show what is known of a set of pictures.
type Report struct {
	Model     string   `json:"model"`
	Pipeline  string   `json:"pipeline"`
	Set       string   `json:"set"`
	Of        int      `json:"of"`                  // pictures of the set, scored or not
	Grid      [2]int   `json:"grid"`                // rows and columns of a map
	Tolerance float64  `json:"tolerance,omitempty"` // of the pointing game, in pixels
	Seed      uint64   `json:"seed"`                // of the bootstrap
	Resamples int      `json:"resamples"`
	Bad       []string `json:"bad,omitempty"` // pictures that couldn't be used
	Parts     []*Part  `json:"parts"`         // Pet, Head, or both
}

// Part is the scores against one kind of truth. Intervals are over pictures, stratified
// by class; the resamples are the same for all rows.
type Part struct {
	Truth    string            `json:"truth"`    // [Pet] or [Head]
	Pictures int               `json:"pictures"` // scored
	Classes  int               `json:"classes"`  // of these pictures
	Outside  int               `json:"outside"`  // pictures not scored: the truth is outside the part that the model sees, or all of it
	Area     evaluate.Interval `json:"area"`     // the truth's share of the counted pixels
	Rows     []Row             `json:"rows"`     // Uniform, Gaussian, Itself, perhaps Evenly, then the model's maps

	// OverEvenly is the energy of the last layer's mean of heads minus that of Evenly, in
	// the part about the head: above 0, attention prefers the head to the rest of the
	// pet. nil where there is no such row.
	OverEvenly *evaluate.Interval `json:"over_evenly,omitempty"`

	Names  []string                        `json:"names"`  // of the pictures
	Strata []string                        `json:"strata"` // their classes, in the same order
	Kept   map[string]map[Metric][]float64 `json:"kept"`   // scores of each picture, of some rows
}

// Row is the scores of one map, means over pictures.
type Row struct {
	ID
	Pointing evaluate.Interval `json:"pointing"`
	Energy   evaluate.Interval `json:"energy"`
	Over     evaluate.Interval `json:"over_area"`
	IoU      evaluate.Interval `json:"iou"`
	// IoUFixed is at the share Share of the pixels, the best on other pictures; nil and 0
	// if there are none.
	IoUFixed *evaluate.Interval `json:"iou_fixed,omitempty"`
	Share    float64            `json:"share,omitempty"`
	AtShares []float64          `json:"at_shares"` // mean IoU at each of TopShares
}

// Interval is the row's interval of a metric; false for IoUFixed where it wasn't
// measured, and for an unknown name.
func (r Row) Interval(m Metric) (evaluate.Interval, bool) {
	switch m {
	case Pointing:
		return r.Pointing, true
	case Energy:
		return r.Energy, true
	case Over:
		return r.Over, true
	case IoU:
		return r.IoU, true
	case IoUFixed:
		if r.IoUFixed != nil {
			return *r.IoUFixed, true
		}
	}
	return evaluate.Interval{}, false
}

// BestShare is the share among [TopShares] with the highest mean IoU.
func (r Row) BestShare() (index int) {
	for i, v := range r.AtShares {
		if v > r.AtShares[index] {
			index = i
		}
	}
	return index
}

// part computes a part's means and intervals.
func (c *collected) part(truth string, ids []ID, o Options) *Part {
	p := &Part{Truth: truth, Pictures: len(c.names), Outside: c.outside, Names: c.names, Strata: c.strata, Kept: map[string]map[Metric][]float64{}}
	classes := slices.Sorted(slices.Values(c.strata))
	p.Classes = len(slices.Compact(classes))
	var chosen *Part
	if o.Chosen != nil {
		chosen = o.Chosen.Part(truth)
	}
	p.Rows = make([]Row, len(ids))
	fixed := make([]int, len(ids))
	for k, id := range ids {
		p.Rows[k].ID, fixed[k] = id, -1
		if chosen != nil {
			if r := chosen.Row(id.Name); r != nil && len(r.AtShares) == len(TopShares) {
				fixed[k] = r.BestShare()
				p.Rows[k].Share = TopShares[fixed[k]]
			}
		}
		p.Rows[k].AtShares = c.meanShares(k)
	}
	intervals := bootstrap(c.values(fixed), Strata(c.strata), o.Resamples, o.Seed)
	p.Area = rounded(intervals[0])
	for k := range p.Rows {
		r, v := &p.Rows[k], intervals[1+5*k:]
		r.Pointing, r.Energy, r.Over, r.IoU = rounded(v[0]), rounded(v[1]), rounded(v[2]), rounded(v[3])
		if fixed[k] >= 0 {
			i := rounded(v[4])
			r.IoUFixed = &i
		}
	}
	p.keep(c, o.Keep)
	p.OverEvenly = p.overEvenly(c, o)
	return p
}

// values lists each picture's area and the scores of all rows, for the bootstrap.
func (c *collected) values(fixed []int) [][]float64 {
	out := make([][]float64, len(c.rows))
	for i, rows := range c.rows {
		out[i] = append(out[i], c.area[i])
		for k, s := range rows {
			at := 0.0
			if fixed[k] >= 0 {
				at = s.AtShares[fixed[k]]
			}
			out[i] = append(out[i], s.Pointing, s.Energy, s.Over, s.IoU, at)
		}
	}
	return out
}

// meanShares is a row's mean IoU at each of TopShares.
func (c *collected) meanShares(row int) []float64 {
	out := make([]float64, len(TopShares))
	for _, rows := range c.rows {
		for i, v := range rows[row].AtShares {
			out[i] += v / float64(len(c.rows))
		}
	}
	for i := range out {
		out[i] = round(out[i])
	}
	return out
}

// overEvenly computes OverEvenly.
func (p *Part) overEvenly(c *collected, o Options) *evaluate.Interval {
	last := p.Last()
	even := slices.IndexFunc(p.Rows, func(r Row) bool { return r.Name == Evenly })
	if last == nil || even < 0 {
		return nil
	}
	of := slices.IndexFunc(p.Rows, func(r Row) bool { return r.Name == last.Name })
	var values [][]float64
	for _, rows := range c.rows {
		values = append(values, []float64{rows[of].Energy - rows[even].Energy})
	}
	d := rounded(bootstrap(values, Strata(c.strata), o.Resamples, o.Seed)[0])
	return &d
}

// keep keeps the scores of each picture for some rows.
func (p *Part) keep(c *collected, names []string) {
	if names == nil {
		names = []string{Gaussian}
		if last := p.Last(); last != nil {
			names = append(names, last.Name)
		}
	}
	for k, r := range p.Rows {
		if !slices.Contains(names, r.Name) {
			continue
		}
		kept := map[Metric][]float64{}
		for _, rows := range c.rows {
			s := rows[k]
			kept[Pointing] = append(kept[Pointing], round(s.Pointing))
			kept[Energy] = append(kept[Energy], round(s.Energy))
			kept[IoU] = append(kept[IoU], round(s.IoU))
		}
		p.Kept[r.Name] = kept
	}
}

// round keeps four decimals, which is finer than any interval here.
func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func rounded(i evaluate.Interval) evaluate.Interval {
	return evaluate.Interval{Value: round(i.Value), Low: round(i.Low), High: round(i.High)}
}

// Part is the part for a kind of truth, [Pet] or [Head]; nil if there is none.
func (r *Report) Part(truth string) *Part {
	for _, p := range r.Parts {
		if p.Truth == truth {
			return p
		}
	}
	return nil
}

// Row is the row with a name; nil if there is none.
func (p *Part) Row(name string) *Row {
	for i := range p.Rows {
		if p.Rows[i].Name == name {
			return &p.Rows[i]
		}
	}
	return nil
}

// Means are the rows of means of heads, by layer.
func (p *Part) Means() []Row {
	var out []Row
	for _, r := range p.Rows {
		if r.Layer >= 0 && r.Head < 0 {
			out = append(out, r)
		}
	}
	return out
}

// Last is the mean of heads in the last layer; nil if no map is a mean of heads.
func (p *Part) Last() *Row {
	var last *Row
	for i, r := range p.Rows {
		if r.Layer >= 0 && r.Head < 0 && (last == nil || r.Layer > last.Layer) {
			last = &p.Rows[i]
		}
	}
	return last
}

// BestHead is the single head with the highest mean of a metric; nil if there is none.
// It was chosen on these pictures, so its score is a little too good.
func (p *Part) BestHead(m Metric) *Row {
	var best *Row
	top := math.Inf(-1)
	for i, r := range p.Rows {
		if v, ok := r.Interval(m); ok && r.Head >= 0 && v.Value > top {
			best, top = &p.Rows[i], v.Value
		}
	}
	return best
}

// Difference is the mean difference of a metric, row of p minus otherRow of other, on the
// pictures that both have, with its 95 % interval (paired bootstrap, stratified by
// class). Both rows must be among the kept ones. n is the number of pictures.
func (p *Part) Difference(row string, other *Part, otherRow string, m Metric, resamples int, seed uint64) (d evaluate.Interval, n int, err error) {
	a, b := p.Kept[row][m], other.Kept[otherRow][m]
	switch {
	case p.Truth != other.Truth:
		return d, 0, fmt.Errorf("maps: %s against %s: these are different questions", p.Truth, other.Truth)
	case len(a) != len(p.Names) || len(b) != len(other.Names) || len(a) == 0 || len(b) == 0:
		return d, 0, fmt.Errorf("maps: the %s of each picture isn't kept for %q and %q: name both in Options.Keep", m, row, otherRow)
	case resamples < 1:
		return d, 0, fmt.Errorf("maps: %d resamples", resamples)
	}
	at := map[string]int{}
	for i, name := range other.Names {
		at[name] = i
	}
	var values [][]float64
	var of []string
	for i, name := range p.Names {
		if j, ok := at[name]; ok {
			values, of = append(values, []float64{a[i] - b[j]}), append(of, p.Strata[i])
		}
	}
	if len(values) == 0 {
		return d, 0, errors.New("maps: the two reports have no picture in common")
	}
	return bootstrap(values, Strata(of), resamples, seed)[0], len(values), nil
}

// Brief is a copy without the scores of each picture.
func (r *Report) Brief() *Report {
	out := *r
	out.Parts = nil
	for _, p := range r.Parts {
		brief := *p
		brief.Names, brief.Strata, brief.Kept = nil, nil, nil
		out.Parts = append(out.Parts, &brief)
	}
	return &out
}

// WriteJSON writes the report to w. [Read] reads it.
func (r *Report) WriteJSON(w io.Writer) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("maps: %w", err)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// Save writes the report to a file.
func (r *Report) Save(path string) error { return atomicfile.Write(path, r.WriteJSON) }

// Read reads a report that WriteJSON wrote.
func Read(in io.Reader) (*Report, error) {
	r := &Report{}
	if err := json.NewDecoder(in).Decode(r); err != nil {
		return nil, fmt.Errorf("maps: it isn't a report: %w", err)
	}
	if len(r.Parts) == 0 {
		return nil, errors.New("maps: the report has no parts")
	}
	for _, p := range r.Parts {
		if p == nil || p.Pictures < 1 || len(p.Rows) < 3 {
			return nil, errors.New("maps: a part of the report has no pictures or rows")
		}
	}
	return r, nil
}
