package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gaze/pkg/vit"
)

// named saves a classifier with the given class names, or without names if nil.
func named(t *testing.T, path string, labels ...string) {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=16,depth=1,heads=2,patch=16,size=32")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = max(len(labels), 3)
	m, err := vit.New(cfg, 7)
	if err != nil {
		t.Fatal(err)
	}
	m.Labels = labels
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
}

func parseCSV(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return rows
}

// TestClassifyLabels: names come from --names, otherwise from the checkpoint; --numbers
// gives numbers.
func TestClassifyLabels(t *testing.T) {
	if testing.Short() {
		t.Skip("classifies many times")
	}
	shareCache(t)
	workplace(t)
	named(t, "named/model.safetensors", "pug", `poodle, "toy"`, "mops")
	named(t, "bare/model.safetensors")
	write(t, "three.txt", "one\ntwo\nthree\n")
	number := parseCSV(t, ok(t, "classify", "--model", "named", "--numbers", "photos/cat.png"))[1][1]
	class, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--model", "named"}, []string{"pug", `poodle, "toy"`, "mops"}[class]},
		{[]string{"--model", "named/model.safetensors"}, []string{"pug", `poodle, "toy"`, "mops"}[class]},
		{[]string{"--model", "named", "--names", "three.txt"}, []string{"one", "two", "three"}[class]},
		{[]string{"--model", "bare"}, number},
		{[]string{"--model", "bare", "--numbers"}, number},
		{[]string{"--model", "bare", "--names", "three.txt"}, []string{"one", "two", "three"}[class]},
	} {
		rows := parseCSV(t, ok(t, append(append([]string{"classify"}, c.args...), "photos/cat.png")...))
		if !slices.Equal(rows[0], []string{"filename", "label"}) || !slices.Equal(rows[1], []string{"cat.png", c.want}) {
			t.Errorf("%q: %q, want %q", c.args, rows, c.want)
		}
	}
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"--numbers", "--names", "three.txt"}, 2, "choose one"},
		{[]string{"--names", "names.txt"}, 1, "2 names, but the model has 3"},
		{[]string{"--top", "0"}, 2, "at least 1"},
		{[]string{"--top", "-1"}, 2, "at least 1"},
		{[]string{"-o", ""}, 2, "--output is empty"},
		{[]string{"-o", "-", "--json"}, 2, "standard output"},
		{[]string{"-0"}, 2, "--null"},
	} {
		status, out, log := gaze(t, append(append([]string{"classify", "--model", "named"}, c.args...), "photos/cat.png")...)
		if status != c.status || !strings.Contains(log, c.says) || out != "" {
			t.Errorf("%q: exit status %d\n%s%s", c.args, status, out, log)
		}
	}
}

// TestClassifyTop: the likeliest classes in CSV and JSON agree with the logits.
func TestClassifyTop(t *testing.T) {
	shareCache(t)
	workplace(t)
	named(t, "named/model.safetensors", "a", "b", "c", "d")
	out := ok(t, "classify", "--model", "named", "--top", "3", "--logits", "l.npy", "photos")
	rows := parseCSV(t, out)
	if got := strings.Join(rows[0], ","); got != "filename,label,label1,p1,label2,p2,label3,p3" || len(rows) != 3 {
		t.Fatalf("%q", rows)
	}
	_, logits := array(t, "l.npy")
	var objects []struct {
		Filename, Label string
		Class           int
		Probability     float64
		Top             []struct {
			Class       int
			Label       string
			Probability float64
		}
	}
	if err := json.Unmarshal([]byte(ok(t, "classify", "--model", "named", "--top", "99", "--json", "-o", "all.csv", "photos")), &objects); err != nil {
		t.Fatal(err)
	}
	all := readCSV(t, "all.csv")
	for i, row := range rows[1:] {
		own := logits[4*i : 4*i+4]
		sum := 0.0
		for _, v := range own {
			sum += math.Exp(float64(v))
		}
		o := objects[i]
		if row[1] != row[2] || row[1] != o.Label || o.Filename != row[0] || len(o.Top) != 4 || o.Top[0].Class != o.Class || len(all[i+1]) != 10 {
			t.Errorf("row %q, JSON %+v, all %q", row, o, all[i+1])
		}
		last, total := math.Inf(1), 0.0
		for k, choice := range o.Top {
			want := math.Exp(float64(own[choice.Class])) / sum
			if math.Abs(choice.Probability-want) > 1e-6 || choice.Probability > last || choice.Label != string(rune('a'+choice.Class)) {
				t.Errorf("choice %d: %+v, want probability %g", k, choice, want)
			}
			last, total = choice.Probability, total+choice.Probability
			if k >= 3 {
				continue
			}
			if p, err := strconv.ParseFloat(row[3+2*k], 64); err != nil || math.Abs(p-want) > 1e-5 || row[2+2*k] != choice.Label {
				t.Errorf("row %q, JSON %+v", row, choice)
			}
		}
		if math.Abs(total-1) > 1e-9 || o.Probability != o.Top[0].Probability {
			t.Errorf("probabilities sum to %g: %+v", total, o)
		}
	}
}

// TestClassifyOnATerminal: a table on a terminal, CSV elsewhere and on request.
func TestClassifyOnATerminal(t *testing.T) {
	shareCache(t)
	workplace(t)
	named(t, "named/model.safetensors", "pug", "a very long name of a class, longer than its column", "\x1b[31mred")
	old := isTerminal
	defer func() { isTerminal = old }()
	isTerminal = func(io.Writer) bool { return true }
	plain(t, "photos/猫\x1b.png", 9)
	out := ok(t, "classify", "--model", "named", "--top", "2", "-q", "photos")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 7 || strings.Contains(out, "\x1b") || !strings.HasPrefix(lines[0], "file ") || !strings.HasSuffix(lines[0], "probability") {
		t.Fatalf("%q", lines)
	}
	for i, line := range lines {
		if columnsOf(line) != columnsOf(lines[0]) {
			t.Errorf("line %d is %d columns wide, the first %d:\n%s", i, columnsOf(line), columnsOf(lines[0]), out)
		}
		if blank := strings.HasPrefix(line, " "); blank != (i > 0 && i%2 == 0) {
			t.Errorf("line %d: %q", i, line)
		}
	}
	if out := ok(t, "classify", "--model", "named", "-q", "-o", "-", "photos"); !strings.HasPrefix(out, "filename,label\n") {
		t.Errorf("-o -: %q", out)
	}
	if out := ok(t, "classify", "--model", "named", "-q", "-o", "p.csv", "photos"); out != "" {
		t.Errorf("with a file: %q", out)
	}
}

// TestClassifyNaN: logits that aren't finite are an error.
func TestClassifyNaN(t *testing.T) {
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		if _, err := newAnswer("a.png", []float32{1, v, 0}, nil, 2); err == nil || !strings.Contains(err.Error(), "finite") {
			t.Errorf("%v: %v", v, err)
		}
	}
	a, err := newAnswer("a.png", []float32{1000, 1000, -1000}, nil, 9)
	if err != nil || a.Class != 0 || a.Probability != 0.5 || len(a.Top) != 3 || a.Top[1].Class != 1 {
		t.Errorf("%+v, %v", a, err)
	}
}
