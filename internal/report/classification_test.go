package report

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/data/pets"
	"gaze/pkg/study"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// TestClassification: every row of both profiles is valid, and the laptop's set is drawn
// once.
func TestClassification(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("GAZE_CACHE", cache)
	t.Setenv("GAZE_PETS", "")
	t.Setenv("GAZE_VIT", "")
	s, err := Classification(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Data.Classes) != pets.Classes || s.Data.Test == nil || len(s.Seeds) < 3 {
		t.Errorf("%d classes, test %v, seeds %v", len(s.Data.Classes), s.Data.Test, s.Seeds)
	}
	for _, row := range append(s.Rows, reportRows("B_16.pth", [2]int{384, 384})...) {
		if _, err := train.ParseSettings(row.Settings); err != nil {
			t.Errorf("%s: %v", row.Name, err)
		}
		if _, err := transform.Parse(row.Pipeline); err != nil {
			t.Errorf("%s: %v", row.Name, err)
		}
		if row.Asks == "" || row.Start == "" {
			t.Errorf("%s asks %q, begins with %q", row.Name, row.Asks, row.Start)
		}
	}
	if _, err := study.Pictures(s.Data, 5); err != nil {
		t.Error(err)
	}
	drawn := func() int64 {
		info, err := os.Stat(filepath.Join(cache, "pets"))
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime().UnixNano()
	}
	before := drawn()
	if _, err := Classification(context.Background()); err != nil || drawn() != before {
		t.Errorf("the second time: %v", err)
	}
}

// TestQuickStudy: the small study has the rows of the whole one, and what a difference
// with an interval needs; it says that it is small, also of a set of the user's own.
func TestQuickStudy(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_PETS", "")
	t.Setenv("GAZE_VIT", "")
	t.Setenv("GAZE_QUICK_STUDY", "perhaps")
	if _, err := Classification(context.Background()); err == nil || !strings.Contains(err.Error(), "GAZE_QUICK_STUDY is") {
		t.Errorf("a value that makes no sense: %v", err)
	}
	t.Setenv("GAZE_QUICK_STUDY", "on")
	s, err := Classification(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Seeds) != 2 || s.Data.Train.Len() != 3*pets.Classes || s.Data.Test == nil || len(s.Data.Classes) != pets.Classes || len(s.Rows) < len(laptopRows("")) {
		t.Errorf("seeds %v, %d pictures of %d classes, %d rows", s.Seeds, s.Data.Train.Len(), len(s.Data.Classes), len(s.Rows))
	}
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "GAZE_QUICK_STUDY") {
		t.Errorf("notes %q", s.Notes)
	}
	splits := smallSet(t)
	t.Setenv("GAZE_PETS", filepath.Dir(splits.Train.Root))
	t.Setenv("GAZE_VIT", smallModel(t))
	if s, err := Classification(context.Background()); err != nil || len(s.Seeds) != 2 || !strings.Contains(strings.Join(s.Notes, "; "), "GAZE_QUICK_STUDY") {
		t.Errorf("of your own: %+v, %v", s, err)
	}
}

// smallModel writes a small model and returns its file.
func smallModel(t *testing.T) string {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=16,depth=1,heads=2,patch=8,size=32")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 3
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "model.safetensors")
	if err := m.Save(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestClassificationOfYourOwn: GAZE_PETS and GAZE_VIT select the report's own settings.
func TestClassificationOfYourOwn(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	splits := smallSet(t)
	file := smallModel(t)
	t.Setenv("GAZE_PETS", filepath.Dir(splits.Train.Root))
	t.Setenv("GAZE_VIT", file)
	s, err := Classification(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows[0].Start != file || !strings.HasPrefix(s.Rows[0].Pipeline, "resize(32,32)") || !strings.Contains(s.Rows[0].Settings, "lr=1e-6") {
		t.Errorf("the first row is %+v", s.Rows[0])
	}
	if last := s.Rows[len(s.Rows)-1]; !strings.Contains(last.Settings, "accumulate=15") || !strings.Contains(last.Pipeline, "centercrop(256,256) | resize(256,256)") {
		t.Errorf("the last row is %+v", last)
	}
	for _, c := range []struct{ pets, vit, says string }{
		{t.TempDir(), file, "GAZE_PETS"},
		{filepath.Dir(splits.Train.Root), "nothing-of-that-name", "GAZE_VIT"},
		{filepath.Join(t.TempDir(), "none"), file, "GAZE_PETS is"},
		{filepath.Join(t.TempDir(), "none"), "", "GAZE_PETS is"},
		{t.TempDir(), "", "GAZE_PETS is"},
		{file, file, "GAZE_PETS is"},
	} {
		t.Setenv("GAZE_PETS", c.pets)
		t.Setenv("GAZE_VIT", c.vit)
		if _, err := Classification(context.Background()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("it says %v, want %s", err, c.says)
		}
	}
}

// TestClassificationWithNotes: a variable that is set but not used gets a note.
func TestClassificationWithNotes(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	set := filepath.Dir(smallSet(t).Train.Root)
	photos := t.TempDir()
	if err := os.WriteFile(filepath.Join(photos, "holiday.jpg"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ pets, vit, says string }{
		{"", "", ""},
		{"", "model.safetensors", "GAZE_VIT is set without GAZE_PETS"},
		{set, "", "GAZE_PETS is set without GAZE_VIT"},
		{photos, "", "1 photographs without classes"},
		{photos, "model.safetensors", "1 photographs without classes"},
		{oneClass(t), "model.safetensors", "needs two classes"},
	} {
		t.Setenv("GAZE_PETS", c.pets)
		t.Setenv("GAZE_VIT", c.vit)
		s, err := Classification(context.Background())
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if notes := strings.Join(s.Notes, "; "); len(s.Data.Classes) != pets.Classes || (notes == "") != (c.says == "") || !strings.Contains(notes, c.says) {
			t.Errorf("%+v: %d classes, notes %q", c, len(s.Data.Classes), notes)
		}
	}
}

// TestDiscussClassification: the text works for any results, and mentions all rows it
// knows.
func TestDiscussClassification(t *testing.T) {
	s := study.Study{Data: smallSet(t), Rows: rows(), Seeds: []uint64{1, 2}, Dir: t.TempDir()}
	s.Rows[0].Name, s.Rows[1].Name = Crawls, Learns
	augmented := s.Rows[1]
	augmented.Name, augmented.Pipeline = Augmented, "randomhflip | "+augmented.Pipeline
	s.Rows = append(s.Rows, augmented)
	r := run(t, s)
	text := DiscussClassification(r)
	for _, want := range []string{"1e-07 ends at", "0.003 ends at", "augmentation", "best row"} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q:\n%s", want, text)
		}
	}
	for _, chart := range []func() error{
		func() error { c, err := RateCurves(r); _, e := c.Image(1); return first(err, e) },
		func() error { c, err := ChangeCurves(r); _, e := c.Image(1); return first(err, e) },
	} {
		if err := chart(); err != nil {
			t.Error(err)
		}
	}
	if len(Effects(r)) != 1 {
		t.Errorf("%d effects", len(Effects(r)))
	}
	f := r.Final()
	correct, pictures, share := f.Accuracy()
	if pictures != 18 || share.Value != float64(correct)/18 || !strings.Contains(f.Command, "gaze train") || !strings.Contains(f.String(), f.Name) {
		t.Errorf("the final result is %s; %s", f, f.Command)
	}
	if text := r.Against(Crawls); !strings.Contains(text, Crawls) {
		t.Errorf("against the first row: %s", text)
	}
	if m := r.Outcomes[1].Median(); m.Seed != 1 && m.Seed != 2 {
		t.Errorf("the median run has seed %d", m.Seed)
	}
	if _, err := r.TestPicture(0); err != nil {
		t.Error(err)
	}
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// oneClass makes a set whose pictures are all of one class.
func oneClass(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "set")
	copyPictures(t, smallSet(t).Train, dir, func(class string, i int, name string) string {
		return filepath.Join("train", "cat", strconv.Itoa(i)+name)
	})
	return dir
}

// copyPictures copies a set's files into a folder, under the names given by name.
func copyPictures(t *testing.T, set *data.Dataset, dir string, name func(class string, i int, base string) string) {
	t.Helper()
	for i, item := range set.Items {
		text, err := os.ReadFile(item.Path)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name(string(rune('a'+item.Label)), i, filepath.Base(item.Path)))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestClassificationHoldsOut: if the user's set has no validation pictures, the same
// pictures are held out as by 'gaze train', in any layout, with a note. Everything in the
// notebook also works without test pictures.
func TestClassificationHoldsOut(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	small := smallSet(t)
	model := smallModel(t)
	plain := func(_ string, _ int, base string) string { return base }
	for name, c := range map[string]struct {
		train func(class string, i int, base string) string
		test  bool
		split bool // the folder is a split of a set with others
	}{
		"one folder":            {train: plain},
		"a folder a class":      {train: func(class string, _ int, base string) string { return filepath.Join(class, base) }},
		"train only":            {train: func(class string, _ int, base string) string { return filepath.Join("train", class, base) }},
		"a split alone":         {train: func(class string, _ int, base string) string { return filepath.Join("train", class, base) }, split: true},
		"train and test":        {train: func(class string, _ int, base string) string { return filepath.Join("Training", class, base) }, test: true},
		"a name to be quoted's": {train: plain},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name)
			copyPictures(t, small.Train, dir, c.train)
			if c.split {
				copyPictures(t, small.Validation, dir, func(class string, _ int, base string) string { return filepath.Join("val", class, base) })
				dir = filepath.Join(dir, "train")
			}
			if c.test {
				copyPictures(t, small.Test, dir, func(class string, _ int, base string) string { return filepath.Join("test", class, base) })
			}
			t.Setenv("GAZE_PETS", dir)
			t.Setenv("GAZE_VIT", model)
			s, err := Classification(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			whole, err := data.OpenDataset(dir)
			if err != nil {
				t.Fatal(err)
			}
			rest, part, err := whole.Train.Split(1, train.DefaultSettings().Valid)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(s.Data.Train.Items, rest.Items) || !slices.Equal(s.Data.Validation.Items, part.Items) || (s.Data.Test != nil) != c.test {
				t.Errorf("%d to train on, %d to validate on, test %v", s.Data.Train.Len(), s.Data.Validation.Len(), s.Data.Test)
			}
			if notes := strings.Join(s.Notes, "; "); !strings.Contains(notes, "7 of 36 pictures, 20 % of each class, are held out to validate on (valid=0.2; seed=1)") {
				t.Errorf("notes %q", notes)
			}
			if notes := strings.Join(s.Notes, "; "); strings.Contains(notes, "is a split of") != c.split {
				t.Errorf("notes %q", notes)
			}
			s.Rows, s.Dir = rows(), t.TempDir()
			s.Seeds = s.Seeds[:2]
			showAll(t, run(t, *s), dir, c.test)
		})
	}
}

// showAll makes everything that the notebook shows, for a study with held-out pictures.
func showAll(t *testing.T, r *study.Result, dir string, tested bool) {
	t.Helper()
	f := r.Final()
	pictures, on := 7, "held-out"
	if tested {
		pictures, on = 18, "test"
	}
	report := f.Run.Report
	if report == nil || report.Pictures != pictures || (f.Run.Test != nil) != tested {
		t.Fatalf("the report is %+v", report)
	}
	if correct, all, _ := f.Accuracy(); all != pictures || correct != report.Correct || !strings.Contains(f.String(), on+" pictures right") {
		t.Errorf("%d of %d: %s", correct, all, f)
	}
	word := dir
	if strings.ContainsAny(dir, " '") {
		word = "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
	}
	want := "--data " + word + " "
	if !strings.Contains(f.Command, want) || strings.Contains(dir, "quoted's") && !strings.Contains(f.Command, `quoted'\''s`) {
		t.Errorf("the command is %s", f.Command)
	}
	text := DiscussClassification(r)
	if !tested && !strings.Contains(text, "held-out pictures by which it was chosen") {
		t.Error(text)
	}
	if _, err := report.LossesFigure(12, r.TestPicture); err != nil {
		t.Error(err)
	}
	if e, err := r.Effect("slow", "fast"); err != nil || e.On != on {
		t.Errorf("an effect on %s: %v", e.On, err)
	}
	if text := r.Against("slow"); !strings.Contains(text, "slow") {
		t.Error(text)
	}
	if _, err := study.Pictures(r.Data, 3); err != nil {
		t.Error(err)
	}
}

// smallSet draws pictures of three breeds that a tiny model can distinguish.
func smallSet(t *testing.T) *data.Splits {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pets")
	set := pets.Set{Seed: 3, Breeds: 3, Size: 16, Splits: []pets.Split{
		{Name: "train", Pictures: 36, Options: pets.Posed}, {Name: "val", Pictures: 18, Options: pets.Posed}, {Name: "test", Pictures: 18, Options: pets.Posed},
	}}
	if err := pets.Write(context.Background(), dir, set, pets.WriteOptions{Format: "png"}); err != nil {
		t.Fatal(err)
	}
	splits, err := data.OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	return splits
}

func rows() []study.Row {
	const start, plain = "vit:dim=32,depth=1,heads=2,patch=8,size=16", "totensor | normalize(0.5,0.5)"
	return []study.Row{
		{Name: "slow", Start: start, Pipeline: plain, Settings: "lr=1e-7; epochs=3; batch=12"},
		{Name: "fast", Start: start, Pipeline: plain, Settings: "lr=3e-3; epochs=3; batch=12"},
	}
}

func run(t *testing.T, s study.Study) *study.Result {
	t.Helper()
	device, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(context.Background(), device)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCourse: the description of a row's accuracy is right for few and for many classes.
func TestCourse(t *testing.T) {
	for _, c := range []struct {
		chance float64
		curve  []float64
		says   string
	}{
		{2.7, []float64{0.03, 0.1, 0.15}, "learns almost nothing"},
		{2.7, []float64{0.1, 0.5, 0.9}, "still climbing"},
		{33.3, []float64{0.33, 0.36, 0.4}, "learns almost nothing"},
		{33.3, []float64{0.34, 0.6, 0.95}, "still climbing"},
		{50, []float64{0.5, 0.55, 0.52}, "learns almost nothing"},
		{50, []float64{0.9, 0.95, 0.97}, "ends at 97.0 %"},
		{50, []float64{0.6, 0.98, 0.4}, "rises and then collapses"},
	} {
		var run study.Run
		for _, v := range c.curve {
			run.Epochs = append(run.Epochs, train.EpochMetrics{Validation: &train.Evaluation{Accuracy: v}})
		}
		run.Last = *run.Epochs[len(run.Epochs)-1].Validation
		if text := course(study.Outcome{Runs: []study.Run{run}}, c.chance); !strings.HasSuffix(text, c.says) && !strings.Contains(text, ": it "+c.says) {
			t.Errorf("chance %g, %v: %q", c.chance, c.curve, text)
		}
	}
}
