package slurm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestScriptGivesEachTaskItsShards runs a script as Slurm does: the index of the task is in a
// variable.
func TestScriptGivesEachTaskItsShards(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "it's a \"folder\" of $HOME")
	a := Array{
		Name: "gaze-1", Command: []string{"printf", "%s|", folder, "--shard"}, Tasks: [][]int{{0, 1, 2}, {4}, {6, 7, 9}},
		AtOnce: 2, Logs: folder, Env: []string{"GOMLX_BACKEND=xla:cpu"}, Options: []string{"--partition=long"},
	}
	script, err := a.Script()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"#SBATCH --array=0-2%2", "#SBATCH --requeue", "#SBATCH --exclusive", "#SBATCH --partition=long", "export GOMLX_BACKEND=xla:cpu",
		`#SBATCH --output="` + strings.ReplaceAll(folder, `"`, `\"`) + `/slurm-%A_%a.log"`,
	} {
		if !strings.Contains(script, line+"\n") {
			t.Errorf("no line %q in\n%s", line, script)
		}
	}
	at := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(at, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	for index, want := range []string{"0-2", "4", "6-7,9"} {
		cmd := exec.Command("sh", at)
		cmd.Env = append(os.Environ(), "SLURM_ARRAY_TASK_ID="+string(rune('0'+index)))
		out, err := cmd.CombinedOutput()
		if want = folder + "|--shard|" + want + "|"; err != nil || string(out) != want {
			t.Errorf("task %d: %q, %v; want %q", index, out, err, want)
		}
	}
}

func TestScriptOnCards(t *testing.T) {
	script, err := Array{Name: "a", Command: []string{"true"}, Tasks: [][]int{{0}}, Card: true}.Script()
	if err != nil || !strings.Contains(script, "--gres=gpu:1") || strings.Contains(script, "exclusive") || strings.Contains(script, "%\n") {
		t.Errorf("%v\n%s", err, script)
	}
	if !strings.Contains(script, "--output=slurm-%A_%a.log") {
		t.Errorf("without a folder of logs:\n%s", script)
	}
}

// TestScriptOfScatteredShardsIsBounded: every second shard of a large job is missing.
func TestScriptOfScatteredShardsIsBounded(t *testing.T) {
	tasks := make([][]int, 1000)
	for i := range tasks {
		for k := range 400 {
			tasks[i] = append(tasks[i], (i*400+k)*2)
		}
	}
	script, err := Array{Command: []string{"true"}, Tasks: tasks}.Script()
	if err != nil || len(script) > maxScript || !strings.HasSuffix(script, "\n799200-799998\n") {
		t.Errorf("%v, %d bytes, ending in %q", err, len(script), script[max(0, len(script)-30):])
	}
}

func TestScriptRefuses(t *testing.T) {
	if _, err := (Array{Tasks: [][]int{{0}}, Options: []string{"--a\nrm -r /"}}).Script(); err == nil || !strings.Contains(err.Error(), "one line") {
		t.Errorf("an option of two lines: %v", err)
	}
	if _, err := (Array{Tasks: single(200_000)}).Script(); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("a very long script: %v", err)
	}
}

// single makes tasks of a shard each.
func single(n int) [][]int {
	tasks := make([][]int, n)
	for i := range tasks {
		tasks[i] = []int{1_000_000 + i}
	}
	return tasks
}

func TestMaxTasks(t *testing.T) {
	for text, want := range map[string]int{
		"MaxArraySize            = 16\n":    16,
		"A = 1\nMaxArraySize = 100001\nB\n": 100001,
		"MaxArraySize = x\n":                usualMaxArray,
		"":                                  usualMaxArray,
	} {
		if got := maxTasks(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// fake puts programs of Slurm's into PATH that keep their arguments and input, and answer.
func fake(t *testing.T, answers map[string]string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, answer := range answers {
		text := "#!/bin/sh\necho \"$@\" >> " + filepath.Join(folder, name+".args") + "\ncat >> " + filepath.Join(folder, name+".in") + "\n" + answer + "\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder+":/usr/bin:/bin")
	return folder
}

func TestSubmit(t *testing.T) {
	folder := fake(t, map[string]string{"sbatch": "echo '17;cluster'"})
	id, err := Submit(t.Context(), "the script\n", "--wrap-nothing")
	if err != nil || id != "17" {
		t.Errorf("%q, %v", id, err)
	}
	in, err := os.ReadFile(filepath.Join(folder, "sbatch.in"))
	if err != nil || !bytes.Equal(in, []byte("the script\n")) {
		t.Errorf("sbatch read %q, %v", in, err)
	}
	fake(t, map[string]string{"sbatch": "echo denied >&2; exit 1"})
	if _, err := Submit(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Errorf("a refusal: %v", err)
	}
	fake(t, map[string]string{"sbatch": "echo hello"})
	if _, err := Submit(t.Context(), ""); err == nil || !strings.Contains(err.Error(), `"hello`) {
		t.Errorf("nonsense: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Submit(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "login node") {
		t.Errorf("no Slurm: %v", err)
	}
}

func TestQueuedAndLive(t *testing.T) {
	fake(t, map[string]string{"squeue": "echo 7; echo 7; echo 12"})
	if ids, err := Queued(t.Context(), "a"); err != nil || strings.Join(ids, " ") != "7 12" {
		t.Errorf("%v, %v", ids, err)
	}
	if live, err := Live(t.Context(), "7"); err != nil || !live {
		t.Errorf("live: %v, %v", live, err)
	}
	fake(t, map[string]string{"squeue": "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"})
	if live, err := Live(t.Context(), "7"); err != nil || live {
		t.Errorf("long ended: %v, %v", live, err)
	}
}
