package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// planTexts plans a job of files that are no pictures, in shards of 2.
func planTexts(t *testing.T, files int) (job string) {
	t.Helper()
	folder := t.TempDir()
	for n := range files {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%02d.png", n)), []byte("no picture"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	job = filepath.Join(t.TempDir(), "job")
	if _, log, code := gazed(t, "batch", "plan", "-o", job, "--model", "pets-vit", "--want", "embeddings", "--shard", "2", folder); code != 0 {
		t.Fatal(log)
	}
	return job
}

// gazed runs a command.
func gazed(t *testing.T, args ...string) (out, log string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, &stdout, &stderr)
	return stdout.String(), stderr.String(), code
}

func TestBatchPrintsForEngines(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	job := planTexts(t, 9)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"run", job, "--spark", "-", "--print", "--per-task", "2", "--gaze", "/opt/it's gaze"},
			[]string{"split('0-1 2-3 4', ' ')", "range(0, 3, 1, 3)", ` --shard - --answer'`, ");\n"}},
		{[]string{"run", job, "--slurm", "--print", "--per-task", "2", "--nodes", "2", "--sbatch", "--partition=long"},
			[]string{"#SBATCH --array=0-2%2\n", "#SBATCH --partition=long\n", "--exclusive", "\n0-1\n2-3\n4\n", job + `/logs/slurm-%A_%a.log`}},
		{[]string{"k8s", job, "--claim", "photos=" + filepath.Dir(job), "--per-index", "2", "--gpus", "1"},
			[]string{"completions: 3\n", `- "--block"`, `- "2"`, "nvidia.com/gpu: 1", `value: "xla:cuda"`}},
	} {
		out, log, code := gazed(t, append([]string{"batch"}, c.args...)...)
		if code != 0 {
			t.Errorf("%v: %s", c.args, log)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%v: no %q in\n%s", c.args, want, out)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(job, "manifest.json")); err == nil {
		t.Error("printing has run the job")
	}
}

func TestBatchRefusesEngines(t *testing.T) {
	job := planTexts(t, 3)
	t.Setenv("PATH", t.TempDir())
	for want, c := range map[string]struct {
		args []string
		code int
	}{
		"several engines are chosen":      {[]string{"run", job, "--spark", "sc://a", "--slurm"}, 2},
		"must be the URL of a Connect":    {[]string{"run", job, "--spark", "spark://a:7077"}, 2},
		"make spark":                      {[]string{"run", job, "--spark", "sc://a:1"}, 1},
		"for processes on this machine":   {[]string{"run", job, "--slurm", "--workers", "2"}, 2},
		"--nodes: it must be at least 1":  {[]string{"run", job, "--slurm", "--nodes", "0"}, 2},
		"--per-task: it must be at least": {[]string{"run", job, "--slurm", "--per-task", "-1"}, 2},
		"isn't here: run this where":      {[]string{"run", job, "--slurm"}, 1},
		"name the claim of the volume":    {[]string{"k8s", job}, 2},
		"--claim \"x\"":                   {[]string{"k8s", job, "--claim", "x"}, 2},
		"--gpus: a pod uses one":          {[]string{"k8s", job, "--claim", "a=/", "--gpus", "2"}, 2},
		"has blocks 0 to 0 of 5 shards":   {[]string{"work", job, "--shard", "1", "--block", "5"}, 2},
		"--block -1":                      {[]string{"work", job, "--shard", "1", "--block", "-1"}, 2},
		"not with --shard -":              {[]string{"work", job, "--shard", "-", "--block", "2"}, 2},
		"there is no shard 2":             {[]string{"work", job, "--shard", "0-2"}, 2},
	} {
		_, log, code := gazed(t, append([]string{"batch"}, c.args...)...)
		if code != c.code || !strings.Contains(log, want) {
			t.Errorf("%v: status %d, %q; want %d, %q", c.args, code, log, c.code, want)
		}
	}
}

func TestBatchWorksOnListsAndBlocks(t *testing.T) {
	job := planTexts(t, 9)
	for _, args := range [][]string{{"--shard", "0,4"}, {"--shard", "1", "--block", "2"}, {"--shard", "0-4"}} {
		if _, log, code := gazed(t, append([]string{"batch", "work", job}, args...)...); code != 0 {
			t.Fatalf("%v: %s", args, log)
		}
		found, err := filepath.Glob(filepath.Join(job, "receipts", "*"))
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]int{"0,4": 2, "1": 4, "0-4": 5}[args[1]]; len(found) != want {
			t.Errorf("%v: %d receipts, not %d", args, len(found), want)
		}
	}
}
