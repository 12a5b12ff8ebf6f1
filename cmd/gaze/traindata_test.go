package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/train"
)

// onlyTrain draws a set of two breeds without a val split: 16 training pictures, 8 test
// pictures.
func onlyTrain(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pets")
	ok(t, "pets", "-o", dir, "--size", "32", "--breeds", "2", "--train", "8", "--val", "0", "--test", "4")
	return dir
}

// trained trains for an epoch and returns the messages.
func trained(t *testing.T, set, dir string, more ...string) string {
	t.Helper()
	args := append([]string{"train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--set", "lr=1e-3; epochs=1; batch=8", "-o", dir}, more...)
	status, out, log := separately(t, args...)
	if status != 0 {
		t.Fatalf("gaze %q: exit status %d\n%s", args, status, log)
	}
	return out + log
}

// evaluateAnswer is the JSON output of gaze evaluate.
type evaluateAnswer struct {
	Split    string
	HeldOut  *train.HeldOut `json:"held_out"`
	Trained  *int           `json:"trained_on"`
	Pictures int
	Correct  int
	Accuracy *struct{ Value float64 }
	Training *struct{ Value float64 } `json:"training_accuracy"`
	Against  struct {
		Accuracy, TrainingAccuracy *struct{ Value float64 }
	}
}

func evaluateJSON(t *testing.T, args ...string) (a evaluateAnswer, text, log string) {
	t.Helper()
	status, text, log := separately(t, append([]string{"evaluate", "--json"}, args...)...)
	if status != 0 {
		t.Fatalf("gaze evaluate %q: exit status %d\n%s", args, status, log)
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	return a, text, log
}

// TestTrainHoldsOut: without a val split a part of each class is held out and later
// evaluated; training accuracy is always called that.
func TestTrainHoldsOut(t *testing.T) {
	set, run := onlyTrain(t), filepath.Join(t.TempDir(), "run")
	said := trained(t, set, run)
	for _, part := range []string{
		"no val split: 3 of 16 pictures, 20 % of each class, are held out to validate on (valid=0.2; seed=1)", "of 3 held-out pictures right",
		"the test split isn't used for validation", "gaze evaluate --run " + run + " --split test",
	} {
		if !strings.Contains(said, part) {
			t.Errorf("%q isn't said:\n%s", part, said)
		}
	}
	list, err := train.Pictures(run)
	if err != nil || len(list) != 16 {
		t.Fatalf("%d pictures (%v)", len(list), err)
	}
	held := list[13]
	if held.Use != train.HeldApart || list[12].Use != train.Trained || len(held.Sum) != 16 {
		t.Errorf("%+v", list)
	}
	a, text, log := evaluateJSON(t, "--run", run)
	if a.Split != "val" || a.HeldOut == nil || a.HeldOut.Pictures != 3 || a.Pictures != 3 || a.Trained == nil || *a.Trained != 0 || a.Accuracy == nil || a.Training != nil || log != "" {
		t.Errorf("held out: %s%s", text, log)
	}
	a, text, log = evaluateJSON(t, "--run", filepath.Join(run, "best", "model.safetensors"), "--split", "train", "--data", set, "-o", filepath.Join(run, "evaluation"))
	if a.Split != "train" || a.Pictures != 13 || *a.Trained != 13 || a.Training == nil || strings.Contains(text, `"accuracy"`) || strings.Count(log, "was trained on these 13 pictures: this is its training accuracy") != 1 {
		t.Errorf("trained on: %s%s", text, log)
	}
	if report := readFile(t, filepath.Join(run, "evaluation", "report.json")); string(report) != text {
		t.Error("report.json differs from what was printed")
	}
	if _, out, _ := separately(t, "evaluate", "--run", run, "--split", "train"); strings.Count(strings.ToLower(out), "accuracy") != strings.Count(strings.ToLower(out), "training accuracy") || !strings.Contains(out, "13 pictures of 2 classes, which it was trained on") {
		t.Errorf("training accuracy is called accuracy:\n%s", out)
	}
	if a, text, _ = evaluateJSON(t, "--run", run, "--split", "test", "--against", run); a.Pictures != 8 || a.HeldOut != nil || *a.Trained != 0 || a.Against.Accuracy == nil {
		t.Errorf("test: %s", text)
	}
	t.Run("moved", func(t *testing.T) { evaluateMoved(t, set, run, held) })
}

// evaluateMoved: the same pictures are evaluated if the data set was moved or extended;
// if one of them is missing, that is an error.
func evaluateMoved(t *testing.T, set, run string, held train.Picture) {
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.CopyFS(moved, os.DirFS(set)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(moved, "train", "0_900.jpg"), readFile(t, filepath.Join(set, "test", "0_16.jpg")), 0o644); err != nil {
		t.Fatal(err)
	}
	if a, text, _ := evaluateJSON(t, "--run", run, "--data", moved); a.Pictures != 3 || a.HeldOut == nil || *a.Trained != 0 {
		t.Errorf("moved: %s", text)
	}
	// A folder with pictures that were trained on and others that weren't.
	a, text, log := evaluateJSON(t, "--run", run, "--data", filepath.Join(moved, "train"), "--split", "train")
	if a.Pictures != 14 || *a.Trained != 13 || a.Accuracy == nil || !strings.Contains(log, "13 of these 14 pictures") {
		t.Errorf("more pictures: %s%s", text, log)
	}
	if err := os.Remove(filepath.Join(set, "train", held.Name)); err != nil {
		t.Fatal(err)
	}
	if status, _, log := separately(t, "evaluate", "--run", run); status != 1 || !strings.Contains(log, held.Name+" is missing or was changed (2 of 3 are unchanged)") {
		t.Errorf("a picture is gone: exit status %d, %s", status, log)
	}
	if status, _, log := gaze(t, "train", "--resume", "-o", run); status != 1 || !strings.Contains(log, "its pictures have changed since the run in") {
		t.Errorf("resumed on other pictures: exit status %d, %s", status, log)
	}
}

// TestTrainedBefore: pictures that a run's starting model was trained on can't validate
// it. With the same seed the same pictures are held out again. With another seed, train
// and evaluate warn; they also warn if a run was trained on the pictures that another
// run held out.
func TestTrainedBefore(t *testing.T) {
	set, dir := onlyTrain(t), t.TempDir()
	first, same, other, third := filepath.Join(dir, "first"), filepath.Join(dir, "same"), filepath.Join(dir, "other"), filepath.Join(dir, "third")
	const half = "epochs=1; batch=8; valid=0.5; seed="
	trained(t, set, first, "--set", half+"1")
	if said := trained(t, set, same, "--model", filepath.Join(first, "best"), "--set", half+"1"); strings.Contains(said, "before") {
		t.Error(said)
	}
	overlap := func(a, b string) int {
		n, seen := 0, map[string]bool{}
		before, err := train.Pictures(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range before {
			seen[p.Sum] = seen[p.Sum] || p.Use == train.Trained
		}
		list, err := train.Pictures(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			if p.Use == train.HeldApart && seen[p.Sum] {
				n++
			}
		}
		return n
	}
	said := trained(t, set, other, "--model", first, "--set", half+"2")
	n := overlap(first, other)
	if want := fmt.Sprintf("%d of the 8 pictures to validate on are among those that the model was trained on before", n); n == 0 || !strings.Contains(said, want) {
		t.Errorf("%q isn't said:\n%s", want, said)
	}
	if a, text, log := evaluateJSON(t, "--run", other); a.Trained == nil || *a.Trained != n || !strings.Contains(log, fmt.Sprintf("on %d of these 8 pictures", n)) {
		t.Errorf("%d of 8: %s%s", n, text, log)
	}
	if a, text, _ := evaluateJSON(t, "--run", same); a.Trained == nil || *a.Trained != 0 {
		t.Errorf("the same seed: %s", text)
	}
	// It is still known two runs later, as long as the runs exist.
	trained(t, set, third, "--model", same, "--set", half+"2")
	if a, text, _ := evaluateJSON(t, "--run", third); a.Trained == nil || *a.Trained != n {
		t.Errorf("the third run: %s", text)
	}
	// A run trained on everything that this one held out gets the warning.
	all := filepath.Join(dir, "all")
	trained(t, set, all, "--set", "epochs=1; batch=8; valid=0")
	a, text, log := evaluateJSON(t, "--run", first, "--against", all)
	if a.Accuracy == nil || a.Training != nil || a.Against.Accuracy != nil || !strings.Contains(text, `"training_accuracy"`) || !strings.Contains(log, all+" was trained on these 8 pictures") {
		t.Errorf("against a run that knows them: %s%s", text, log)
	}
}

// TestTrainValid: the held-out fraction is a setting; with a val split it is an error.
func TestTrainValid(t *testing.T) {
	set, dir := onlyTrain(t), t.TempDir()
	if said := trained(t, set, filepath.Join(dir, "half"), "--set", "epochs=1; batch=8; valid=0.5; seed=7"); !strings.Contains(said, "8 of 16 pictures, 50 % of each class, are held out to validate on (valid=0.5; seed=7)") {
		t.Error(said)
	}
	all := filepath.Join(dir, "all")
	if said := trained(t, set, all, "--set", "epochs=1; batch=8; valid=0"); !strings.Contains(said, "no picture is held out to validate on (valid=0)") {
		t.Error(said)
	}
	if a, text, log := evaluateJSON(t, "--run", all, "--split", "train"); a.Pictures != 16 || a.Training == nil || !strings.Contains(log, "training accuracy") {
		t.Errorf("%s%s", text, log)
	}
	// A run of an earlier version lists no pictures, but identifies its data set.
	if err := os.Remove(filepath.Join(all, "pictures.csv")); err != nil {
		t.Fatal(err)
	}
	if a, text, _ := evaluateJSON(t, "--run", all, "--split", "train"); a.Training == nil {
		t.Errorf("without pictures.csv: %s", text)
	}
	with := petSet(t)
	args := []string{"train", "--data", with, "--model", trainScratch, "--pipeline", trainPipeline, "-o", filepath.Join(dir, "no"), "--set"}
	if status, _, log := gaze(t, append(args, "valid=0.3")...); status != 2 || !strings.Contains(log, "has a val split: leave valid out") {
		t.Errorf("exit status %d, %s", status, log)
	}
	if said := trained(t, filepath.Join(with, "train"), filepath.Join(dir, "part")); !strings.Contains(said, "train is a split of "+with) || !strings.Contains(said, "3 of 16 pictures") {
		t.Error(said)
	}
	// Pictures that are in both splits get a warning.
	twin := filepath.Join(with, "val", "1_901.jpg")
	if err := os.WriteFile(twin, readFile(t, filepath.Join(with, "train", "1_1.jpg")), 0o644); err != nil {
		t.Fatal(err)
	}
	if said := trained(t, with, filepath.Join(dir, "twins"), "--set", "epochs=1; batch=8; valid=0"); !strings.Contains(said, "1 of the 9 pictures to validate on are also trained on") {
		t.Error(said)
	}
}

// TestTrainExtends: --set with --resume changes only the settings it names.
func TestTrainExtends(t *testing.T) {
	set, dir := petSet(t), filepath.Join(t.TempDir(), "run")
	trained(t, set, dir, "--set", "lr=2e-3; epochs=1; batch=4; optimizer=adamw; weight_decay=0.3; clip=1")
	before, err := train.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, log := separately(t, "train", "--resume", "-o", dir, "--set", "epochs=3"); status != 0 {
		t.Fatalf("exit status %d, %s", status, log)
	}
	if status, _, log := separately(t, "train", "--resume", "-o", dir, "--set", "epochs=4; lr=1e-4"); status != 0 {
		t.Fatalf("exit status %d, %s", status, log)
	}
	m, err := train.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := before.Settings
	want["epochs"], want["lr"] = "4", "0.0001"
	for name := range want {
		if m.Settings[name] != want[name] {
			t.Errorf("%s is %q, want %q", name, m.Settings[name], want[name])
		}
	}
	if m.Status != train.Done || m.Epochs != 4 || len(m.History) != 3 || m.History[2].Settings["lr"] != "0.0001" || m.History[1].Settings["lr"] != "0.002" || !strings.Contains(m.Notes["set"], "clip=1") {
		t.Errorf("%+v", m)
	}
	for _, c := range []struct {
		flags  []string
		status int
		says   string
	}{
		{[]string{"--set", "batch=8; epochs=9"}, 1, `batch was "4", now it is "8" (only lr, epochs, schedule, floor may change)`},
		{[]string{"--set", "epochs=2"}, 1, "epochs=2 is too few"},
		{[]string{"--set", "lr=1"}, 1, "add epochs=5"},
		{[]string{"--set", "epochs=x"}, 2, "column 8"},
		{[]string{"--pipeline", "resize(32,32) | totensor"}, 1, "pipeline was"},
		{[]string{"--data", onlyTrain(t)}, 1, "its pictures have changed"},
		{[]string{"--model", "vit:dim=16,depth=2,heads=2,patch=16,size=32"}, 1, "model was"},
	} {
		if status, _, log := gaze(t, append([]string{"train", "--resume", "-o", dir}, c.flags...)...); status != c.status || !strings.Contains(log, c.says) {
			t.Errorf("%q: exit status %d, want %d and %q\n%s", c.flags, status, c.status, c.says, log)
		}
	}
}

// TestTrainSplitFolders: training_set and validation_set are recognised as splits, with a
// note.
func TestTrainSplitFolders(t *testing.T) {
	set := t.TempDir()
	for _, split := range []string{"training_set", "validation_set"} {
		for _, class := range []string{"cat", "Dog"} {
			folder := filepath.Join(set, split, class)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			photo(t, folder, "0.png")
			photo(t, folder, "1.png")
		}
	}
	run := filepath.Join(t.TempDir(), "run")
	said := trained(t, set, run, "--set", "epochs=1; batch=4")
	if !strings.Contains(said, "training_set is train, validation_set is val") || !strings.Contains(said, "of 4 validation pictures") {
		t.Error(said)
	}
	if out := ok(t, "model", run); !strings.Contains(out, "Dog") {
		t.Errorf("the classes aren't Dog and cat: %s", out)
	}
	a, text, log := evaluateJSON(t, "--run", run) // all pictures here are the same
	if a.Split != "val" || a.Pictures != 4 || a.Accuracy == nil || *a.Trained != 4 || !strings.Contains(log, "was trained on 4 of these 4 pictures") || strings.Index(text, `"Dog"`) > strings.Index(text, `"cat"`) {
		t.Error(text)
	}
}
