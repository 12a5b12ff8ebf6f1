package batch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"gaze/pkg/batch/source"
)

// Server works on the shards of a job, one after another, as it is told. The model is opened
// once, for the first shard that needs it.
type Server struct {
	Job    *Job
	Open   func() (Model, error)
	Out    io.Writer // gets a line of JSON for each shard
	Work   WorkOptions
	Engine bool // Out is read by a [Local]: its lines are [Reply]s, not receipts

	model  Model
	reader *source.Reader
}

// ErrShard is the error for what is no number of a shard.
var ErrShard = errors.New("no shard")

// Close closes the model.
func (s *Server) Close() error {
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.model != nil {
		errs = append(errs, s.model.Close())
	}
	return errors.Join(errs...)
}

// One works on one shard. If it is done already, its receipt is all that is read.
func (s *Server) One(ctx context.Context, shard int) error {
	if err := s.Job.Check(shard); err != nil {
		return fmt.Errorf("%w: %w", ErrShard, err)
	}
	r, err := s.shard(ctx, shard)
	switch {
	case ctx.Err() != nil && err != nil:
		return context.Cause(ctx)
	case err == nil && s.Engine:
		return s.say(Reply{Shard: shard, Receipt: &r})
	case err == nil:
		return s.say(r)
	case s.Engine:
		return s.say(Reply{Shard: shard, Error: err.Error()})
	}
	return err
}

// Serve works on the shards whose numbers it reads, one a line. A shard that fails ends it,
// but an engine is told, and others may follow.
func (s *Server) Serve(ctx context.Context, in io.Reader) error {
	if s.Engine {
		if err := s.open(); err != nil {
			return err
		}
		if err := s.say(Reply{Ready: true}); err != nil {
			return err
		}
	}
	for line := range linesOf(ctx, in) {
		shard, err := strconv.Atoi(line)
		if err != nil {
			return fmt.Errorf("%w: %q is no number", ErrShard, line)
		}
		if err := s.One(ctx, shard); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// open opens the model, if it isn't open.
func (s *Server) open() (err error) {
	if s.reader == nil {
		s.reader = source.NewReader()
	}
	if s.model == nil {
		s.model, err = s.Open()
	}
	return err
}

// say writes a line of JSON.
func (s *Server) say(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.Out.Write(append(line, '\n'))
	return err
}

// sayEvery is the shortest time between two lines on a shard's progress.
const sayEvery = 500 * time.Millisecond

// shard makes a shard's part.
func (s *Server) shard(ctx context.Context, shard int) (Receipt, error) {
	if r, err := s.Job.Receipt(ctx, shard); err == nil {
		return r, nil
	}
	if err := s.open(); err != nil {
		return Receipt{}, err
	}
	o := s.Work
	if s.Engine && o.Progress == nil {
		last := time.Now()
		o.Progress = func(rows, bad int) {
			if time.Since(last) >= sayEvery {
				last = time.Now()
				_ = s.say(Reply{Shard: shard, Rows: rows, Bad: bad}) // whoever reads it may be gone: the part still counts
			}
		}
	}
	return s.Job.Work(ctx, shard, s.model, s.reader, o)
}

// linesOf yields the lines that aren't empty until the input ends or the context is done.
func linesOf(ctx context.Context, in io.Reader) func(yield func(string) bool) {
	lines := make(chan string)
	go func() { // a read can't be interrupted, so it gets its own goroutine
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			if line := strings.TrimSpace(s.Text()); line != "" {
				select {
				case lines <- line:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return func(yield func(string) bool) {
		for {
			select {
			case line, ok := <-lines:
				if !ok || !yield(line) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
