package train

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data"
)

// goOn resumes a run with some settings changed, and stops it after the given number of batches
// (0: not).
func goOn(t *testing.T, f FineTune, change string, batches int) (*Manifest, error) {
	t.Helper()
	var err error
	if f.Settings, _, err = f.Settings.With(change); err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(f.Dir, manifestFile))
	f.Resume = err == nil
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := 0
	f.Progress = func(p Progress) {
		if seen++; seen == batches {
			cancel()
		}
	}
	return f.Run(ctx, testBackend(t))
}

// must is goOn without a stop.
func must(t *testing.T, f FineTune, change string) *Manifest {
	t.Helper()
	m, err := goOn(t, f, change, 0)
	if err != nil {
		t.Fatalf("%s: %v", change, err)
	}
	return m
}

// rates is the learning rate of every update of a run.
func rates(t *testing.T, dir string) []float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, metricsFile))
	if err != nil {
		t.Fatal(err)
	}
	var list []float64
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var r batchRecord
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Rate > 0 {
			list = append(list, r.Rate)
		}
	}
	return list
}

// TestExtend: a run of two epochs that is then given two more comes out to the same
// bits as one of four, at a constant rate.
func TestExtend(t *testing.T) {
	const settings = "lr=1e-3; batch=4; accumulate=2; optimizer=adamw; ema=0.9; droppath=0.1; "
	whole := fineTune(t, settings+"epochs=4")
	must(t, whole, "")
	f := fineTune(t, settings+"epochs=2")
	if m := must(t, f, ""); m.Epochs != 2 || m.History != nil {
		t.Errorf("%+v", m)
	}
	m := must(t, f, "epochs=4")
	if m.Status != Done || m.Epochs != 4 || m.Settings["epochs"] != "4" || len(m.History) != 2 ||
		m.History[0].Settings["epochs"] != "2" || m.History[1].Settings["epochs"] != "4" || m.History[1].Epoch != 2 || m.History[1].Update != 4 {
		t.Errorf("%+v, history %+v", m, m.History)
	}
	sameOutcome(t, f.Dir, whole.Dir)
	f.Settings.Epochs = 4
	if again := must(t, f, ""); !slices.EqualFunc(again.History, m.History, func(a, b Phase) bool { return a.Update == b.Update }) {
		t.Errorf("resumed when it is done: history %+v", again.History)
	}
}

// TestExtendFromAnywhere changes epochs, rate and schedule in the middle of an epoch:
// the rate follows the new settings over the remaining updates; a run that
// is stopped after that comes out to the same bits as one that isn't.
func TestExtendFromAnywhere(t *testing.T) {
	const change = "epochs=4; lr=2e-3; schedule=cosine; floor=1e-4"
	begin := func() FineTune {
		f := fineTune(t, "lr=1e-3; batch=4; epochs=3; schedule=linear; warmup=1")
		if _, err := goOn(t, f, "", 4); !errors.Is(err, ErrStopped) { // three batches and the epoch
			t.Fatal(err)
		}
		if _, err := goOn(t, f, "", 1); !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		return f
	}
	straight, stopped := begin(), begin()
	m := must(t, straight, change)
	if len(m.History) != 2 || m.History[1].Update != 4 || m.History[1].Epoch != 1 || m.History[1].Batch != 1 || m.History[1].Settings["schedule"] != "cosine" {
		t.Errorf("history %+v", m.History)
	}
	got := rates(t, straight.Dir)
	if len(got) != 12 {
		t.Fatalf("%d updates", len(got))
	}
	old := Warmup(3, 1.0/4, Linear(1e-3, 0, 6))
	renewed := Cosine(2e-3, 1e-4, 8)
	for i, rate := range got {
		want := old(i)
		if i >= 4 {
			want = renewed(i - 4)
		}
		if math.Abs(rate-want) > 1e-12 {
			t.Errorf("update %d at %g, want %g", i, rate, want)
		}
	}
	if _, err := goOn(t, stopped, change, 2); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	for {
		_, err := goOn(t, stopped, change, 3)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
	}
	sameOutcome(t, stopped.Dir, straight.Dir)

	// A change that is taken back before anything was trained leaves no trace.
	g := begin()
	p := plan{settings: g.Settings, batches: 3}
	old2, err := ReadManifest(g.Dir)
	if err != nil {
		t.Fatal(err)
	}
	old2.History = []Phase{{Settings: phaseSettings(old2.Settings)}, {Update: 4, Epoch: 1, Batch: 1, Settings: map[string]string{"lr": "1", "epochs": "3", "schedule": "constant", "floor": "0"}}}
	if err := p.extend(old2, place{epoch: 1, batch: 1}, 4); err != nil || len(p.history) != 1 {
		t.Errorf("taken back: %+v (%v)", p.history, err)
	}
	if err := p.extend(old2, place{}, 0); err != nil || len(p.history) != 1 { // the checkpoint is lost
		t.Errorf("from the beginning: %+v (%v)", p.history, err)
	}
}

// TestExtendRefuses what can't change, with the old and the new value.
func TestExtendRefuses(t *testing.T) {
	f := fineTune(t, "lr=1e-3; batch=4; epochs=2")
	must(t, f, "")
	before, err := os.ReadFile(filepath.Join(f.Dir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	for change, says := range map[string]string{
		"batch=6; epochs=3":           `its setting batch was "4", now it is "6" (only lr, epochs, schedule, floor may change)`,
		"seed=2; epochs=3":            `its setting seed was "1", now it is "2"`,
		"optimizer=sgd; epochs=3":     `its setting optimizer was "adam", now it is "sgd"`,
		"warmup=1; epochs=3":          `its setting warmup was "0", now it is "1"`,
		"head_epochs=1; epochs=3":     `its setting head_epochs was "0", now it is "1"`,
		"precision=bfloat16":          `its setting precision was "float32", now it is "bfloat16"`,
		"epochs=1":                    "its epoch 2 has begun, so epochs=1 is too few",
		"lr=2e-3":                     "its 2 epochs are done: lr=0.002 changes nothing without more epochs: add epochs=3",
		"schedule=cosine; floor=1e-6": "its 2 epochs are done: schedule=cosine; floor=1e-06 changes nothing without more epochs",
	} {
		if _, err := goOn(t, f, change, 0); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", change, err, says)
		}
	}
	other := f
	other.Pipeline = pipeline(t, "resize(16,16) | totensor")
	if _, err := goOn(t, other, "epochs=3", 0); err == nil || !strings.Contains(err.Error(), "its setting") || !strings.Contains(err.Error(), "pipeline was") {
		t.Errorf("another pipeline: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(f.Dir, manifestFile)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the manifest was changed (%v)", err)
	}
	bad := strings.Replace(string(before), `"device"`, `"history": [{"update": 1, "settings": {}}], "device"`, 1)
	if err := os.WriteFile(filepath.Join(f.Dir, manifestFile), []byte(bad), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := goOn(t, f, "epochs=3", 0); err == nil || !strings.Contains(err.Error(), "its history in run.json") {
		t.Errorf("a history without a beginning: %v", err)
	}
}

// TestHeadEpochs: first the head alone at its own rate, then everything, in one run
// that comes out to the same bits wherever it is stopped.
func TestHeadEpochs(t *testing.T) {
	if testing.Short() {
		t.Skip("trains many times")
	}
	const settings = "lr=1e-3; batch=4; accumulate=2; epochs=4; head_epochs=2; head_lr=1e-2; optimizer=adamw; schedule=cosine; warmup=1; layerdecay=0.7; droppath=0.2; ema=0.8"
	straight := fineTune(t, settings)
	if m := must(t, straight, ""); m.Epochs != 4 || m.Settings["head_epochs"] != "2" || m.Settings["head_lr"] != "0.01" {
		t.Errorf("%+v", m)
	}
	got, renewed := rates(t, straight.Dir), Warmup(2, 1.0/3, Cosine(1e-3, 0, 2))
	for i, rate := range got {
		want := 1e-2
		if i >= 4 {
			want = renewed(i - 4)
		}
		if math.Abs(rate-want) > 1e-12 {
			t.Errorf("update %d at %g, want %g", i, rate, want)
		}
	}
	if len(got) != 8 {
		t.Errorf("%d updates", len(got))
	}
	for each := 1; each < 5; each++ {
		f := fineTune(t, settings)
		stops := 0
		for ; ; stops++ {
			_, err := goOn(t, f, "", each)
			if err == nil {
				break
			}
			if !errors.Is(err, ErrStopped) || stops > 40 {
				t.Fatalf("after %d stops: %v", stops, err)
			}
		}
		if stops < 3 {
			t.Errorf("stopped %d times only", stops)
		}
		sameOutcome(t, f.Dir, straight.Dir)
	}
	// The backbone learns nothing until the head is done.
	stage1 := fineTune(t, "lr=1e-2; batch=4; accumulate=2; epochs=2; freeze=backbone; optimizer=adamw; ema=0.8")
	must(t, stage1, "")
	var lines [2][]string
	for i, dir := range []string{stage1.Dir, straight.Dir} {
		_, _, metrics := outcome(t, dir)
		for _, line := range metrics {
			if strings.Contains(line, `"batch"`) && (strings.Contains(line, `"epoch":1`) || strings.Contains(line, `"epoch":2`)) {
				lines[i] = append(lines[i], line)
			}
		}
	}
	if len(lines[0]) == 0 || !slices.Equal(lines[0], lines[1]) {
		t.Errorf("the first stage differs from a run with freeze=backbone:\n%s\n\n%s", strings.Join(lines[0], "\n"), strings.Join(lines[1], "\n"))
	}
}

// TestHeadEpochsExtended: the second stage follows what the settings say when it
// begins, and a change in it holds from there on.
func TestHeadEpochsExtended(t *testing.T) {
	const settings = "lr=1e-3; batch=4; epochs=3; head_epochs=1; head_lr=1e-2"
	f := fineTune(t, settings)
	if _, err := goOn(t, f, "", 2); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if _, err := goOn(t, f, "schedule=cosine; epochs=2", 4); !errors.Is(err, ErrStopped) { // into the second stage
		t.Fatal(err)
	}
	must(t, f, "epochs=3; lr=5e-4")
	second, third := Cosine(1e-3, 0, 3), Constant(5e-4)
	for i, rate := range rates(t, f.Dir) {
		want := 1e-2
		switch {
		case i >= 5:
			want = third(i)
		case i >= 3:
			want = second(i - 3)
		}
		if math.Abs(rate-want) > 1e-12 {
			t.Errorf("update %d at %g, want %g", i, rate, want)
		}
	}
}

// TestHeldOut: without pictures to validate on, a fifth of each class is held out,
// the same whatever the number of workers, and written down.
func TestHeldOut(t *testing.T) {
	f := fineTune(t, "lr=1e-3; batch=4; epochs=1")
	f.Train, f.Validation = stripes{20, -1}, nil
	f.Files = func(validation bool, i int) (string, data.Sum) {
		if validation {
			t.Error("asked for a file of the validation set, of which there is none")
		}
		return stripes{}.Name(i), data.Sum{byte(i % 19)} // the last is the first's twin
	}
	var told []string
	f.Warn = func(s string) { told = append(told, s) }
	m := must(t, f, "")
	if m.HeldOut == nil || *m.HeldOut != (HeldOut{Fraction: 0.2, Seed: 1, Pictures: 4, Of: 20}) || m.Best.Total != 4 || m.Settings["valid"] != "0.2" {
		t.Errorf("%+v, held out %+v", m, m.HeldOut)
	}
	if text := strings.Join(told, "\n"); !strings.Contains(text, "no val split: 4 of 20 pictures, 20 % of each class, are held out to validate on (valid=0.2; seed=1)") {
		t.Errorf("told %q", told)
	}
	if !slices.Equal(m.Warnings, told) {
		t.Errorf("run.json has %q, told was %q", m.Warnings, told)
	}
	list, err := Pictures(f.Dir)
	if err != nil || len(list) != 20 {
		t.Fatalf("%d pictures (%v)", len(list), err)
	}
	rest, part, err := data.HoldOut(f.Train, 2, 1, 0.2)
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range append(rest, part...) {
		want := Picture{Use: Trained, Name: stripes{}.Name(i), Class: f.Classes[i%2], Sum: SumText(data.Sum{byte(i % 19)})}
		if k >= len(rest) {
			want.Use = HeldApart
		}
		if list[k] != want {
			t.Errorf("picture %d is %+v, want %+v", k, list[k], want)
		}
	}
	again := f
	again.Dir, again.Workers = filepath.Join(t.TempDir(), "again"), 7
	must(t, again, "")
	sameOutcome(t, again.Dir, f.Dir)
	// Resumed, it goes on with the same; with another part it is another run.
	must(t, f, "epochs=2")
	if _, err := goOn(t, f, "epochs=3; valid=0.4", 0); err == nil || !strings.Contains(err.Error(), `valid was "0.2", now it is "0.4"`) {
		t.Errorf("another part: %v", err)
	}
	if _, err := goOn(t, f, "epochs=3; valid=0", 0); err == nil || !strings.Contains(err.Error(), `valid was "0.2", now it is "0"`) {
		t.Errorf("no part: %v", err)
	}
}

// TestHeldOutNone: valid=0 trains on all, and says so; what can't be split is an
// error that says what to do; with a validation set valid has no effect.
func TestHeldOutNone(t *testing.T) {
	f := fineTune(t, "lr=1e-3; batch=4; epochs=1; valid=0")
	f.Validation = nil
	m := must(t, f, "")
	if m.HeldOut != nil || m.Best != nil || m.Settings["valid"] != "" || len(m.Warnings) == 0 || !strings.Contains(m.Warnings[0], "valid=0") {
		t.Errorf("%+v", m)
	}
	g := fineTune(t, "lr=1e-3; batch=4; epochs=1")
	g.Train, g.Validation = stripes{2, -1}, nil
	if _, err := goOn(t, g, "", 0); err == nil || !strings.Contains(err.Error(), "valid=0 trains on all") {
		t.Errorf("two pictures: %v", err)
	}
	if _, err := os.Stat(g.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it left a folder (%v)", err)
	}
	own := fineTune(t, "lr=1e-3; batch=4; epochs=1; valid=0.3")
	if err := os.MkdirAll(own.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(own.Dir, picturesFile)
	if err := os.WriteFile(mine, []byte("my,own\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := goOn(t, own, "", 0); err == nil || !strings.Contains(err.Error(), "pictures.csv is there already, and no run's") {
		t.Errorf("a file that is no run's: %v", err)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "my,own\n" {
		t.Errorf("it was overwritten: %q (%v)", text, err)
	}
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	if m := must(t, own, ""); !slices.Contains(m.Warnings, "valid=0.3 has no effect: there are pictures to validate on") {
		t.Errorf("warnings %q", m.Warnings)
	}
	h := fineTune(t, "lr=1e-3; batch=4; epochs=1")
	h.Files = func(_ bool, i int) (string, data.Sum) { return stripes{}.Name(i), data.Sum{byte(i)} }
	m = must(t, h, "")
	if m.HeldOut != nil || m.Settings["valid"] != "" {
		t.Errorf("%+v", m)
	}
	if text := strings.Join(m.Warnings, "\n"); !strings.Contains(text, "6 of the 6 pictures to validate on are also trained on") {
		t.Errorf("twins: %q", text)
	}
	list, err := Pictures(h.Dir)
	if err != nil || len(list) != 18 || list[17].Use != Validated {
		t.Errorf("%+v (%v)", list, err)
	}
}

// TestSettingsOf reads a run's settings, also of one from before there was valid.
func TestSettingsOf(t *testing.T) {
	for text, want := range map[string]float64{"lr=1e-3; optimizer=adamw; weight_decay=0.3; epochs=7; mixup=0.2": 0, "valid=0.3; head_epochs=1": 0.3} {
		s, err := ParseSettings(text)
		if err != nil {
			t.Fatal(err)
		}
		m := &Manifest{Settings: s.Map()}
		m.Settings["pipeline"] = "totensor"
		got, err := SettingsOf(m)
		if s.Valid = want; err != nil || got != s {
			t.Errorf("%s comes back as %+v (%v)", text, got, err)
		}
	}
	for name, value := range map[string]string{"lr": "fast", "momentum": "0.9", "epochs": "0"} {
		m := &Manifest{Settings: DefaultSettings().Map()}
		m.Settings[name] = value
		if _, err := SettingsOf(m); err == nil || !strings.Contains(err.Error(), "run.json: ") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}

func FuzzPictures(f *testing.F) {
	f.Add([]byte("use,filename,label,sha256\ntrain,\"a,b.jpg\",cat,00ff\nval,c.jpg,,\n"))
	f.Add([]byte("use,filename\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parsePictures("f", text)
		if err != nil {
			return
		}
		again, err := writePictures(list)
		if err != nil {
			t.Fatal(err)
		}
		same, err := parsePictures("f", again)
		if err != nil || !slices.Equal(list, same) {
			t.Errorf("%q: %+v became %+v (%v)", text, list, same, err)
		}
	})
}
