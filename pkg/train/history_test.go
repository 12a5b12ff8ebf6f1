package train

import (
	"os"
	"path/filepath"
	"testing"
)

func TestHistory(t *testing.T) {
	dir := straightRun(t)
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := History(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != m.Epochs {
		t.Fatalf("%d epochs, the manifest says %d", len(list), m.Epochs)
	}
	for i, e := range list {
		if e.Epoch != i+1 || e.Train.Total == 0 || e.Validation == nil {
			t.Errorf("epoch %d: %+v", i+1, e)
		}
	}
	if best := list[m.BestAt-1]; *best.Validation != *m.Best {
		t.Errorf("the best is %+v, the manifest says %+v", best.Validation, m.Best)
	}
}

func TestHistoryOfOddFiles(t *testing.T) {
	epoch := `{"epoch":1,"update":2,"train":{"loss":1,"correct":1,"total":2,"accuracy":0.5},"seconds":1}` + "\n"
	batch := `{"epoch":1,"batch":1,"update":1,"loss":2,"correct":0,"seconds":1}` + "\n"
	for _, c := range []struct {
		name, text string
		epochs     int
		fails      bool
	}{
		{"empty", "", 0, false},
		{"batches alone", batch + batch, 0, false},
		{"an epoch", batch + epoch, 1, false},
		{"cut while being written", batch + epoch + `{"epoch":2,"tra`, 1, false},
		{"not JSON", batch + "what\n", 0, true},
		{"an epoch twice", epoch + epoch, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, metricsFile), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			list, err := History(dir)
			if (err != nil) != c.fails || len(list) != c.epochs {
				t.Errorf("%d epochs, %v", len(list), err)
			}
		})
	}
	if _, err := History(t.TempDir()); err == nil {
		t.Error("a folder without a run has a history")
	}
}
