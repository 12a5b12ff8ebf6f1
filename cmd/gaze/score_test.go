package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// captionFiles writes references and results and returns the flags that name them.
func captionFiles(t *testing.T, refs, hyps string) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"refs.json": refs, "hyps.json": hyps} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"score", "--refs", filepath.Join(dir, "refs.json"), "--hyps", filepath.Join(dir, "hyps.json")}
}

const captionRefs = `{"annotations":[{"image_id":1,"caption":"A dog runs on the beach."},{"image_id":1,"caption":"a brown dog running"},
	{"image_id":2,"caption":"two cats on a sofa"},{"image_id":3,"caption":"a man"}]}`

func TestScore(t *testing.T) {
	args := captionFiles(t, captionRefs, `[{"image_id":"2","caption":"Two cats on a sofa!"},{"image_id":1,"caption":"a dog"}]`)
	status, out, log := gaze(t, args...)
	if status != 0 || !strings.Contains(out, "pictures          2\n") || !strings.Contains(out, "BLEU-1            0.") {
		t.Errorf("status %d\n%s%s", status, out, log)
	}
	if !strings.HasSuffix(log, "left out: 1\n") {
		t.Errorf("what is left out isn't said: %s", log)
	}
	var r struct {
		Scores map[string]float64
		Images []map[string]any
	}
	if err := json.Unmarshal([]byte(ok(t, append(args, "--json")...)), &r); err != nil {
		t.Fatal(err)
	}
	if r.Scores["ROUGE_L"] <= 0.5 || len(r.Images) != 2 || r.Images[1]["ROUGE_L"] != 1.0 || r.Images[1]["image_id"] != 2.0 {
		t.Errorf("%+v", r)
	}
}

func TestScoreRefuses(t *testing.T) {
	for _, c := range []struct{ name, refs, hyps, want string }{
		{"no reference", captionRefs, `[{"image_id":9,"caption":"a"}]`, "hyps.json: "},
		{"no reference names the picture", captionRefs, `[{"image_id":9,"caption":"a"}]`, "no reference for image_id 9"},
		{"references not JSON", `{`, `[]`, "refs.json: line 1"},
		{"results empty", captionRefs, `[]`, "hyps.json: no results"},
	} {
		status, out, log := gaze(t, captionFiles(t, c.refs, c.hyps)...)
		if status != 1 || out != "" || !strings.Contains(log, c.want) || strings.Count(log, "\n") != 1 {
			t.Errorf("%s: status %d\n%s%s", c.name, status, out, log)
		}
	}
	if status, _, _ := gaze(t, "score"); status != 2 {
		t.Errorf("without flags: status %d", status)
	}
}

// TestScoreKeepsIDs: a number stays the same to the last digit, and a string stays a
// string.
func TestScoreKeepsIDs(t *testing.T) {
	ids := []string{`1`, `"2"`, `9007199254740993`, `18446744073709551617`, `-7`, `"042"`, `"<a&b>"`, `"\u00e4"`, `4.0`, `1e3`, `-0`, `"12345678901234567890"`}
	written := map[string]string{`4.0`: `4`, `1e3`: `1000`, `-0`: `0`, `"\u00e4"`: `"ä"`}
	var refs, hyps []string
	for _, id := range ids {
		refs = append(refs, `{"image_id":`+id+`,"caption":"a dog"}`)
		hyps = append(hyps, `{"image_id":`+id+`,"caption":"a dog"}`)
	}
	args := captionFiles(t, `{"annotations":[`+strings.Join(refs, ",")+`]}`, `[`+strings.Join(hyps, ",")+`]`)
	out := ok(t, append(args, "--json")...)
	for _, id := range ids {
		if to, other := written[id]; other {
			id = to
		}
		if !strings.Contains(out, `"image_id": `+id+",\n") {
			t.Errorf("%s isn't written:\n%s", id, out)
		}
	}
	// The form in the references is used, whatever the form in the results.
	out = ok(t, append(captionFiles(t, `{"images":[{"id":5}],"annotations":[{"image_id":"5","caption":"a"},{"image_id":"6","caption":"b"}]}`,
		`[{"image_id":"5","caption":"a"},{"image_id":6,"caption":"b"}]`), "--json")...)
	if !strings.Contains(out, `"image_id": 5,`) || !strings.Contains(out, `"image_id": "6",`) {
		t.Errorf("mixed:\n%s", out)
	}
}

// TestScoreTables: references in any form that docs/data.md names score alike.
func TestScoreTables(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "hyps.json", `[{"image_id":"a.jpg","caption":"a dog"},{"image_id":"b.jpg","caption":"two cats"}]`)
	write(t, "coco.json", `{"annotations":[{"image_id":"a.jpg","caption":"a dog runs"},{"image_id":"a.jpg","caption":"a brown dog"},{"image_id":"b.jpg","caption":"two cats"}]}`)
	table := "file_name,text\na.jpg,a dog runs\na.jpg,a brown dog\nb.jpg,two cats\n"
	write(t, "refs.csv", table)
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "folder/metadata.csv", table)
	write(t, "refs.jsonl", `{"file_name":"a.jpg","captions":["a dog runs","a brown dog"]}`+"\n"+`{"file_name":"b.jpg","text":"two cats"}`)
	want := ok(t, "score", "--refs", "coco.json", "--hyps", "hyps.json")
	for _, refs := range []string{"refs.csv", "folder", "refs.jsonl"} {
		if got := ok(t, "score", "--refs", refs, "--hyps", "hyps.json"); got != want {
			t.Errorf("%s:\n%swant\n%s", refs, got, want)
		}
	}
	write(t, "labels.csv", "file_name,label\na.jpg,dog\n")
	if status, _, log := gaze(t, "score", "--refs", "labels.csv", "--hyps", "hyps.json"); status != 1 || !strings.Contains(log, "labels.csv:1: ") {
		t.Errorf("a table without captions: status %d, %s", status, log)
	}
}
