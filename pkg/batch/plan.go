package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"unicode/utf8"

	"gaze/pkg/batch/source"
	"gaze/pkg/batch/store"
)

// ErrPlanned means that there is a job in a store already.
var ErrPlanned = errors.New("it holds a job already: name a new folder, or run that one")

// Plan divides the inputs into shards and writes the job. Nothing may be in the store
// before, apart from what an interrupted Plan left. If two plan in one store at the same
// time, the one that finishes first succeeds and the other gets [ErrPlanned]; so it does if
// there is a job already.
//
// Memory doesn't grow with the number of inputs, apart from 8 bytes for each of up to 16
// million: chunks of the index are written as they fill. Keys must be UTF-8, and two that are
// equal are an error, so inputs needn't be checked before ([source.Options].Unchecked).
func Plan(ctx context.Context, s store.Store, spec Spec, inputs iter.Seq2[source.Input, error]) (_ *Job, err error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	if err := checkEmpty(ctx, s); err != nil {
		return nil, err
	}
	chunks, err := newChunkWriter()
	if err != nil {
		return nil, err
	}
	perChunk := max(1, chunkInputs/spec.ShardSize)
	p := &planner{store: s, chunks: chunks, keys: newKeyHashes(maxHashes)}
	p.Format, p.Spec, p.ShardsPerChunk = format, spec, perChunk
	defer func() {
		if err != nil { // also after a cancelled context
			err = errors.Join(err, p.drop(context.WithoutCancel(ctx)))
		}
	}()
	for in, err := range inputs {
		if err != nil {
			return nil, err
		}
		if err := p.add(ctx, in); err != nil {
			return nil, err
		}
	}
	return p.finish(ctx)
}

// checkEmpty refuses a store that holds a job or anything else.
func checkEmpty(ctx context.Context, s store.Store) error {
	other := ""
	for e, err := range s.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		if e.Name == jobName {
			return fmt.Errorf("%s: %w", s, ErrPlanned)
		}
		if other == "" && !strings.HasPrefix(e.Name, indexFolder+"/chunk-") {
			other = e.Name
		}
	}
	if other != "" {
		return fmt.Errorf("%s isn't empty (it has %s): name a new folder for the job", s, other)
	}
	return nil
}

// planner writes a job.
type planner struct {
	description
	store  store.Store
	chunks *chunkWriter
	keys   *keyHashes
	mine   []string // the chunks that this planner created
}

// add adds an input to the job.
func (p *planner) add(ctx context.Context, in source.Input) error {
	if in.Key == "" || !utf8.ValidString(in.Key) {
		return fmt.Errorf("%s: its key, %q, is empty or isn't UTF-8", in.Where(), in.Key)
	}
	p.keys.add(in.Key)
	p.Inputs++
	if err := p.chunks.add(in); err != nil {
		return err
	}
	if p.chunks.inputs == p.ShardsPerChunk*p.ShardSize {
		return p.flush(ctx)
	}
	return nil
}

// flush writes the chunk. One that is there was written by a planner of the same pictures.
func (p *planner) flush(ctx context.Context) error {
	data, c := p.chunks.finish()
	name := c.name(len(p.Chunks))
	err := p.store.Create(ctx, name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err == nil {
		p.mine = append(p.mine, name)
	} else if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", p.store, err)
	}
	p.Chunks = append(p.Chunks, c)
	return nil
}

// finish checks the keys and writes job.json.
func (p *planner) finish(ctx context.Context) (*Job, error) {
	if p.Inputs == 0 {
		return nil, fmt.Errorf("there are no pictures in %s", strings.Join(p.Sources, ", "))
	}
	if p.chunks.inputs > 0 {
		if err := p.flush(ctx); err != nil {
			return nil, err
		}
	}
	text, err := encodeJSON(p.description)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	j := &Job{ID: hex.EncodeToString(sum[:]), Store: p.store, description: p.description}
	if err := p.keys.check(ctx, j); err != nil {
		return nil, err
	}
	err = p.store.Create(ctx, jobName, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s: %w (another plan was made in the meantime)", p.store, ErrPlanned)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.store, err)
	}
	p.mine = nil // they are the job's now
	return j, p.tidy(ctx, j)
}

// tidy removes the chunks of planners that didn't finish, and checks that none of them
// removed one that this job uses.
func (p *planner) tidy(ctx context.Context, j *Job) error {
	missing := map[string]bool{}
	for i, c := range j.Chunks {
		missing[c.name(i)] = true
	}
	for e, err := range p.store.List(ctx, indexFolder+"/") {
		if err != nil {
			return fmt.Errorf("%s: %w", p.store, err)
		}
		if missing[e.Name] {
			delete(missing, e.Name)
		} else if err := p.store.Remove(ctx, e.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", p.store, err)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("%s: another plan was being made and took away parts of this one: plan again", p.store), p.store.Remove(ctx, jobName))
}

// drop removes the chunks that this planner created, unless they are in the job that
// another one finished.
func (p *planner) drop(ctx context.Context) error {
	used := map[string]bool{}
	if other, err := Open(ctx, p.store); err == nil {
		for i, c := range other.Chunks {
			used[c.name(i)] = true
		}
	}
	var errs []error
	for _, name := range p.mine {
		if used[name] {
			continue
		}
		if err := p.store.Remove(ctx, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
