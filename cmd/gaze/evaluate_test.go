package main

import (
	"encoding/csv"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/vit"
)

// untrained saves a model with random weights for the pets' classes.
func untrained(t *testing.T, like string) string {
	t.Helper()
	m, err := vit.Load(filepath.Join(like, "best", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	random, err := vit.New(m.Config, 5)
	if err != nil {
		t.Fatal(err)
	}
	random.Labels = m.Labels
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := random.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// evaluateRun compares the report, the predictions and the output of classify.
func evaluateRun(t *testing.T, first, set string) {
	second := untrained(t, first)
	out := filepath.Join(t.TempDir(), "new", "evaluation")
	text := ok(t, "evaluate", "--run", first, "--data", set, "--split", "test", "--against", second, "-o", out, "--json")
	var got struct {
		Split             string
		Pictures, Correct int
		Confusion         [][]int
		Against           struct {
			Run     string
			McNemar struct{ Pictures int }
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Split != "test" || got.Pictures != 8 || len(got.Confusion) != 2 || got.Against.Run != second || got.Against.McNemar.Pictures != 8 {
		t.Errorf("%+v", got)
	}
	if file, err := os.ReadFile(filepath.Join(out, "report.json")); err != nil || string(file) != text {
		t.Errorf("report.json differs from what was printed (%v)", err)
	}
	for _, name := range []string{"confusion.png", "reliability.png", "classes.png"} {
		f, err := os.Open(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
	rows := table(t, filepath.Join(out, "predictions.csv"))
	classified := filepath.Join(t.TempDir(), "p.csv")
	ok(t, "classify", "--model", first, "--numbers", "-o", classified, filepath.Join(set, "test"))
	said := map[string]string{}
	for _, row := range table(t, classified) {
		said[row[0]] = row[1]
	}
	correct := 0
	for _, row := range rows[1:] {
		if name := filepath.Base(row[0]); said[name] != row[2] || !strings.HasPrefix(name, row[1]+"_") {
			t.Errorf("predictions have %v, classify says %s", row, said[name])
		}
		if row[1] == row[2] {
			correct++
		}
	}
	if len(rows) != 9 || correct != got.Correct {
		t.Errorf("%d rows, %d right; the report has %d", len(rows), correct, got.Correct)
	}
}

func table(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// evaluateDefaults: the run's own data and its val split, as a table.
func evaluateDefaults(t *testing.T, run, set string) {
	if status, out, log := separately(t, "evaluate", "--run", run); status != 0 || log != "" || !strings.Contains(out, "val of "+set) || !strings.Contains(out, "8 pictures of 2 classes") || !strings.Contains(out, "95 % interval") {
		t.Errorf("exit status %d\n%s%s", status, out, log)
	}
	if status, out, log := separately(t, "evaluate", "--run", filepath.Join(run, "best", "model.safetensors"), "--data", filepath.Join(set, "test")); status != 0 || !strings.Contains(out, "8 pictures") {
		t.Errorf("a folder of pictures: exit status %d\n%s%s", status, out, log)
	}
	// A picture that can't be read is named and left out.
	bad := filepath.Join(set, "val", "0_900.jpg")
	if err := os.WriteFile(bad, []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, out, log := separately(t, "evaluate", "--run", run, "--against", run)
	if status != 1 || !strings.Contains(out, "8 pictures") || strings.Count(log, bad) != 1 || !strings.Contains(log, "1 of 9 pictures") {
		t.Errorf("exit status %d\n%s%s", status, out, log)
	}
	other := filepath.Join(t.TempDir(), "other")
	ok(t, "pets", "-o", other, "--size", "32", "--breeds", "2", "--first-breed", "5", "--train", "0", "--val", "2", "--test", "0")
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "run.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"evaluate"}, 2, "run"},
		{[]string{"evaluate", "--run", tiny}, 2, "name the data set"},
		{[]string{"evaluate", "--run", t.TempDir() + "/none"}, 2, "holds no run that records its training data"},
		{[]string{"evaluate", "--run", damaged}, 1, "run.json"},
		{[]string{"evaluate", "--run", run, "--split", "best"}, 2, "has no best, only val, test, train"},
		{[]string{"evaluate", "--run", run, "--pipeline", "resize(8)"}, 2, "totensor"},
		{[]string{"evaluate", "--run", run, "--batch", "0"}, 2, "--batch"},
		{[]string{"evaluate", "--run", run, "--data", other}, 1, "knows no class"},
		{[]string{"evaluate", "--run", t.TempDir() + "/none", "--data", set}, 1, "neither a file"},
	} {
		if status, out, log := gaze(t, c.args...); status != c.status || !strings.Contains(log, c.says) {
			t.Errorf("gaze %q: exit status %d, want %d and %q\n%s%s", c.args, status, c.status, c.says, out, log)
		}
	}
}
