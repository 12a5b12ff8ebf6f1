package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	corpus "gaze/pkg/batch"
	"gaze/pkg/hub"
)

// batchRow is a row of a part.
type batchRow struct {
	Key         string    `parquet:"key"`
	Width       *int32    `parquet:"width,optional"`
	Hash        *string   `parquet:"hash,optional"`
	Label       *string   `parquet:"label,optional"`
	Class       *int32    `parquet:"class,optional"`
	Probability *float64  `parquet:"probability,optional"`
	Logits      []float32 `parquet:"logits,list,optional"`
	Embedding   []float32 `parquet:"embedding,list,optional"`
	Attention   []float32 `parquet:"attention,list,optional"`
	Rows        *int32    `parquet:"attention_rows,optional"`
	Columns     *int32    `parquet:"attention_columns,optional"`
	Caption     *string   `parquet:"caption,optional"`
	LogProb     *float64  `parquet:"caption_logprob,optional"`
	Error       *string   `parquet:"error,optional"`
}

// batchRows reads the rows of all parts of a job.
func batchRows(t *testing.T, job string) (rows []batchRow) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(job, "parts", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("parts %v, %v", files, err)
	}
	for _, file := range files {
		part, err := parquet.ReadFile[batchRow](file)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, part...)
	}
	return rows
}

// nearBatch compares values to 1e-5.
func nearBatch(got, want []float32) bool {
	return slices.EqualFunc(got, want, func(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-5 })
}

// TestBatchEqualsCommands: the rows of a job are what classify, attend and caption say of the
// same pictures, and the bad one is a row with its error.
func TestBatchEqualsCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles several programs")
	}
	shareCache(t)
	t.Chdir(t.TempDir())
	t.Setenv(asCommand, "1")
	if err := os.Mkdir("photos", 0o755); err != nil {
		t.Fatal(err)
	}
	savedModel(t)
	names := manyPictures(t, 12)
	said := ok(t, "batch", "plan", "-o", "job", "--model", "wide.safetensors", "--captioner", hub.LaptopCaptioner, "--max-tokens", "3",
		"--want", "caption,embeddings,attention,classes,logits", "--shard", "5", "photos")
	if !strings.Contains(said, "12 pictures\t3 shards") {
		t.Errorf("planning said %q", said)
	}
	status, _, log := gaze(t, "batch", "run", "job")
	if status != 0 || !strings.Contains(log, "complete: 12 pictures in 3 parts, 1 bad") {
		t.Fatalf("exit status %d: %s", status, log)
	}
	gaze(t, "classify", "--model", "wide.safetensors", "-o", "pred.csv", "--logits", "logits.npy", "--top", "1", "photos")
	gaze(t, "attend", "--model", "wide.safetensors", "--npy", "-o", "maps", "photos")
	gaze(t, "caption", "--model", hub.LaptopCaptioner, "--json", "--max-tokens", "3", "-o", "captions", "photos")
	pred := readCSV(t, "pred.csv")[1:]
	_, logits := array(t, "logits.npy")
	good := 0
	for i, r := range batchRows(t, "job") {
		if i == 6 {
			if r.Key != "p06.png" || r.Error == nil || !strings.Contains(*r.Error, "not a picture") || r.Label != nil {
				t.Errorf("the bad picture: %+v", r)
			}
			continue
		}
		if "photos/"+r.Key != names[good] || r.Error != nil {
			t.Fatalf("row %d: %s, %v", i, r.Key, r.Error)
		}
		if want := pred[good]; *r.Label != want[1] || fmt.Sprintf("%.6g", *r.Probability) != want[3] {
			t.Errorf("%s: %s with %g, classify says %v", r.Key, *r.Label, *r.Probability, want)
		}
		if !nearBatch(r.Logits, logits[1000*good:1000*(good+1)]) {
			t.Errorf("%s: the logits differ from those of classify", r.Key)
		}
		stem := strings.TrimSuffix(r.Key, ".png")
		shape, values := array(t, filepath.Join("maps", stem+".npy"))
		if !nearBatch(r.Attention, values) || int(*r.Rows) != shape[0] || int(*r.Columns) != shape[1] {
			t.Errorf("%s: attention %v, attend says %v", r.Key, r.Attention, values)
		}
		if len(r.Embedding) != 128 {
			t.Errorf("%s: an embedding of %d values", r.Key, len(r.Embedding))
		}
		checkCaption(t, r, filepath.Join("captions", stem+".json"))
		good++
	}
	if good != len(names) {
		t.Errorf("%d good rows for %d pictures", good, len(names))
	}
	t.Run("again", func(t *testing.T) { again(t) })
}

// checkCaption compares a row with what caption wrote.
func checkCaption(t *testing.T, r batchRow, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Caption string
		Pieces  []struct{ LogProb float64 }
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, p := range want.Pieces {
		sum += p.LogProb
	}
	if *r.Caption != want.Caption || math.Abs(*r.LogProb-sum) > 1e-5 {
		t.Errorf("%s: %q with %g, caption says %q with %g", r.Key, *r.Caption, *r.LogProb, want.Caption, sum)
	}
}

// again: a job that is done stays as it is, and what is missing is made with the same bytes.
func again(t *testing.T) {
	before := contents(t, "job")
	ok(t, "batch", "run", "--missing", "-q", "job")
	line := ok(t, "batch", "work", "job", "--shard", "1")
	var r corpus.Receipt
	if err := json.Unmarshal([]byte(line), &r); err != nil || r.Shard != 1 || r.Rows != 5 || strings.Count(line, "\n") != 1 {
		t.Errorf("work said %q, %v", line, err)
	}
	if out := ok(t, "batch", "status", "job"); out != "12 of 12 pictures, 1 bad; 3 of 3 shards; complete\n" {
		t.Errorf("status: %q", out)
	}
	if after := contents(t, "job"); !maps.Equal(before, after) {
		t.Error("running a job that is done changed it")
	}
	part := filepath.Join("job", "parts", "part-000002.parquet")
	if err := os.WriteFile(part, []byte("PAR1"), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, log := gaze(t, "batch", "verify", "job"); status != 1 || !strings.Contains(log, "part-000002.parquet: its SHA-256") {
		t.Errorf("verify: exit status %d: %s", status, log)
	}
	ok(t, "batch", "verify", "--repair", "job")
	if status, out, log := gaze(t, "batch", "verify", "--json", "job"); status != 1 || !strings.Contains(log, "1 of 3 shards") || !strings.Contains(out, `"done": 2`) {
		t.Errorf("verify: exit status %d: %s%s", status, out, log)
	}
	ok(t, "batch", "run", "--workers", "2", "job")
	ok(t, "batch", "verify", "job")
	if after := contents(t, "job"); after[filepath.Join("parts", "part-000002.parquet")] != before[filepath.Join("parts", "part-000002.parquet")] {
		t.Error("the part that was made again has other bytes")
	}
}

// TestBatchUsage: wrong usage and what a model can't do are refused before anything is
// written.
func TestBatchUsage(t *testing.T) {
	workplace(t)
	headless := filepath.Join("..", "headless")
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"batch"}, 0, "Usage:"},
		{[]string{"batch", "plann"}, 2, `unknown command "plann"`},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "photos"}, 2, "want"},
		{[]string{"batch", "plan", "-o", "job", "--want", "classes", "photos"}, 2, "--model"},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "--want", "beauty", "photos"}, 2, `no result "beauty"`},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "--want", "classes", "--shard", "0", "photos"}, 2, "--shard 0"},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "--want", "classes", "--batch", "0", "photos"}, 2, "--batch 0"},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "--want", "attention", "--layer", "7", "photos"}, 1, "no layer 7"},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "--want", "attention", "--head", "7", "photos"}, 1, "no head 7"},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "--want", "classes", "--pipeline", "resize(32,32)", "photos"}, 1, "totensor"},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "--want", "classes", "--captioner", "x", "photos"}, 2, "aren't wanted"},
		{[]string{"batch", "plan", "-o", "job", "--model", hub.Pets37ViT + "x", "--want", "classes", "photos"}, 1, "pets37-vitx"},
		{[]string{"batch", "plan", "-o", "job", "--model", "model", "--want", "classes", "nowhere"}, 1, "nowhere"},
		{[]string{"batch", "plan", "-o", "photos", "--model", "model", "--want", "classes", "photos"}, 1, "isn't empty"},
		{[]string{"batch", "run", headless}, 1, "holds no job"},
		{[]string{"batch", "run", "job", "--workers", "0"}, 2, "--workers 0"},
		{[]string{"batch", "work", "job"}, 2, "shard"},
		{[]string{"batch", "work", "job", "--shard", "x"}, 2, "--shard"},
		{[]string{"batch", "status"}, 2, "arg"},
	} {
		status, out, log := gaze(t, c.args...)
		if status != c.status || !strings.Contains(out+log, c.says) {
			t.Errorf("gaze %q: exit status %d, want %d and %q\n%s%s", c.args, status, c.status, c.says, out, log)
		}
		if _, err := os.Stat("job"); err == nil {
			t.Fatalf("gaze %q made the job", c.args)
		}
	}
}

// TestBatchModelChanged: a job is refused by workers whose model isn't the one that it was
// planned with, and goes on when that is back.
func TestBatchModelChanged(t *testing.T) {
	shareCache(t)
	workplace(t)
	t.Setenv(asCommand, "1")
	t.Setenv("GOMLX_BACKEND", "go:ops_sequential")
	ok(t, "batch", "plan", "-o", "job", "--model", "model", "--want", "classes,embeddings", "--pipeline", "resize(32,32) | totensor", "--shard", "1", "photos")
	if status, _, log := gaze(t, "batch", "plan", "-o", "job", "--model", "model", "--want", "classes", "photos"); status != 1 || !strings.Contains(log, "holds a job already") {
		t.Errorf("planning twice: exit status %d: %s", status, log)
	}
	if status, _, log := gaze(t, "batch", "work", "job", "--shard", "2"); status != 2 || !strings.Contains(log, "no shard 2") {
		t.Errorf("a shard too many: exit status %d: %s", status, log)
	}
	ok(t, "batch", "work", "job", "--shard", "0")
	if err := os.Rename("model", "good"); err != nil {
		t.Fatal(err)
	}
	named(t, "model/model.safetensors", "a", "b")
	for _, args := range [][]string{{"work", "job", "--shard", "1"}, {"run", "job"}} {
		if status, _, log := gaze(t, append([]string{"batch"}, args...)...); status != 1 || !strings.Contains(log, "has changed since the job was planned") {
			t.Errorf("%q with another model: exit status %d: %s", args, status, log)
		}
	}
	ok(t, "batch", "work", "job", "--shard", "0") // it is done
	if err := os.RemoveAll("model"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("good", "model"); err != nil {
		t.Fatal(err)
	}
	_, _, log := gazeWith(t, "1\n", "batch", "work", "job", "--shard", "-")
	if out := ok(t, "batch", "verify", "job"); !strings.Contains(out, "2 of 2 pictures, 0 bad; 2 of 2 shards") {
		t.Errorf("verify: %s%s", out, log)
	}
	for i, r := range batchRows(t, "job") {
		if r.Key != []string{"cat.png", "dog.png"}[i] || len(r.Embedding) != 16 || *r.Label != fmt.Sprint(*r.Class) {
			t.Errorf("row %d: %+v", i, r)
		}
	}
}

// TestBatchInterrupted: an interrupted run says how to go on, and leaves whole parts only.
func TestBatchInterrupted(t *testing.T) {
	shareCache(t)
	workplace(t)
	t.Setenv(asCommand, "1")
	t.Setenv("GOMLX_BACKEND", "go:ops_sequential")
	manyPictures(t, 60)
	ok(t, "batch", "plan", "-o", "job", "--model", "model", "--want", "classes", "--pipeline", "resize(32,32) | totensor", "--shard", "2", "photos")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if there, _ := filepath.Glob("job/receipts/*"); len(there) >= 3 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var out, log bytes.Buffer
	if status := run(ctx, []string{"batch", "run", "job"}, &out, &log); status != 1 || !strings.Contains(log.String(), "run the job again to go on") || !strings.Contains(log.String(), "interrupted") {
		t.Errorf("exit status %d: %s", status, &log)
	}
	for name := range contents(t, "job") {
		if strings.Contains(name, ".tmp") || name == "manifest.json" {
			t.Errorf("it left %s", name)
		}
	}
	ok(t, "batch", "run", "job")
	ok(t, "batch", "verify", "job")
	if rows := batchRows(t, "job"); len(rows) != 62 {
		t.Errorf("%d rows", len(rows))
	}
}
