package league

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// explainer is of a small model of random weights.
func explainer(t testing.TB, seed uint64) *explain.Explainer {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=16,depth=2,heads=2,patch=4,size=16")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 4
	m, err := vit.New(cfg, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := explain.NewExplainer(b, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// discs are pictures of a bright disc on noise, with its mask; every ninth is predicted wrong.
func discs(n int, model uint64) []*maps.Case {
	var out []*maps.Case
	for i := range n {
		r := rand.New(rand.NewPCG(9, uint64(i)))
		c := &maps.Case{Name: fmt.Sprint("p", i), Stratum: fmt.Sprint("s", i%3), Index: i, Class: i % 4, Right: uint64(i)%9 != model,
			Tensor: &transform.Tensor{Shape: [3]int{3, 16, 16}}, Pet: &data.Mask{Width: 16, Height: 16, Pix: make([]uint8, 256)}}
		y, x := r.Float64()*16, r.Float64()*16
		for k := range 3 * 256 {
			v := r.NormFloat64() * 0.3
			if math.Hypot(float64(k%256/16)-y, float64(k%16)-x) < 5 {
				v++
				c.Pet.Pix[k%256] = data.Inside
			}
			c.Tensor.Data = append(c.Tensor.Data, float32(v))
		}
		out = append(out, c)
	}
	return out
}

// counting guards what fakes count.
var counting sync.Mutex

// fake is a judge of a few columns.
type fake struct {
	calls *int // of maps judged
	score func(c *maps.Case, m explain.Map) []float64
	cols  []maps.Column
}

func (f fake) Columns() []maps.Column { return f.cols }

func (f fake) Judge(_ context.Context, _ *explain.Explainer, entrants []*maps.Entrant, cases []*maps.Case, all [][]explain.Map) ([][][]float64, error) {
	out := make([][][]float64, len(cases))
	for i, c := range cases {
		for e := range entrants {
			counting.Lock() // blocks are judged at the same time
			*f.calls++
			counting.Unlock()
			out[i] = append(out[i], f.score(c, all[i][e]))
		}
	}
	return out, nil
}

// areas scores energy and, as a column that says nothing, noise.
func areas(calls *int) fake {
	return fake{calls: calls, cols: []maps.Column{
		{Key: "energy", Name: "energy in mask", Family: maps.Localisation, Range: [2]float64{0, 1}},
		{Key: "outside", Name: "energy outside", Family: maps.Truth, Lower: true, Range: [2]float64{0, 1}, Operator: "mean"},
		{Key: "noise", Name: "noise", Family: maps.Faithfulness, Range: [2]float64{0, 1}},
		{Key: "sum", Name: "sum", Family: maps.Descriptive, Range: [2]float64{0, 1}},
	}, score: func(c *maps.Case, m explain.Map) []float64 {
		a, err := maps.NewAreas(c.Pet, m.Rows, m.Cols, 0)
		if err != nil {
			return nans(4)
		}
		s, err := a.Score(m.Values)
		if err != nil {
			panic(err)
		}
		noise := rand.New(rand.NewPCG(uint64(c.Index), math.Float64bits(m.Sum()))).Float64()
		return []float64{s.Energy, 1 - s.Energy, noise, m.Sum()}
	}}
}

// noisy is a method that sees the mask through noise.
func noisy(name string, noise float64) Entry {
	e := each(name, Competes, func(c *maps.Case, rows, cols int) ([]float32, error) {
		m, err := coverage(c, rows, cols, false)
		for i := range m {
			m[i] += float32(noise) * randomMap(uint64(len(name)), c.Index, len(m))[i]
		}
		return m, err
	})
	e.Competes = true
	return e
}

// entries are methods from bad to good; the last removes parts itself.
func entries() []Entry {
	out := []Entry{noisy(Reference, 3), noisy("good", 0.1), noisy("fair", 1), noisy("poor one", 6), noisy("removes", 0.5)}
	out[4].Operator = "mean"
	return append(append(out, Baselines()...), Invert(out[1]))
}

func scores(t testing.TB, model uint64, cases int, work string, workers int, calls *int) *Scores {
	t.Helper()
	s, err := Job{Model: fmt.Sprint("model ", model), Digest: fmt.Sprint(model), Explainer: explainer(t, model), Cases: discs(cases, model),
		Entries: entries(), Benches: []Bench{{Judge: areas(calls)}, {Judge: areasOf(calls, "few"), Pictures: 40}}, Work: work, Workers: workers}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// areasOf is the same judge with other keys.
func areasOf(calls *int, prefix string) fake {
	f := areas(calls)
	for i := range f.cols {
		f.cols[i].Key = prefix + " " + f.cols[i].Key
	}
	return f
}

func analysed(t testing.TB, workers int) *Part {
	t.Helper()
	calls := 0
	p, err := Analyse(context.Background(), entries(), []*Scores{scores(t, 1, 90, "", workers, &calls), scores(t, 2, 90, "", workers, &calls)},
		Options{Key: "drawn", Title: "discs", Resamples: 400, Workers: workers, Keep: []string{"energy"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAnalyse: what was put into the maps comes out of the league.
func TestAnalyse(t *testing.T) {
	p := analysed(t, 2)
	energy, outside, noise := p.Column("energy"), p.Column("outside"), p.Column("noise")
	good, fair, reference, removes := p.Row("good"), p.Row("fair"), p.Row(Reference), p.Row("removes")
	if p.Pictures != 90 || !reflect.DeepEqual(p.Right, []int{80, 80}) || energy.Wrong != 20 {
		t.Errorf("%d pictures, %v right, %d wrong", p.Pictures, p.Right, energy.Wrong)
	}
	c := energy.Cells
	if !(c[good].Rank < c[fair].Rank && c[fair].Rank < c[reference].Rank && c[good].Low > c[reference].High) || len(c[good].Model) != 2 || c[good].Wrong == nil {
		t.Errorf("%+v, %+v", c[good], c[reference])
	}
	if g := c[good].Gain; g == nil || g.Low <= 0 || c[good].P > 1e-6 || c[good].Effect < 0.8 || c[reference].Gain != nil {
		t.Errorf("%+v", c[good])
	}
	if g := outside.Cells[good].Gain; g == nil || g.Low <= 0 {
		t.Errorf("a column in which less is better: %+v", outside.Cells[good])
	}
	if !outside.Cells[removes].Own || outside.Cells[removes].Rank != 0 || energy.Cells[removes].Own || energy.Cells[removes].Rank == 0 {
		t.Errorf("a method's own operator: %+v", outside.Cells[removes])
	}
	if !energy.Gate.Passed || energy.Gate.CeilingName != "pet's mask" || energy.Gate.Constant == nil || energy.Gate.Inverted == nil {
		t.Errorf("%+v", energy.Gate)
	}
	if noise.Gate.Passed || !strings.Contains(noise.Gate.Why, "ceiling") || !strings.Contains(noise.Gate.Why, "halves") {
		t.Errorf("noise passes the gate: %+v", noise.Gate)
	}
	if few := p.Column("few energy"); few.Pictures >= energy.Pictures || few.Pictures < 36 {
		t.Errorf("%d of %d pictures", few.Pictures, energy.Pictures)
	}
	if s := p.Standings[0]; s.Name != "good" || s.Columns[maps.Truth] != 2 || s.Columns[maps.Faithfulness] != 0 || p.Best(0).Name != "good" {
		t.Errorf("%+v", s)
	}
	if d := p.Diagrams[0]; d.Names[0] != "good" || d.Friedman.P > 0.05 || len(d.Names) != 4 { // without the one that truth can't rank
		t.Errorf("%+v", d)
	}
	if p.ModelRanks[0][good] != 1 || p.ModelRanks[1][p.Row("random")] != 0 {
		t.Errorf("%v", p.ModelRanks)
	}
}

// TestSameForAnyWorkers: the record is the same, bit for bit, for one goroutine and several.
func TestSameForAnyWorkers(t *testing.T) {
	var texts [2]bytes.Buffer
	for i, workers := range []int{1, 3} {
		if err := (&Record{Parts: []*Part{analysed(t, workers)}}).WriteJSON(&texts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if texts[0].String() != texts[1].String() {
		t.Error("the number of workers changes the record")
	}
}

// TestResume: an interrupted run goes on, and one that is done isn't done again, but for what
// is new.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	calls, stopped := 0, errors.New("stopped")
	broken := areas(&calls)
	broken.score = func(c *maps.Case, m explain.Map) []float64 {
		if c.Index == 50 {
			panic(stopped)
		}
		return areas(&calls).score(c, m)
	}
	j := Job{Model: "m", Digest: "1", Explainer: explainer(t, 1), Cases: discs(60, 1), Entries: entries(), Benches: []Bench{{Judge: guarded{broken}}}, Work: dir, Workers: 1}
	if _, err := j.Run(context.Background()); !errors.Is(err, stopped) {
		t.Fatalf("%v", err)
	}
	first := calls
	j.Benches = []Bench{{Judge: areas(&calls)}}
	got, err := j.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	all := 60 * len(entries())
	if calls-first >= all || calls < all {
		t.Errorf("%d maps judged at first, then %d of %d", first, calls-first, all)
	}
	calls = 0
	j.Entries = append(j.Entries, noisy("new one", 2))
	if _, err = j.Run(context.Background()); err != nil || calls != 60 {
		t.Errorf("%d maps judged for a new entry, %v", calls, err)
	}
	j.Work, j.Entries = "", entries()
	want, err := j.Run(context.Background())
	if err != nil || !sameNumbers(got, want) {
		t.Errorf("the resumed run differs (%v)", err)
	}
}

// guarded turns a panic into an error.
type guarded struct{ fake }

func (g guarded) Judge(ctx context.Context, e *explain.Explainer, entrants []*maps.Entrant, cases []*maps.Case, all [][]explain.Map) (s [][][]float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = r.(error)
		}
	}()
	return g.fake.Judge(ctx, e, entrants, cases, all)
}

func sameNumbers(a, b *Scores) bool {
	for k, p := range a.Parts {
		for i, rows := range p.Values {
			for e, row := range rows {
				for c, v := range row {
					if w := b.Parts[k].Values[i][e][c]; v != w && !(math.IsNaN(v) && math.IsNaN(w)) {
						return false
					}
				}
			}
		}
	}
	return true
}

// TestFailedMaps: a picture that a method has no map of gets a constant, and is told of; a
// method that has none at all is an error.
func TestFailedMaps(t *testing.T) {
	bad := noisy("sometimes", 1)
	make := bad.Make
	bad.Make = func(ctx context.Context, e *explain.Explainer, cases []*maps.Case) ([]explain.Map, error) {
		for _, c := range cases {
			if c.Index%5 == 0 {
				return nil, errors.New("the gradient is zero")
			}
		}
		return make(ctx, e, cases)
	}
	calls, failed := 0, 0
	j := Job{Model: "m", Explainer: explainer(t, 1), Cases: discs(20, 1), Entries: []Entry{bad}, Benches: []Bench{{Judge: areas(&calls)}},
		Failed: func(entry string, c *maps.Case, err error) { failed++ }}
	if _, err := j.Run(context.Background()); err != nil || failed != 4 {
		t.Errorf("%d failed, %v", failed, err)
	}
	j.Cases = discs(1, 1)
	if _, err := j.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "gradient is zero") || !strings.Contains(err.Error(), "sometimes") {
		t.Errorf("%v", err)
	}
}

// TestBaselines: the maps of rows that don't compete.
func TestBaselines(t *testing.T) {
	e, cases := explainer(t, 1), discs(2, 1)
	for _, entry := range append(Baselines(), LeaveOut()) {
		m, err := entry.Make(context.Background(), e, cases)
		if err != nil || len(m) != 2 || m[0].Rows != 4 || len(m[0].Values) != 16 {
			t.Errorf("%s: %+v, %v", entry.Name, m, err)
		}
		again, err := entry.Make(context.Background(), e, cases[1:])
		if err != nil || entry.Name != "single tokens left out" && !reflect.DeepEqual(m[1], again[0]) {
			t.Errorf("%s depends on the other pictures (%v)", entry.Name, err)
		}
	}
	if got := inverted([]float32{1, 3, 0}, false); !reflect.DeepEqual(got, []float32{2, 0, 3}) {
		t.Errorf("%v", got)
	}
	if got := inverted([]float32{1, -3, 0}, true); !reflect.DeepEqual(got, []float32{-1, 3, 0}) {
		t.Errorf("%v", got)
	}
	step := &transform.Tensor{Shape: [3]int{1, 4, 4}, Data: []float32{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}}
	if got := edges(step, 2, 2); !reflect.DeepEqual(got, []float32{8, 8, 8, 8}) {
		t.Errorf("edges %v", got)
	}
}

// TestChoose: settings are chosen by rank, equal ones fall to the default.
func TestChoose(t *testing.T) {
	e, calls := explainer(t, 1), 0
	trials := []Entry{noisy("a #0", 2), noisy("a #1", 0.3), noisy("a #2", 5), noisy("b #0", 1), noisy("c #0", 4), noisy("c #1", 4)}
	j := Job{Model: "m", Explainer: e, Cases: discs(48, 9), Entries: trials, Benches: []Bench{{Judge: areas(&calls)}}}
	s, err := j.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Parts[0].Values { // noise has no say
		for k := range trials {
			s.Parts[0].Values[i][k][2] = math.NaN()
		}
	}
	choices, order, err := Choose(context.Background(), e.Config(), trials, s)
	if err != nil || order[0] != "a" || len(order) != 3 || len(choices) != 2 || choices[0].Method != "a" || choices[1].Method != "c" {
		t.Fatalf("%+v, %q, %v", choices, order, err)
	}
	if a := choices[0].Tried; !(a[1].Rank < a[0].Rank && a[0].Rank < a[2].Rank) {
		t.Errorf("%+v", a)
	}
	if c := choices[1].Tried; c[0].Rank != c[1].Rank {
		t.Errorf("equal settings get ranks %+v", c)
	}
}

// TestTrials: every row of the league is tried, with settings that suit the model, and not
// too many.
func TestTrials(t *testing.T) {
	cfg := explainer(t, 1).Config()
	tried := map[string]int{}
	for _, e := range Trials(cfg) {
		tried[cutTrial(e.Name)]++
	}
	for _, e := range Methods(cfg, Chosen([]Choice{{Method: "rollout", Settings: explain.Settings{Discard: 0.5}}})) {
		if n := tried[e.Name]; n < 1 || n > MostSettings {
			t.Errorf("%s has %d settings", e.Name, n)
		}
		if e.Name == "rollout" && (e.Settings.Discard != 0.5 || settingsText(e.Settings) != "Discard 0.5") {
			t.Errorf("rollout has settings %q", settingsText(e.Settings))
		}
	}
	if tried[tuned] != 4 { // the model has two layers
		t.Errorf("%d settings of attention", tried[tuned])
	}
	made, err := ForMethod(Reference, must(explain.FindMethod(Reference)), explain.Settings{}).Make(context.Background(), explainer(t, 1), discs(2, 1))
	if err != nil || len(made) != 2 {
		t.Errorf("%d maps, %v", len(made), err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestRecord: a record that is written and read says the same; damaged ones are errors.
func TestRecord(t *testing.T) {
	r := &Record{Parts: []*Part{analysed(t, 0)}, Resamples: 400}
	path := t.TempDir() + "/record.json"
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := OpenRecord(path)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("it changed: %v", err)
	}
	p := got.Part("drawn")
	kept, err := p.Column("energy").Kept.Values(len(p.Rows))
	if err != nil || len(kept) != 90 || math.Abs(kept[2][p.Row("constant")]-0.3) > 0.3 {
		t.Errorf("%v, %v", len(kept), err)
	}
	models, taus := got.Taus()
	if len(models) != 2 || taus[0][0] != 1 || taus[0][1] < 0.5 {
		t.Errorf("%v, %v", models, taus)
	}
	p.Columns[0].Cells = p.Columns[0].Cells[1:]
	var text bytes.Buffer
	if err := got.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	for says, text := range map[string]string{"cells": text.String(), "isn't a league's": "[]", "format 7": `{"format":7}`} {
		if _, err := ReadRecord([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	got.Notes = []string{strings.Repeat("x", MostBytes)}
	if err := got.WriteJSON(&text); err == nil {
		t.Error("a huge record is written")
	}
}

// TestErrors: what can't be run or analysed.
func TestErrors(t *testing.T) {
	calls := 0
	ok := Job{Model: "m", Explainer: explainer(t, 1), Cases: discs(3, 1), Entries: entries(), Benches: []Bench{{Judge: areas(&calls)}}}
	for says, change := range map[string]func(j *Job){
		"0 pictures": func(j *Job) { j.Cases = nil },
		"0 entries":  func(j *Job) { j.Entries = nil },
		"called":     func(j *Job) { j.Entries = append(j.Entries, j.Entries[0]) },
		"without":    func(j *Job) { j.Entries = []Entry{{}} },
		"scores for": func(j *Job) {
			f := areas(&calls)
			f.cols = f.cols[:2]
			j.Benches = []Bench{{Judge: f}}
		},
	} {
		j := ok
		change(&j)
		if _, err := j.Run(context.Background()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	cancelled, stop := context.WithCancel(context.Background())
	stop()
	if _, err := ok.Run(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	s, err := ok.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	short := *s
	short.Parts = []ScoresPart{{Columns: s.Parts[0].Columns, Cases: s.Parts[0].Cases[:2], Values: s.Parts[0].Values[:2]}}
	for _, models := range [][]*Scores{nil, {s, &short}, {s, {}}} {
		if _, err := Analyse(context.Background(), ok.Entries, models, Options{}); err == nil {
			t.Error("scores of different pictures are analysed")
		}
	}
}

// TestShow: tables, figures and sentences of a record.
func TestShow(t *testing.T) {
	r := &Record{Parts: []*Part{analysed(t, 0)}, Chosen: []Choice{{Method: "a", Tried: []Candidate{{"", 1}, {"Discard 0.5", 2}}}}}
	p := r.Parts[0]
	for says, table := range map[string]fmt.Stringer{
		"[noise]": p.Table(""), "energy outside (less is better)": p.Table(maps.Truth), "two halves": p.GateTable(), "< 0.001": p.ReferenceTable("energy"),
		"1000": p.BudgetTable(), "model 2": r.TauTable(), "default: 1.00": r.ChoiceTable(),
	} {
		if !strings.Contains(table.String(), says) {
			t.Errorf("no %q in\n%s", says, table)
		}
	}
	for _, draw := range []func() (plots.Figure, error){
		func() (plots.Figure, error) { return p.DiagramFigure("") }, p.RankFigure, func() (plots.Figure, error) { return p.ColumnFigure("energy") },
	} {
		f, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Image(1); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.DiagramFigure(maps.Sanity); err == nil {
		t.Error("there is a diagram of nothing")
	}
	if _, err := p.ColumnFigure("x"); err == nil {
		t.Error("there is a figure of nothing")
	}
	ask := []Question{{"drawn", "energy", "where the disc is"}, {"drawn", "noise", "noise"}, {"photographs", "energy", "x"}}
	if got := r.Headline(ask); !strings.HasPrefix(got, "Rather than raw attention, use good (+0.") || strings.Contains(got, "noise") || !strings.Contains(got, "good ranks best") {
		t.Errorf("%q", got)
	}
	if got := r.Headline(ask[1:]); !strings.HasPrefix(got, "Nothing was measured") {
		t.Errorf("%q", got)
	}
	if got := (&Record{}).Headline(ask); !strings.HasPrefix(got, "Nothing") {
		t.Errorf("%q", got)
	}
	if got := p.Advice("good"); !strings.HasPrefix(got, "rank 1 of 5, good at ") || p.Advice("random") != "" {
		t.Errorf("%q", got)
	}
}

// TestTiers: a costly method has maps of the first pictures only. It is ranked with the others on
// these, and they keep their intervals on all.
func TestTiers(t *testing.T) {
	calls := 0
	costly := noisy("costly", 0.2)
	costly.Pictures = 30
	all := append(entries(), costly)
	j := Job{Model: "m", Explainer: explainer(t, 1), Cases: discs(90, 9), Entries: all, Benches: []Bench{{Judge: areas(&calls)}}}
	s, err := j.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := 90*(len(all)-1) + 32; calls != want { // whole blocks of 16
		t.Errorf("%d maps were judged, want %d", calls, want)
	}
	p, err := Analyse(context.Background(), all, []*Scores{s}, Options{Resamples: 300, Keep: []string{"energy"}})
	if err != nil {
		t.Fatal(err)
	}
	c := p.Column("energy")
	good, own, reference := c.Cells[p.Row("good")], c.Cells[p.Row("costly")], c.Cells[p.Row(Reference)]
	if c.Pictures != 90 || c.Common != 30 || !(own.Rank > good.Rank && own.Rank < reference.Rank) {
		t.Errorf("%d and %d pictures, %+v", c.Pictures, c.Common, own)
	}
	if own.Gain == nil || own.Gain.Low <= 0 || own.High-own.Low < 1.2*(good.High-good.Low) {
		t.Errorf("%+v, %+v", own, good)
	}
	kept, err := c.Kept.Values(len(p.Rows))
	if err != nil || math.IsNaN(kept[29][p.Row("costly")]) || !math.IsNaN(kept[30][p.Row("costly")]) || math.IsNaN(kept[89][p.Row("good")]) {
		t.Errorf("the kept scores are wrong (%v)", err)
	}
}

// TestOnly: some columns of a judge.
func TestOnly(t *testing.T) {
	calls := 0
	j, err := Only(areas(&calls), "sum", "energy")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Job{Model: "m", Explainer: explainer(t, 1), Cases: discs(2, 9), Entries: Baselines(), Benches: []Bench{{Judge: j}}}.Run(context.Background())
	if err != nil || s.Parts[0].Columns[0].Key != "sum" || s.Parts[0].Values[0][5][0] != 16 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Only(areas(&calls), "x"); err == nil {
		t.Error("there is a column x")
	}
}
