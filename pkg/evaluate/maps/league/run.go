package league

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"

	"gaze/internal/parallel"
	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
)

// Version is part of what kept results are found by. It is raised when the maps of a method
// or the scores of a judge change.
const Version = "1"

// Bench is a judge with the number of pictures that it looks at.
type Bench struct {
	maps.Judge
	Pictures int    // the first ones; 0: all
	Version  string // of the judge: kept scores of another version aren't used
}

// Job is the maps and scores of one model.
type Job struct {
	Model     string // its name
	Digest    string // of its weights
	Explainer *explain.Explainer
	// Cases are in an order such that the first ones are spread evenly over strata, since
	// some judges look at those alone.
	Cases   []*maps.Case
	Entries []Entry
	Benches []Bench
	Work    string // folder in which results are kept; "": none are

	// What follows doesn't change the result.

	Workers  int                   // goroutines; 0: one for each processor
	Progress func(done, total int) // of picture blocks and judges; may be nil
	// Failed is told of pictures that an entry has no map of; may be nil.
	Failed func(entry string, c *maps.Case, err error)
	Timing func(what string, seconds float64) // how long each step took; may be nil
}

// block is how many pictures are explained and judged together. What XLA computes may
// depend on it in the last bit, so it is the same for everyone.
const block = 16

// Scores is what the judges said of one model.
type Scores struct {
	Model string
	Parts []ScoresPart // one for each bench
}

// ScoresPart is the scores of one judge.
type ScoresPart struct {
	Columns []maps.Column
	Cases   []*maps.Case
	Values  [][][]float64 // [cases][entries][columns]; NaN: doesn't apply
}

// Run makes the maps of all entries on all pictures and has them judged. What is in the work
// folder isn't computed again. The result doesn't depend on the number of workers.
func (j Job) Run(ctx context.Context) (*Scores, error) {
	r, err := j.prepare()
	if err != nil {
		return nil, err
	}
	if err := parallel.Each(ctx, len(r.blocks), j.Workers, func(i int) error { return r.block(ctx, i) }); err != nil {
		return nil, fmt.Errorf("league: %s: %w", j.Model, err)
	}
	return r.scores(), nil
}

// running is a job under way.
type running struct {
	Job
	blocks [][]*maps.Case
	keys   []string // of the blocks
	first  []int    // of each block, the number of its first picture
	maps   *store
	judged []*store // of each bench
	scopes []string // of maps, then of each bench

	mu   sync.Mutex
	done int
}

func (j Job) prepare() (*running, error) {
	if len(j.Cases) == 0 || len(j.Entries) == 0 {
		return nil, fmt.Errorf("league: %s: %d pictures and %d entries: there must be one of each at least", j.Model, len(j.Cases), len(j.Entries))
	}
	if err := checkEntries(j.Entries); err != nil {
		return nil, err
	}
	if j.Work != "" {
		if err := os.MkdirAll(j.Work, 0o755); err != nil {
			return nil, err
		}
	}
	r := &running{Job: j}
	r.blocks, r.keys = blocksOf(j.Cases, block)
	for i := range r.blocks {
		r.first = append(r.first, i*block)
	}
	var err error
	r.scopes = []string{fmt.Sprintf("maps %s %s", Version, j.Digest)}
	if r.maps, err = openStore(j.Work, "maps", r.scopes[0]); err != nil {
		return nil, err
	}
	for _, b := range j.Benches {
		var columns []string
		for _, c := range b.Columns() {
			columns = append(columns, c.Key)
		}
		scope := fmt.Sprintf("scores %s %s %s %s", Version, j.Digest, b.Version, strings.Join(columns, " "))
		s, err := openStore(j.Work, "scores", scope)
		if err != nil {
			return nil, err
		}
		r.scopes, r.judged = append(r.scopes, scope), append(r.judged, s)
	}
	return r, nil
}

// makes reports whether an entry makes maps of a block.
func (r *running) makes(entry, i int) bool {
	most := r.Entries[entry].Pictures
	return most <= 0 || r.first[i] < most
}

// looked is how many pictures of a block a bench looks at.
func (r *running) looked(i, bench int) int {
	n, most := len(r.blocks[i]), r.Benches[bench].Pictures
	if most <= 0 {
		return n
	}
	return min(n, max(0, most-r.first[i]))
}

// keyOf names the part of a block that a bench looks at.
func (r *running) keyOf(i, looked int) string {
	if looked == len(r.blocks[i]) {
		return r.keys[i]
	}
	return fmt.Sprintf("%s first %d", r.keys[i], looked)
}

// block makes the maps of a block and has them judged, as far as that isn't kept.
func (r *running) block(ctx context.Context, i int) error {
	var all [][]explain.Map // [cases][entries], made when they are needed
	for k := range r.Benches {
		n := r.looked(i, k)
		key := r.keyOf(i, n)
		var missing []int
		for e, entry := range r.Entries {
			if _, ok := r.judged[k].get(key, entry.key()); !ok && r.makes(e, i) {
				missing = append(missing, e)
			}
		}
		if n > 0 && len(missing) > 0 {
			if all == nil {
				var err error
				if all, err = r.allMaps(ctx, i); err != nil {
					return err
				}
			}
			if err := r.judge(ctx, i, k, n, missing, all); err != nil {
				return err
			}
		}
		r.tell()
	}
	return ctx.Err()
}

func (r *running) tell() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.Progress != nil {
		r.Progress(r.done, len(r.blocks)*len(r.Benches))
	}
}

// allMaps are the maps of all entries on a block, [cases][entries].
func (r *running) allMaps(ctx context.Context, i int) ([][]explain.Map, error) {
	cases := r.blocks[i]
	out := make([][]explain.Map, len(cases))
	for c := range out {
		out[c] = make([]explain.Map, len(r.Entries))
	}
	var made []string
	var values [][]float64
	for e, entry := range r.Entries {
		if !r.makes(e, i) {
			continue
		}
		if kept, ok := r.maps.get(r.keys[i], entry.key()); ok {
			if unpackMaps(kept, out, e) {
				continue
			}
		}
		done := r.clock("maps of " + entry.Name)
		m, err := r.make(ctx, entry, cases)
		done()
		if err != nil {
			return nil, fmt.Errorf("%s, pictures %d to %d: %w", entry.Name, r.first[i], r.first[i]+len(cases)-1, err)
		}
		for c := range m {
			out[c][e] = m[c]
		}
		made, values = append(made, entry.key()), append(values, packMaps(m))
	}
	if len(made) == 0 {
		return out, nil
	}
	return out, r.maps.put(r.scopes[0], r.keys[i], made, values)
}

// make makes an entry's maps. A picture that the method has no map of, such as one whose
// gradient is zero everywhere, gets a constant, which says nothing; if it has none of the whole
// block, that is an error.
func (r *running) make(ctx context.Context, entry Entry, cases []*maps.Case) ([]explain.Map, error) {
	m, err := entry.Make(ctx, r.Explainer, cases)
	if err == nil && len(m) != len(cases) {
		return nil, fmt.Errorf("%d maps of %d pictures", len(m), len(cases))
	}
	if err == nil || ctx.Err() != nil {
		return m, err
	}
	m = make([]explain.Map, len(cases))
	var good *explain.Map
	failed := map[int]error{}
	for i, c := range cases {
		one, err := entry.Make(ctx, r.Explainer, []*maps.Case{c})
		if err != nil || len(one) != 1 {
			failed[i] = err
			continue
		}
		m[i], good = one[0], &one[0]
	}
	if good == nil {
		return nil, err
	}
	for i, err := range failed {
		m[i] = explain.Map{Rows: good.Rows, Cols: good.Cols, Values: constantMap(good.Rows * good.Cols)}
		if r.Failed != nil {
			r.mu.Lock()
			r.Failed(entry.Name, cases[i], err)
			r.mu.Unlock()
		}
	}
	return m, nil
}

// packMaps writes maps of one size as numbers: rows, columns, then their values.
func packMaps(m []explain.Map) []float64 {
	out := []float64{float64(m[0].Rows), float64(m[0].Cols)}
	for _, x := range m {
		for _, v := range x.Values {
			out = append(out, float64(v))
		}
	}
	return out
}

// unpackMaps reads the maps of entry e; false if they don't fit.
func unpackMaps(kept []float64, out [][]explain.Map, e int) bool {
	if len(kept) < 2 {
		return false
	}
	rows, cols, n := int(kept[0]), int(kept[1]), int(kept[0]*kept[1])
	if n <= 0 || len(kept) != 2+n*len(out) {
		return false
	}
	for c := range out {
		values := make([]float32, n)
		for k := range values {
			values[k] = float32(kept[2+c*n+k])
		}
		out[c][e] = explain.Map{Rows: rows, Cols: cols, Values: values}
	}
	return true
}

// judge has the first n pictures of block i judged by bench k, of the entries that are
// missing.
func (r *running) judge(ctx context.Context, i, k, n int, missing []int, all [][]explain.Map) error {
	b := r.Benches[k]
	columns := len(b.Columns())
	var entrants []*maps.Entrant
	var keys []string
	for _, e := range missing {
		entrants, keys = append(entrants, r.Entries[e].Entrant), append(keys, r.Entries[e].key())
	}
	made := make([][]explain.Map, n)
	for c := range made {
		for _, e := range missing {
			made[c] = append(made[c], all[c][e])
		}
	}
	done := r.clock("scores of " + b.Columns()[0].Key)
	got, err := b.Judge.Judge(ctx, r.Explainer, entrants, r.blocks[i][:n], made)
	done()
	if err != nil {
		return fmt.Errorf("%s: %w", b.Columns()[0].Name, err)
	}
	values := make([][]float64, len(missing))
	for c := range n {
		if len(got) != n || len(got[c]) != len(missing) {
			return errors.New("a judge left out pictures or entrants")
		}
		for e, row := range got[c] {
			if len(row) != columns {
				return fmt.Errorf("%s: %d scores for %d columns", b.Columns()[0].Name, len(row), columns)
			}
			values[e] = append(values[e], row...)
		}
	}
	return r.judged[k].put(r.scopes[1+k], r.keyOf(i, n), keys, values)
}

// scores collects what is kept of all pictures.
func (r *running) scores() *Scores {
	out := &Scores{Model: r.Model}
	for k, b := range r.Benches {
		part := ScoresPart{Columns: b.Columns()}
		columns := len(part.Columns)
		for i, cases := range r.blocks {
			n := r.looked(i, k)
			for c := range n {
				rows := make([][]float64, len(r.Entries))
				for e, entry := range r.Entries {
					rows[e] = nans(columns)
					if entry.Pictures > 0 && r.first[i]+c >= entry.Pictures {
						continue
					}
					if kept, ok := r.judged[k].get(r.keyOf(i, n), entry.key()); ok && len(kept) == n*columns {
						copy(rows[e], kept[c*columns:])
					}
				}
				part.Cases, part.Values = append(part.Cases, cases[c]), append(part.Values, rows)
			}
		}
		out.Parts = append(out.Parts, part)
	}
	return out
}

func nans(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}
