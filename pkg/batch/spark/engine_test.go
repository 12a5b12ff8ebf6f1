package spark

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gaze/internal/batchtest"
	"gaze/pkg/batch"
)

// asClient makes the test program a client of Spark: it names what the client does in each
// run, separated by blanks, and the job. Runs are counted in a file beside the job.
const asClient = "GAZE_TEST_SPARK"

func TestMain(m *testing.M) {
	acts, job, ok := strings.Cut(os.Getenv(asClient), "|")
	if !ok {
		os.Exit(m.Run())
	}
	if err := client(strings.Fields(acts), job); err != nil {
		fmt.Fprintln(os.Stderr, "gaze-spark: "+err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

// client works on the shards of the query itself.
func client(acts []string, job string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	count := job + ".runs"
	runs, _ := os.ReadFile(count) // there is none at first
	if err := os.WriteFile(count, append(runs, '.'), 0o600); err != nil {
		return err
	}
	act := acts[min(len(runs), len(acts)-1)]
	for _, list := range strings.Fields(regexp.MustCompile(`split\('(.*)', ' '\)`).FindStringSubmatch(string(text))[1]) {
		shards, err := batch.ParseShards(list, 100)
		if err != nil {
			return err
		}
		for _, shard := range shards {
			if err := answer(act, job, shard); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer does what becomes of a shard.
func answer(act, job string, shard int) error {
	reply := batch.Reply{Shard: shard}
	switch {
	case act == "unreachable":
		return fmt.Errorf("nobody answers at sc://nowhere")
	case act == "hang":
		time.Sleep(time.Hour)
	case act == "lazy":
		return nil
	case act == "garbage":
		fmt.Println("garbage")
		return nil
	case act == "dies" && shard >= 3:
		return fmt.Errorf("the server has gone away")
	case act == "bad" && shard == 2:
		reply.Error = "its source is gone"
	default:
		made, err := batchtest.Make(context.Background(), job, []int{shard})
		if err != nil {
			return err
		}
		reply.Receipt = &made[0]
	}
	line, err := json.Marshal(reply)
	fmt.Println(string(line))
	return err
}

// start is an engine whose client acts in a way in each run, and the job.
func start(t *testing.T, acts string) (*Engine, *batch.Job) {
	t.Helper()
	j := batchtest.Plan(t, 6)
	return &Engine{Command: []string{"gaze"}, PerTask: 2, Client: func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), asClient+"="+acts+"|"+j.Store.String())
		return cmd
	}}, j
}

func TestEngine(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5}
	for _, c := range []struct {
		acts   string
		runs   int
		done   []int
		failed []string // reported errors
		err    string
	}{
		{acts: "good", runs: 1, done: all},
		{acts: "bad good", runs: 2, done: all, failed: []string{"2: its source is gone"}},
		{acts: "bad", runs: 3, done: []int{0, 1, 3, 4, 5}, failed: []string{"2: its source is gone", "2: its source is gone", "2: its source is gone, last"}},
		{acts: "dies good", runs: 2, done: all},
		{acts: "dies dies", runs: 2, done: []int{0, 1, 2}, err: "the server has gone away: exit status 1"},
		{acts: "unreachable", runs: 1, err: "nobody answers at sc://nowhere"},
		{acts: "lazy", runs: 1, err: "0-5 have no receipt"},
		{acts: "garbage", runs: 1, err: `a task answered "garbage"`},
	} {
		t.Run(c.acts, func(t *testing.T) {
			e, j := start(t, c.acts)
			var done []int
			var failed []string
			err := e.Run(t.Context(), j, slices.Clone(all), func(event batch.Event) {
				if event.Receipt != nil {
					done = append(done, event.Shard)
					return
				}
				text := fmt.Sprintf("%d: %v", event.Shard, event.Err)
				if event.Last {
					text += ", last"
				}
				failed = append(failed, text)
			})
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%v, not %q", err, c.err)
			}
			slices.Sort(done)
			if !slices.Equal(done, c.done) || !slices.Equal(failed, c.failed) {
				t.Errorf("done %v, failed %q; want %v, %q", done, failed, c.done, c.failed)
			}
			if runs, err := os.ReadFile(j.Store.String() + ".runs"); err != nil || len(runs) != c.runs {
				t.Errorf("%d queries (%v), not %d", len(runs), err, c.runs)
			}
		})
	}
}

func TestEngineIsInterrupted(t *testing.T) {
	e, j := start(t, "hang")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	err := e.Run(ctx, j, []int{0}, func(batch.Event) {})
	if err == nil {
		t.Error("an interrupted run succeeds")
	}
}

func TestEnginePrints(t *testing.T) {
	e, j := start(t, "good")
	var text string
	e.Print = func(sql string) error { text = sql; return nil }
	err := e.Run(t.Context(), j, []int{0, 4}, nil)
	if err == nil || !strings.Contains(err.Error(), batch.ErrQueued.Error()) || !strings.Contains(text, "split('0,4'") {
		t.Errorf("%v\n%s", err, text)
	}
}
