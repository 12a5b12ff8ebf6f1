package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gaze/pkg/train"
	"gaze/pkg/weights"
)

// hosts starts command lines under mpirun.
type hosts struct{ library string }

// newHosts compiles the library that needs MPI, as make mpi does.
func newHosts(t *testing.T) hosts {
	t.Helper()
	for _, program := range []string{"mpicc", "mpirun"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	h := hosts{filepath.Join(t.TempDir(), "libgaze-mpi.so")}
	if out, err := exec.Command("mpicc", "-O2", "-shared", "-fPIC", "-o", h.library, "../../internal/mpi/library/gaze_mpi.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return h
}

// start starts n processes, which write their number and id to a folder.
func (h hosts) start(t *testing.T, n int, args ...string) (c *exec.Cmd, log *bytes.Buffer) {
	t.Helper()
	// Recovery lets the others go on when one is killed, as srun does: they must notice.
	mpirun := []string{"--oversubscribe", "--enable-recovery", "-n", strconv.Itoa(n)}
	c = command(t, args...)
	c.Path, _ = exec.LookPath("mpirun")
	c.Args = append(append(append([]string{"mpirun"}, mpirun...), os.Args[0]), args...)
	c.Env = append(c.Env, "GAZE_MPI="+h.library, "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_mpi_yield_when_idle=1")
	log = new(bytes.Buffer)
	c.Stdout, c.Stderr = log, log
	return c, log
}

func (h hosts) run(t *testing.T, n int, args ...string) string {
	t.Helper()
	c, log := h.start(t, n, args...)
	if err := c.Run(); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, log)
	}
	return log.String()
}

// floatsOf reads the float32 tensors of a checkpoint.
func floatsOf(t *testing.T, run string) map[string][]float32 {
	t.Helper()
	f, err := weights.Open(filepath.Join(run, "checkpoints", "last.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string][]float32{}
	for _, name := range f.Names() {
		if tensor, ok := f.Tensor(name); ok && tensor.DType == weights.Float32 {
			values, err := tensor.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			all[name] = append([]float32{}, values...)
		}
	}
	return all
}

// furthestRuns is the largest difference between the checkpoints of two runs.
func furthestRuns(t *testing.T, a, b string) float64 {
	t.Helper()
	most, others := 0.0, floatsOf(t, b)
	for name, values := range floatsOf(t, a) {
		for i, v := range values {
			if d := math.Abs(float64(v - others[name][i])); !(d <= most) {
				most = d
			}
		}
	}
	return most
}

// TestTrainHosts trains with two processes as one does. A process that is killed ends the
// job, and the run goes on from there to the bits of one that wasn't interrupted.
func TestTrainHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	h, set, dir := newHosts(t), petSet(t), t.TempDir()
	args := func(run string, more ...string) []string {
		return append([]string{"train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline,
			"--set", "lr=1e-4; batch=7; accumulate=2; clip=1; optimizer=adamw; droppath=0.1; ema=0.9; epochs=10",
			"-o", filepath.Join(dir, run)}, more...)
	}
	if out, err := command(t, args("one")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	log := h.run(t, 2, args("two", "--hosts")...)
	if n := strings.Count(log, "epoch 10/10"); n != 1 {
		t.Errorf("%d processes reported the last epoch, want 1\n%s", n, log)
	}
	if most := furthestRuns(t, filepath.Join(dir, "one"), filepath.Join(dir, "two")); !(most <= 1e-6) {
		t.Errorf("two processes' state differs by %g from one's", most)
	} else {
		t.Logf("two processes' state differs by at most %.2g from one's", most)
	}
	for _, rank := range []string{"1", "0"} {
		run := filepath.Join(dir, "killed"+rank)
		h.kill(t, rank, run, args("killed"+rank, "--hosts", "--checkpoint-every", "3"))
		h.run(t, 2, "train", "--hosts", "--resume", "-o", run)
		if most := furthestRuns(t, run, filepath.Join(dir, "two")); most != 0 {
			t.Errorf("after process %s was killed, the state differs by %g", rank, most)
		}
	}
}

// kill starts two processes and kills one of them once there is a checkpoint. The job must
// end soon.
func (h hosts) kill(t *testing.T, rank, run string, args []string) {
	t.Helper()
	c, log := h.start(t, 2, args...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		if _, err := os.Stat(filepath.Join(run, "checkpoints", "last.safetensors")); err == nil {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended before there was a checkpoint: %v\n%s", err, log)
		case <-time.After(time.Millisecond):
		}
	}
	if !killRank(t, c.Process.Pid, rank) {
		t.Fatalf("there is no process %s to kill", rank)
	}
	select {
	case err := <-ended:
		if !strings.Contains(log.String(), " has gone (") {
			t.Errorf("the others didn't notice that process %s was killed: %v\n%s", rank, err, log)
		}
	case <-time.After(12 * time.Minute): // a busy machine may stop all processes for minutes
		c.Process.Kill()
		t.Fatalf("process %s was killed, and the job didn't end", rank)
	}
	want := train.Failed
	if rank == "0" {
		want = train.Running // that process would have written it
	}
	if m, err := train.ReadManifest(run); err != nil || m.Status != want {
		t.Errorf("process %s was killed: run.json %+v, %v", rank, m, err)
	}
}

// killRank kills the process of a rank that is a child of mpirun.
func killRank(t *testing.T, parent int, rank string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-o", "pid=", "--ppid", strconv.Itoa(parent)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Fields(string(out)) {
		environment, err := os.ReadFile("/proc/" + text + "/environ")
		if err != nil || !bytes.Contains(environment, []byte("\x00OMPI_COMM_WORLD_RANK="+rank+"\x00")) {
			continue
		}
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		return p.Kill() == nil
	}
	return false
}
