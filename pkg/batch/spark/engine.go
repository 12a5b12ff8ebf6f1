package spark

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"gaze/internal/child"
	"gaze/pkg/batch"
)

// Engine runs shards on Spark. A program of its own talks to Spark, since Spark's client is
// as large as Gaze: it reads a query from its standard input and writes the first column of
// each row on a line.
type Engine struct {
	Client  func() *exec.Cmd // makes the process that talks to Spark
	Command []string         // of a task, such as 'gaze batch work JOB --shard - --answer'
	PerTask int              // shards of a task; 0: enough to make opening the model cheap
	Print   func(sql string) error
	Log     func(line string) // gets the lines that the client writes to standard error; may be nil
}

// Run runs the shards as one query. Spark tries a task again that dies; a shard that fails
// while its process lives, as when a source is gone, is an answer, and Run runs it again in
// the next query, [batch.Attempts] times in all. If the query fails, Run runs what is
// missing again as long as shards get done. With Print it only hands out the query.
func (e *Engine) Run(ctx context.Context, j *batch.Job, shards []int, report func(batch.Event)) error {
	if e.Print != nil {
		sql, err := Query{e.Command, j.Divide(shards, e.PerTask, 0)}.SQL()
		if err == nil {
			err = e.Print(sql)
		}
		return errors.Join(err, batch.ErrQueued)
	}
	tries := map[int]int{}
	for len(shards) > 0 {
		round := &round{Engine: e, job: j, failed: map[int]string{}}
		missing, err := round.run(ctx, shards, report)
		if ctx.Err() != nil || err != nil && len(missing) == len(shards) && len(round.failed) == 0 {
			return err
		}
		shards = shards[:0]
		for _, shard := range missing {
			text, failed := round.failed[shard]
			if !failed {
				shards = append(shards, shard) // the query ended before its turn
				continue
			}
			tries[shard]++
			last := tries[shard] >= batch.Attempts
			report(batch.Event{Shard: shard, Err: errors.New(text), Last: last})
			if !last {
				shards = append(shards, shard)
			}
		}
		if err == nil && len(round.failed) == 0 && len(shards) > 0 {
			return fmt.Errorf("the query has ended, but the shards %s have no receipt", batch.FormatShards(shards))
		}
	}
	return nil
}

// round is a query.
type round struct {
	*Engine
	job    *batch.Job
	failed map[int]string // shards that failed, and why
}

// run runs the query and reports receipts as they appear. It returns the shards that have
// none.
func (r *round) run(ctx context.Context, shards []int, report func(batch.Event)) ([]int, error) {
	sql, err := Query{r.Command, r.job.Divide(shards, r.PerTask, 0)}.SQL()
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	var queryErr error
	go func() {
		defer close(done)
		queryErr = r.query(ctx, sql)
	}()
	// Receipts are looked at rather than rows, since rows arrive when all tasks have ended.
	missing, err := r.job.Watch(ctx, shards, done, report)
	<-done
	if err == nil && len(missing) > 0 {
		err = queryErr
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	return missing, err
}

// grace is how long the client may take to call the query off.
const grace = 30 * time.Second

// query runs the client. Its error has the last line that the client wrote.
func (r *round) query(ctx context.Context, sql string) error {
	cmd := r.Client()
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	text, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := child.Start(cmd); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		time.AfterFunc(grace, func() { _ = cmd.Process.Kill() })
	})
	defer stop()
	logged := make(chan string)
	go func() { logged <- r.follow(text) }()
	err = r.rows(out)
	last := <-logged
	if ended := cmd.Wait(); ended != nil && last != "" {
		return fmt.Errorf("%s: %w", strings.TrimPrefix(last, "gaze-spark: "), ended)
	} else if ended != nil {
		return ended
	}
	return err
}

// maxLine bounds a line that is read.
const maxLine = 1 << 20

// follow passes lines on and returns the last.
func (r *round) follow(in io.Reader) (last string) {
	lines := bufio.NewReaderSize(in, maxLine)
	for {
		line, _, err := lines.ReadLine()
		if err != nil {
			return last
		}
		if last = string(line); r.Log != nil {
			r.Log(last)
		}
	}
}

// rows reads the rows of the query.
func (r *round) rows(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var reply batch.Reply
		if err := json.Unmarshal(lines.Bytes(), &reply); err != nil {
			_, _ = io.Copy(io.Discard, in) // so that the client ends
			return fmt.Errorf("a task answered %.100q: %w", lines.Text(), err)
		}
		if reply.Error != "" && r.job.Check(reply.Shard) == nil {
			r.failed[reply.Shard] = reply.Error
		}
	}
	return lines.Err()
}
