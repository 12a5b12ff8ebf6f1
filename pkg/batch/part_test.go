package batch

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var regen = flag.Bool("regen", false, "write the golden part again; then run tools/golden/batch.py")

// goldenRows are rows of every kind.
var goldenRows = []Row{
	{Key: "a/dog.jpg", Width: 640, Height: 480, Hash: strings.Repeat("0f", 32), Result: Result{
		Label: "dog", Class: 1, Probability: 0.75, Logits: []float32{-1, 2.5}, Embedding: []float32{0.1, -2e-7, 3e10},
		Attention: []float32{0.125, 0.25, 0, 0.0625, 0.03125, 0.015625}, Grid: [2]int{2, 3}, Caption: "a dog — “sitting”", LogProb: -3.25,
	}},
	{Key: "a/猫.png", Width: 1, Height: 1, Hash: strings.Repeat("a0", 32), Damage: "the data ends early, in row 1 of the picture", Result: Result{
		Label: "", Class: 0, Probability: 1, Logits: []float32{math.MaxFloat32, 0}, Embedding: []float32{1, 2, 3},
		Attention: []float32{1, 2, 3, 4, 5, 6}, Grid: [2]int{2, 3}, LogProb: 0,
	}},
	{Key: "b/gone.jpg", Err: "open: no such file or directory"},
	{Key: "b/text.jpg", Hash: strings.Repeat("77", 32), Err: "not a picture that can be read"},
	{Key: "b/thin.jpg", Width: 9000, Height: 1, Hash: strings.Repeat("12", 32), Err: "too thin"},
}

// goldenPart makes a part of the rows, with all columns.
func goldenPart(t *testing.T) []byte {
	t.Helper()
	spec := fakeSpec(5)
	spec.Want = Wants()
	p := newPartWriter(&Job{ID: strings.Repeat("e", 64), description: description{Spec: spec}}, 42)
	for i := range goldenRows {
		if err := p.add(&goldenRows[i]); err != nil {
			t.Fatal(err)
		}
	}
	data, err := p.finish()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestPartBytes: a part's bytes are those of the golden file, which other programs have read.
func TestPartBytes(t *testing.T) {
	path := filepath.Join("testdata", "part.parquet")
	data := goldenPart(t)
	if *regen {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, want) {
		t.Errorf("the part differs from %s: if that is meant, run this test with -regen and then tools/golden/batch.py", path)
	}
	s, err := scanPart(data)
	if err != nil || s.bad != 3 || s.shard != "42" || len(s.keys) != 5 || s.keys[1] != "a/猫.png" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestReadByOthers: pyarrow, DuckDB and Hugging Face datasets, which agreed when
// tools/golden/batch.py wrote the file, read from the golden part what was written.
func TestReadByOthers(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "part.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Columns []string
		Rows    []struct {
			Key               string
			Width, Height     *int
			Hash              *string
			Label             *string
			Class             *int
			Probability       *float64
			Logits, Embedding []float32
			Attention         []float32
			Attention_rows    *int
			Attention_columns *int
			Caption           *string
			Caption_logprob   *float64
			Damage, Error     *string
		}
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	spec := Spec{Want: Wants()}
	if !slices.Equal(read.Columns, spec.Columns()) || len(read.Rows) != len(goldenRows) {
		t.Fatalf("columns %v of %d rows", read.Columns, len(read.Rows))
	}
	text2 := func(s *string) string {
		if s == nil {
			return "<none>"
		}
		return *s
	}
	optional := func(s string) string {
		if s == "" {
			return "<none>"
		}
		return s
	}
	for i, r := range read.Rows {
		w := goldenRows[i]
		if r.Key != w.Key || text2(r.Hash) != optional(w.Hash) || text2(r.Damage) != optional(w.Damage) || text2(r.Error) != optional(w.Err) ||
			(r.Width != nil) != (w.Width > 0) || r.Width != nil && (*r.Width != w.Width || *r.Height != w.Height) {
			t.Errorf("row %d: %+v", i, r)
		}
		if w.Err != "" {
			if r.Label != nil || r.Class != nil || r.Probability != nil || r.Logits != nil || r.Embedding != nil || r.Attention != nil || r.Attention_rows != nil || r.Caption != nil || r.Caption_logprob != nil {
				t.Errorf("row %d has results: %+v", i, r)
			}
			continue
		}
		if *r.Label != w.Label || *r.Class != w.Class || *r.Probability != w.Probability || !slices.Equal(r.Logits, w.Logits) ||
			!slices.Equal(r.Embedding, w.Embedding) || !slices.Equal(r.Attention, w.Attention) || *r.Attention_rows != w.Grid[0] ||
			*r.Attention_columns != w.Grid[1] || *r.Caption != w.Caption || *r.Caption_logprob != w.LogProb {
			t.Errorf("row %d: %+v", i, r)
		}
	}
}
