package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gaze/pkg/batch/store"
)

// asProcess makes the test program a worker or a driver of the job that it names.
const asProcess = "GAZE_TEST_BATCH"

func TestMain(m *testing.M) {
	role, job, ok := strings.Cut(os.Getenv(asProcess), " ")
	if !ok {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := store.Open(ctx, job)
	if err == nil {
		if after, mortal := strings.CutPrefix(role, "mortal:"); mortal {
			go killSelf(after)
		}
		err = act(ctx, role, s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// killSelf kills this process, as kill -9 does, after so many milliseconds.
func killSelf(after string) {
	n, err := strconv.Atoi(after)
	if err != nil {
		panic(err)
	}
	time.Sleep(time.Duration(n) * time.Millisecond)
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
}

// act is what the program does as a process of a job.
func act(ctx context.Context, role string, s store.Store) error {
	j, err := Open(ctx, s)
	if err != nil {
		return err
	}
	if role == "driver" {
		missing, err := j.Missing(ctx)
		if err != nil {
			return err
		}
		if err := localEngine(j, 2, nil).Run(ctx, j, missing, func(Event) {}); err != nil {
			return err
		}
		_, err = j.Finish(ctx)
		return err
	}
	server := &Server{Job: j, Out: os.Stdout, Engine: true, Open: func() (Model, error) {
		switch role {
		case "changed":
			return nil, errors.New("the model has changed")
		case "failing":
			return &fakeModel{batch: 8, fail: func(int, bool) error { return errors.New("no luck") }}, nil
		case "dying":
			return &fakeModel{batch: 8, fail: func(int, bool) error { os.Exit(3); return nil }}, nil
		}
		return &fakeModel{batch: 8, delay: 4 * time.Millisecond}, nil
	}}
	return errors.Join(server.Serve(ctx, os.Stdin), server.Close())
}

// process is the test program in a role.
func processOf(role string, j *Job) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err) // a test program knows where it is
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), asProcess+"="+role+" "+j.Store.String())
	return c
}

// localEngine runs workers that are the test program; started gets each.
func localEngine(j *Job, workers int, started func(*exec.Cmd)) Local {
	return Local{Workers: workers, Command: func(int) *exec.Cmd {
		c := processOf("worker", j)
		if started != nil {
			started(c)
		}
		return c
	}}
}

// undisturbed is the parts of a job that nobody disturbed.
func undisturbed(t *testing.T, photos string, shard int) (string, map[string]string) {
	t.Helper()
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, shard)
	workAll(t, j, &fakeModel{batch: 8})
	return j.ID, parts(t, j)
}

// TestKilledWorkers: 20 workers are killed at random times; every picture has one row, the
// parts are those of an undisturbed run, and nothing is left over.
func TestKilledWorkers(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 240, 60)
	id, want := undisturbed(t, photos, 8)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 8)
	if j.ID != id {
		t.Fatal("the same plan has another name")
	}
	var started atomic.Int32
	draw := rand.New(rand.NewPCG(20, 1))
	var mu sync.Mutex
	engine := Local{Workers: 3, Command: func(int) *exec.Cmd {
		if started.Add(1) > 20 {
			return processOf("worker", j)
		}
		mu.Lock()
		defer mu.Unlock()
		return processOf(fmt.Sprint("mortal:", draw.IntN(100)), j)
	}}
	tries := 0
	for {
		missing, err := j.Missing(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(missing) == 0 {
			break
		}
		err = engine.Run(context.Background(), j, missing, func(e Event) {
			if e.Err != nil {
				tries++
			}
		})
		// Workers that are killed before they are ready, three times in a row, end a run.
		if err != nil && !strings.Contains(err.Error(), "signal: killed") {
			t.Fatal(err)
		}
	}
	if _, err := j.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	if v, err := j.Verify(context.Background(), false); err != nil || !v.Whole() || v.Rows != 240 || v.Bad != 4 {
		t.Errorf("%+v, %v", v, err)
	}
	if !maps.Equal(parts(t, j), want) {
		t.Error("the parts differ from those of an undisturbed run")
	}
	if tries < 5 {
		t.Errorf("only %d kills disturbed a shard", tries)
	}
}

// TestKilledDriver: after the driver is killed, only the shards that were being worked on are
// made again, and its workers end.
func TestKilledDriver(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 160, 0)
	_, want := undisturbed(t, photos, 8)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 8)
	driver := processOf("driver", j)
	if err := driver.Start(); err != nil {
		t.Fatal(err)
	}
	for {
		if s, err := j.Status(context.Background()); err != nil {
			t.Fatal(err)
		} else if s.Done >= j.Shards()/2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := driver.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = driver.Wait() // it was killed
	before, err := settled(j)
	if err != nil {
		t.Fatal(err)
	}
	if len(before) == j.Shards() {
		t.Skip("the driver was done before it was killed")
	}
	missing, err := j.Missing(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := localEngine(j, 2, nil).Run(context.Background(), j, missing, func(Event) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	after, err := j.Receipts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for shard, r := range before {
		if after[shard] != r {
			t.Errorf("shard %d was made again", shard)
		}
	}
	if !maps.Equal(parts(t, j), want) {
		t.Error("the parts differ from those of an undisturbed run")
	}
}

// settled is the receipts of a job once no worker writes any more.
func settled(j *Job) (map[int]Receipt, error) {
	for last := -1; ; {
		r, err := j.Receipts(context.Background())
		if err != nil || len(r) == last {
			return r, err
		}
		last = len(r)
		time.Sleep(200 * time.Millisecond)
	}
}

// TestFailingShards: a shard that fails is tried three times and then named, whether its
// worker says so or dies; one that can't begin ends the run.
func TestFailingShards(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 30, 0)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 10)
	for role, says := range map[string]string{"failing": "no luck", "dying": "exit status 3"} {
		tries, last := map[int]int{}, map[int]bool{}
		engine := Local{Workers: 2, Command: func(int) *exec.Cmd { return processOf(role, j) }}
		err := engine.Run(context.Background(), j, []int{0, 2}, func(e Event) {
			if e.Err == nil || !strings.Contains(e.Err.Error(), says) {
				t.Errorf("%s: event %+v", role, e)
			}
			tries[e.Shard]++
			last[e.Shard] = e.Last
		})
		if err != nil || !maps.Equal(tries, map[int]int{0: 3, 2: 3}) || !last[0] || !last[2] {
			t.Errorf("%s: %v, tries %v, last %v", role, err, tries, last)
		}
	}
	engine := Local{Workers: 2, Command: func(int) *exec.Cmd { return processOf("changed", j) }}
	err := engine.Run(context.Background(), j, []int{0, 1, 2}, func(e Event) { t.Errorf("event %+v", e) })
	if err == nil || !strings.Contains(err.Error(), "the model has changed") {
		t.Errorf("a model that has changed: %v", err)
	}
	if len(parts(t, j)) > 0 {
		t.Error("parts were written")
	}
}

// TestInterruptedRun: an engine whose context is done stops its workers and leaves nothing
// that is incomplete.
func TestInterruptedRun(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 160, 0)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 8)
	ctx, cancel := context.WithCancel(context.Background())
	var pids sync.Map
	var done atomic.Int32
	err := localEngine(j, 2, func(c *exec.Cmd) { pids.Store(c, true) }).Run(ctx, j, numbers(20), func(e Event) {
		if e.Receipt != nil && done.Add(1) == 4 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	pids.Range(func(c, _ any) bool {
		if c.(*exec.Cmd).ProcessState == nil {
			t.Error("a worker wasn't waited for")
		}
		return true
	})
	if n := len(parts(t, j)); n < 4 || n > 6 {
		t.Errorf("%d parts", n)
	}
}

func numbers(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// TestServe: a server answers each shard with its receipt, and refuses what is none.
func TestServe(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 30, 0)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 10)
	opened := 0
	for _, c := range []struct {
		in    string
		lines int
		says  string
	}{
		{"0\n\n 2 \r\n", 2, ""}, {"0\n2\n", 2, ""}, {"1\n3\n", 1, "no shard 3"}, {"-1\n", 0, "no shard -1"}, {"one\n", 0, `"one" is no number`},
	} {
		var out strings.Builder
		s := &Server{Job: j, Out: &out, Open: func() (Model, error) { opened++; return &fakeModel{batch: 8}, nil }}
		err := s.Serve(context.Background(), strings.NewReader(c.in))
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, ErrShard) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%q: %v", c.in, err)
		}
		if strings.Count(out.String(), "\n") != c.lines || c.lines > 0 && !strings.Contains(out.String(), strconv.Quote(j.ID)) {
			t.Errorf("%q: said %q", c.in, out.String())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if opened != 2 {
		t.Errorf("the model was opened %d times, though shards were done", opened)
	}
}
