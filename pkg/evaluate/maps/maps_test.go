package maps

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// TestGolden compares every score with its definition over single pixels.
func TestGolden(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Kind                         string
		Rows, Cols, Height, Width    int
		Tolerance                    float64
		Mask                         string
		Values                       []float32
		Pointing, Energy, Share, IoU float64
		AtShares                     []float64 `json:"at_shares"`
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 20 {
		t.Fatalf("%d cases", len(cases))
	}
	for i, c := range cases {
		m := &data.Mask{Width: c.Width, Height: c.Height}
		for _, v := range c.Mask {
			m.Pix = append(m.Pix, uint8(v-'0'))
		}
		a, err := NewAreas(m, c.Rows, c.Cols, c.Tolerance)
		if err != nil {
			t.Fatal(err)
		}
		s, err := a.Score(c.Values)
		if err != nil {
			t.Fatal(err)
		}
		near := func(what string, got, want float64) {
			if math.IsNaN(got) || math.Abs(got-want) > 1e-9 {
				t.Errorf("case %d, %s: %s is %g, want %g", i, c.Kind, what, got, want)
			}
		}
		near("share", a.Share(), c.Share)
		near("pointing", s.Pointing, c.Pointing)
		near("energy", s.Energy, c.Energy)
		near("energy over area", s.Over, c.Energy-c.Share)
		near("IoU", s.IoU, c.IoU)
		for k, want := range c.AtShares {
			near(fmt.Sprintf("IoU at %g", TopShares[k]), s.AtShares[k], want)
		}
	}
}

// TestChance: a constant map gets what a uniform map gets, the mask's own map the most.
func TestChance(t *testing.T) {
	m := &data.Mask{Width: 8, Height: 8, Pix: make([]uint8, 64)}
	for i := range m.Pix {
		if x, y := i%8, i/8; x < 4 && y < 4 {
			m.Pix[i] = data.Inside
		}
	}
	a, err := NewAreas(m, 4, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Score(make([]float32, 16))
	if err != nil || s.Pointing != 0.25 || s.Energy != 0.25 || s.Over != 0 || math.Abs(s.IoU-0.25/1.75) > 1e-12 {
		t.Errorf("a map of zeros: %+v, %v", s, err)
	}
	if s, err = a.Score(a.Coverage()); err != nil || s.Pointing != 1 || s.Energy != 1 || s.IoU != 1 || s.AtShares[4] != 1 {
		t.Errorf("the mask itself: %+v, %v", s, err)
	}
	g := CentreGaussian(4, 6)
	if g[0] != g[23] || g[8] != g[15] || g[8] <= g[7] {
		t.Errorf("the Gaussian is %v", g)
	}
}

func TestAreasErrors(t *testing.T) {
	half := &data.Mask{Width: 4, Height: 1, Pix: []uint8{1, 1, 0, 0}}
	for says, f := range map[string]func() error{
		"a grid of 1x5": func() error { _, err := NewAreas(half, 1, 5, 0); return err },
		"a grid of 0x2": func() error { _, err := NewAreas(half, 0, 2, 0); return err },
		"a tolerance":   func() error { _, err := NewAreas(half, 1, 2, -1); return err },
		"0 of 4 counted": func() error {
			_, err := NewAreas(&data.Mask{Width: 4, Height: 1, Pix: make([]uint8, 4)}, 1, 2, 0)
			return err
		},
		"2 of 2 counted": func() error {
			_, err := NewAreas(&data.Mask{Width: 4, Height: 1, Pix: []uint8{1, 2, 2, 1}}, 1, 2, 0)
			return err
		},
		"a map of 3": func() error { return score(half, 0, 0, 0) },
		"is NaN":     func() error { return score(half, 0, float32(math.NaN())) },
		"is +Inf":    func() error { return score(half, float32(math.Inf(1)), 0) },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func score(m *data.Mask, values ...float32) error {
	a, err := NewAreas(m, 1, 2, 0)
	if err != nil {
		return err
	}
	_, err = a.Score(values)
	return err
}

// TestBootstrap compares the interval's width with the standard error of a stratified
// mean.
func TestBootstrap(t *testing.T) {
	var values [][]float64
	var of []string
	for i := range 300 {
		s := []string{"a", "b", "c"}[i%3]
		base := map[string]float64{"a": 0, "b": 10, "c": 20}[s]
		values, of = append(values, []float64{base + math.Sin(float64(i*i)), 7, base}), append(of, s)
	}
	got := bootstrap(values, Strata(of), 4000, 1)
	variance := 0.0
	for _, group := range Strata(of) {
		mean, squares := 0.0, 0.0
		for _, i := range group {
			mean += values[i][0] / float64(len(group))
		}
		for _, i := range group {
			squares += (values[i][0] - mean) * (values[i][0] - mean)
		}
		variance += squares / 300 / 300
	}
	if half, want := got[0].Half(), 1.96*math.Sqrt(variance); math.Abs(half/want-1) > 0.06 {
		t.Errorf("half the interval is %g, by the standard error %g", half, want)
	}
	if got[1] != (evaluate.Interval{Value: 7, Low: 7, High: 7}) {
		t.Errorf("of a constant: %+v", got[1])
	}
	if got[2].Half() > 1e-9 { // all variation is between strata
		t.Errorf("of what differs between strata only: %+v", got[2])
	}
	if again := bootstrap(values, Strata(of), 4000, 1); !reflect.DeepEqual(got, again) {
		t.Error("the same seed gives other intervals")
	}
	if other := bootstrap(values, Strata(of), 4000, 2); other[0] == got[0] {
		t.Error("another seed gives the same interval")
	}
	if g := Strata([]string{"x", "a", "a", "y", "a", "a", "a"}); !reflect.DeepEqual(g, [][]int{{1, 2, 4, 5, 6}, {0, 3}}) {
		t.Errorf("groups %v", g)
	}
}

// made writes a set of n pictures, 24x16, with a bright square of 8x8 at one of three
// places, whose trimap is the square and whose head is its upper half. Each fourth has
// neither.
func made(t testing.TB, n int) *data.Truth {
	t.Helper()
	dir := t.TempDir()
	index := "file,split,cls,width,height,xmin,ymin,xmax,ymax\n"
	write := func(name string, im image.Image) {
		var buf bytes.Buffer
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), png.Encode(&buf, im), os.WriteFile(path, buf.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		im, trimap := image.NewGray(image.Rect(0, 0, 24, 16)), image.NewGray(image.Rect(0, 0, 24, 16))
		left := 8 * (i % 3)
		for y := range 16 {
			for x := range 24 {
				im.SetGray(x, y, color.Gray{20})
				trimap.SetGray(x, y, color.Gray{2})
				if x >= left && x < left+8 && y >= 4 && y < 12 {
					im.SetGray(x, y, color.Gray{230})
					trimap.SetGray(x, y, color.Gray{1})
				}
			}
		}
		name := fmt.Sprintf("%d_%d", i%2, i)
		write("val/"+name+".png", im)
		box := ",,,"
		if i%4 != 3 {
			write("trimaps/"+name+".png", trimap)
			box = fmt.Sprintf("%d,4,%d,8", left, left+8)
		}
		index += fmt.Sprintf("%s.png,val,%d,24,16,%s\n", name, i%2, box)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.csv"), []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	truth, err := data.OpenTruth(dir)
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

// bright maps a picture's brightness on a grid of 4x6, and its negative.
type bright struct{ sizes *[]int }

func (bright) Maps() []ID { return []ID{{"brightness", 0, -1}, {"darkness", 0, 0}} }

func (b bright) Run(pictures []*transform.Tensor) (Batch, error) {
	*b.sizes = append(*b.sizes, len(pictures))
	out := Batch{Rows: 4, Cols: 6, Warnings: []string{"a warning"}}
	for _, p := range pictures {
		for _, sign := range []float32{1, -1} {
			for i := range 24 {
				out.Values = append(out.Values, sign*p.Data[(i/6*4+1)*24+i%6*4+1])
			}
		}
	}
	return out, nil
}

func pipeline(t testing.TB, text string) transform.Pipeline {
	t.Helper()
	p, err := transform.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const exact = "resize(16,24) | totensor"

func TestEvaluate(t *testing.T) {
	truth := made(t, 40)
	var sizes, seen []int
	var warned []string
	o := Options{Model: "brightness", Set: "squares", Batch: 16, Seed: 1, Resamples: 200, Keep: []string{"brightness", "darkness", Uniform},
		Progress: func(done, total int) { seen = append(seen, done, total) }, Warn: func(s string) { warned = append(warned, s) }}
	r, err := Evaluate(context.Background(), bright{&sizes}, pipeline(t, exact), truth.Pictures, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sizes, []int{16, 16}) || !slices.Equal(seen, []int{16, 30, 30, 30}) || len(warned) != 2 {
		t.Errorf("batches of %v, progress %v, warnings %q", sizes, seen, warned)
	}
	pet, head := r.Part(Pet), r.Part(Head)
	if r.Of != 40 || pet == nil || head == nil || pet.Pictures != 30 || head.Pictures != 30 || pet.Classes != 2 || r.Grid != [2]int{4, 6} {
		t.Fatalf("%+v", r)
	}
	if pet.Area.Value != round(1.0/6) || head.Area.Value != round(1.0/12) {
		t.Errorf("areas %v, %v", pet.Area, head.Area)
	}
	up, down := pet.Row("brightness"), pet.Row("darkness")
	// All bright cells are inside; the dark ones have values, too.
	energy := 4 * 230 / (4*230 + 20*20.0)
	if up.Pointing.Value != 1 || math.Abs(up.Energy.Value-energy) > 1e-3 || up.IoU.Value != 1 || down.Pointing.Value != 0 || down.IoU.Value != 0 {
		t.Errorf("%+v, %+v", up, down)
	}
	if it := pet.Row(Itself); it.IoU.Value != 1 || it.Energy.Value != 1 {
		t.Errorf("the truth itself: %+v", it)
	}
	// The head is half of the pet.
	if even := head.Row(Evenly); even == nil || even.Energy.Value != 0.5 || pet.Row(Evenly) != nil || head.OverEvenly == nil || math.Abs(head.OverEvenly.Value-(head.Last().Energy.Value-0.5)) > 2e-4 || pet.OverEvenly != nil {
		t.Errorf("the pet evenly: %+v", even)
	}
	if u := pet.Row(Uniform); u.Energy != pet.Area || u.Over.Value != 0 {
		t.Errorf("a uniform map: %+v", u)
	}
	if last, best := pet.Last(), pet.BestHead(Energy); last.Name != "brightness" || best.Name != "darkness" || len(pet.Means()) != 1 {
		t.Errorf("%+v, %+v", last, best)
	}
	for workers := 1; workers < 4; workers++ {
		o.Workers, o.Progress = workers, nil
		again, err := Evaluate(context.Background(), bright{&sizes}, pipeline(t, exact), truth.Pictures, o)
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("with %d workers: another report, %v", workers, err)
		}
	}
	testFixed(t, truth, r, o)
	testSaved(t, r)
	testDifference(t, pet, head)
	testShown(t, r)
}

// testFixed: the share that is best on the same pictures is the mask's own.
func testFixed(t *testing.T, truth *data.Truth, r *Report, o Options) {
	o.Chosen = r
	var sizes []int
	fixed, err := Evaluate(context.Background(), bright{&sizes}, pipeline(t, exact), truth.Pictures, o)
	if err != nil {
		t.Fatal(err)
	}
	row := fixed.Part(Pet).Row("brightness")
	if row.IoUFixed == nil || row.Share != 0.15 || math.Abs(row.IoUFixed.Value-0.9) > 1e-3 { // the mask is 1/6 of the picture
		t.Errorf("at a fixed share: %+v", row)
	}
	if table := fixed.Table(Pet); len(table.Columns) != 7 || table.Rows[3][5] != "90.0 (90.0 to 90.0)" || table.Rows[3][6] != "15" {
		t.Errorf("%s", table)
	}
}

func testSaved(t *testing.T, r *Report) {
	path := filepath.Join(t.TempDir(), "report.json")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if again, err := Read(f); err != nil || !reflect.DeepEqual(r, again) {
		t.Errorf("%+v, %v", again, err)
	}
	if b := r.Brief(); b.Part(Pet).Names != nil || len(b.Part(Pet).Rows) != len(r.Part(Pet).Rows) || r.Part(Pet).Names == nil {
		t.Errorf("%+v", b)
	}
	for _, text := range []string{"", "{}", `{"parts":[null]}`, `{"parts":[{"pictures":3}]}`, "[]"} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func testDifference(t *testing.T, pet, head *Part) {
	d, n, err := pet.Difference("brightness", pet, "darkness", Pointing, 100, 1)
	if err != nil || n != 30 || d != (evaluate.Interval{Value: 1, Low: 1, High: 1}) {
		t.Errorf("%+v of %d, %v", d, n, err)
	}
	part := *pet
	part.Names, part.Strata, part.Kept = pet.Names[:10], pet.Strata[:10], map[string]map[Metric][]float64{"brightness": {IoU: pet.Kept["brightness"][IoU][:10]}}
	if d, n, err := pet.Difference("darkness", &part, "brightness", IoU, 100, 1); err != nil || n != 10 || d.Value != -1 {
		t.Errorf("%+v of %d, %v", d, n, err)
	}
	part.Names = slices.Repeat([]string{"x"}, 10)
	for says, f := range map[string]func() error{
		"different questions": func() error { _, _, err := pet.Difference(Uniform, head, Uniform, IoU, 100, 1); return err },
		"isn't kept":          func() error { _, _, err := pet.Difference(Uniform, pet, Gaussian, IoU, 100, 1); return err },
		"0 resamples":         func() error { _, _, err := pet.Difference(Uniform, pet, Uniform, IoU, 0, 1); return err },
		"in common":           func() error { _, _, err := pet.Difference(Uniform, &part, "brightness", IoU, 100, 1); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func testShown(t *testing.T, r *Report) {
	table := r.Table(Head)
	if text := table.String(); len(table.Rows) != 6 || !strings.Contains(text, Evenly) || !strings.Contains(text, Gaussian) || !strings.Contains(text, "30 photographs of 2 breeds") || !slices.Equal(table.Highlight, []int{4}) {
		t.Errorf("%v\n%s", table.Highlight, text)
	}
	f, err := r.Figure(Pet, Energy)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Image(1); err != nil {
		t.Error(err)
	}
	if _, err := r.Figure(Pet, IoUFixed); err == nil {
		t.Error("a figure of what wasn't measured")
	}
	if _, err := r.Brief().Figure("tail", IoU); err == nil {
		t.Error("a figure of tails")
	}
	if len(r.Table("tail").Rows) != 0 {
		t.Error("a table of tails")
	}
}

// TestOutside: where the model sees nothing of the truth, or nothing else, there is
// nothing to score.
func TestOutside(t *testing.T) {
	var sizes []int
	const crop = "centercrop(8,8) | resize(16,24) | totensor"
	all := made(t, 12).Pictures
	r, err := Evaluate(context.Background(), bright{&sizes}, pipeline(t, crop), []*data.Known{all[0], all[2]}, Options{Resamples: 10})
	if err == nil || !strings.Contains(err.Error(), "no picture could be scored") {
		t.Errorf("%+v, %v", r, err)
	}
	// A third of the squares fills the crop: nothing but pet, but the upper half of it is head.
	r, err = Evaluate(context.Background(), bright{&sizes}, pipeline(t, crop), all, Options{Resamples: 10})
	if err != nil || r.Part(Pet) != nil || r.Part(Head).Pictures != 3 || r.Part(Head).Outside != 6 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestEvaluateErrors(t *testing.T) {
	truth := made(t, 4)
	var sizes []int
	b := bright{&sizes}
	run := func(p string, m Mapper, pictures []*data.Known, o Options) error {
		_, err := Evaluate(context.Background(), m, pipeline(t, p), pictures, o)
		return err
	}
	lost := *truth.Pictures[0]
	lost.Path = "none.png"
	for says, err := range map[string]error{
		"of one size":           run("resize(16) | totensor", b, truth.Pictures, Options{}),
		"must make tensors":     run("resize(16,24)", b, truth.Pictures, Options{}),
		"of none of the 1":      run(exact, b, truth.Pictures[3:], Options{}),
		"none.png":              run(exact, b, []*data.Known{&lost}, Options{}),
		"only resizes":          run("rotate(30) | "+exact, b, truth.Pictures, Options{}),
		"8 values for":          run(exact, broken{values: 8}, truth.Pictures, Options{}),
		"row 0, column 0 is":    run(exact, broken{values: 3 * 2, nan: true}, truth.Pictures, Options{}),
		"it was told to fail":   run(exact, broken{err: errors.New("it was told to fail")}, truth.Pictures, Options{}),
		"no picture could be s": run(exact, b, []*data.Known{&lost}, Options{Bad: func(string, error) {}}),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	r, err := Evaluate(context.Background(), b, pipeline(t, exact), append([]*data.Known{&lost}, truth.Pictures[1:]...), Options{Resamples: 10, Bad: func(string, error) {}})
	if err != nil || !slices.Equal(r.Bad, []string{"0_0"}) || r.Part(Pet).Pictures != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Evaluate(ctx, b, pipeline(t, exact), truth.Pictures, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// broken makes one map of 1x2 for each picture, or doesn't.
type broken struct {
	values int
	nan    bool
	err    error
}

func (broken) Maps() []ID { return []ID{{"broken", 0, -1}} }

func (b broken) Run(p []*transform.Tensor) (Batch, error) {
	out := Batch{Rows: 1, Cols: 2, Values: make([]float32, b.values)}
	if b.nan {
		out.Values[0] = float32(math.NaN())
	}
	return out, b.err
}

// TestClassAttention: the maps are those that the model's attention has.
func TestClassAttention(t *testing.T) {
	cfg, err := vit.ParseConfig("vit:dim=16,depth=2,heads=2,patch=4,size=16")
	if err != nil {
		t.Fatal(err)
	}
	model, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	runner, err := vit.NewRunner(b, model)
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close()
	m, err := ClassAttention(runner)
	if err != nil {
		t.Fatal(err)
	}
	p := pipeline(t, "resize(16,16) | totensor | normalize(0.5,0.5)")
	truth := made(t, 8)
	r, err := Evaluate(context.Background(), m, p, truth.Pictures, Options{Batch: 4, Resamples: 10})
	if err != nil {
		t.Fatal(err)
	}
	pet := r.Part(Pet)
	if len(pet.Rows) != 3+2*3 || pet.Last().Name != "layer 1, mean of heads" || pet.Last().Layer != 1 || len(pet.Means()) != 2 || pet.Kept[pet.Last().Name] == nil {
		t.Errorf("%+v", pet)
	}
	im, err := data.Decode(truth.Pictures[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	tensor, err := p.Tensor(im)
	if err != nil {
		t.Fatal(err)
	}
	maps, err := m.Run([]*transform.Tensor{tensor, tensor})
	if err != nil {
		t.Fatal(err)
	}
	out, err := runner.RunTensors([]*transform.Tensor{tensor}, vit.Want{ClassAttention: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	at := func(picture, index int) []float32 { return maps.Values[(picture*6+index)*16:][:16] }
	for i := range 16 {
		a, b := out.ClassAttention.Values[i], out.ClassAttention.Values[16+i]
		for picture := range 2 {
			if got := at(picture, 3)[i]; math.Abs(float64(got-(a+b)/2)) > 1e-6 {
				t.Errorf("the mean of heads is %g, of %g and %g", got, a, b)
			}
			if got := at(picture, 5)[i]; math.Abs(float64(got-b)) > 1e-6 {
				t.Errorf("head 1 is %g, want %g", got, b)
			}
		}
	}
	if ids := m.Maps(); ids[3].Name != "layer 1, mean of heads" || ids[5] != (ID{"layer 1, head 1", 1, 1}) {
		t.Errorf("%+v", ids)
	}
	if _, err := ClassAttention(noClass{runner}); err == nil {
		t.Error("a model without a class token")
	}
}

// noClass is a runner whose model has no class token.
type noClass struct{ *vit.Runner }

func (n noClass) Config() vit.Config {
	cfg := n.Runner.Config()
	cfg.ClassToken = false
	return cfg
}
