package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"gaze/pkg/batch/source"
)

// WorkOptions say how a shard is worked on. They change no byte of its part.
type WorkOptions struct {
	Decoders int                 // pictures that are read and decoded at a time; 0: one for each processor
	Progress func(done, bad int) // is told of the shard's rows from time to time; may be nil
	Gaze     string              // the version, for the receipt
}

// stale is the age from which a temporary file is a killed worker's. Parts are made in
// memory, so that a live one is written in seconds.
const stale = time.Hour

// Work makes a shard's part, then its receipt, and returns the receipt. If there is one
// already, nothing is done. Several may work on one shard at the same time: the first part
// that is finished stays, and the others write a receipt of that one. A part is never
// replaced by another.
//
// A picture that can't be read or decoded is a row with its error. The error of Work is one
// of the whole shard: the store can't be written, the source is gone, the model fails, or
// the context is done. Then nothing of the shard was written.
func (j *Job) Work(ctx context.Context, shard int, m Model, reader *source.Reader, o WorkOptions) (Receipt, error) {
	if err := j.Check(shard); err != nil {
		return Receipt{}, err
	}
	if r, err := j.Receipt(ctx, shard); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	inputs, err := j.Pictures(ctx, shard)
	if err != nil {
		return Receipt{}, err
	}
	start := time.Now()
	if r, err := j.adopt(ctx, shard, inputs, o); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	if err := j.Sweep(ctx, stale); err != nil {
		return Receipt{}, fmt.Errorf("%s: %w", j.Store, err)
	}
	part, rows, err := j.make(ctx, shard, inputs, m, reader, o)
	if err != nil {
		return Receipt{}, fmt.Errorf("shard %d: %w", shard, err)
	}
	ctx = context.WithoutCancel(ctx) // what is finished is kept
	err = j.Store.Create(ctx, PartName(shard), func(w io.Writer) error {
		_, err := w.Write(part)
		return err
	})
	if err != nil {
		// Another worker may have been faster, or have completed the job and swept the
		// temporary file away.
		if r, adopted := j.adopt(ctx, shard, inputs, o); adopted == nil {
			return r, nil
		}
		return Receipt{}, fmt.Errorf("%s: shard %d: %w", j.Store, shard, err)
	}
	r := j.receipt(shard, part, rows, o)
	r.Seconds = time.Since(start).Seconds()
	return r, j.note(ctx, r)
}

// make makes a part in memory.
func (j *Job) make(ctx context.Context, shard int, inputs []source.Input, m Model, reader *source.Reader, o WorkOptions) ([]byte, *partWriter, error) {
	p := newPartWriter(j, shard)
	err := makeRows(ctx, j, inputs, m, reader, o.Decoders, func(r *Row) error {
		if err := p.add(r); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(p.rows, p.bad)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	data, err := p.finish()
	return data, p, err
}

// adopt writes a receipt of a part that is there, such as one whose worker was killed before
// it wrote the receipt. A part that isn't the shard's is removed. It is [fs.ErrNotExist] if
// there is no part.
func (j *Job) adopt(ctx context.Context, shard int, inputs []source.Input, o WorkOptions) (Receipt, error) {
	data, err := j.Store.Read(ctx, PartName(shard))
	if err != nil {
		return Receipt{}, err
	}
	s, err := scanPart(data)
	if err == nil {
		err = j.checkPart(s, shard, inputs)
	}
	if err != nil {
		if err := j.Store.Remove(ctx, PartName(shard)); err != nil {
			return Receipt{}, err
		}
		return Receipt{}, fmt.Errorf("%s: %w", PartName(shard), fs.ErrNotExist)
	}
	r := j.receipt(shard, data, &partWriter{rows: len(s.keys), bad: s.bad}, o)
	return r, j.note(ctx, r)
}

// checkPart is an error if a part isn't that of a shard: every picture once, in order.
func (j *Job) checkPart(s scanned, shard int, inputs []source.Input) error {
	switch {
	case s.job != j.ID:
		return fmt.Errorf("it is of another job, %.12s", s.job)
	case s.shard != fmt.Sprint(shard):
		return fmt.Errorf("it is of shard %s", s.shard)
	case len(s.keys) != len(inputs):
		return fmt.Errorf("it has %d rows, the shard has %d pictures", len(s.keys), len(inputs))
	}
	for i, key := range s.keys {
		if key != inputs[i].Key {
			return fmt.Errorf("row %d is of %q, not of %q", i, key, inputs[i].Key)
		}
	}
	return nil
}

// receipt describes a part.
func (j *Job) receipt(shard int, part []byte, p *partWriter, o WorkOptions) Receipt {
	sum := sha256.Sum256(part)
	host, _ := os.Hostname() // without a name, it is empty
	return Receipt{
		Job: j.ID, Shard: shard, Part: PartName(shard), Rows: p.rows, Bad: p.bad,
		Bytes: int64(len(part)), SHA256: hex.EncodeToString(sum[:]),
		Finished: time.Now().UTC().Truncate(time.Millisecond), Host: host, Gaze: o.Gaze,
	}
}

// note writes a receipt.
func (j *Job) note(ctx context.Context, r Receipt) error {
	err := writeJSON(ctx, j.Store.Write, ReceiptName(r.Shard), r)
	if err == nil {
		return nil
	}
	if _, there := j.Receipt(ctx, r.Shard); there == nil { // another worker's, of the same part
		return nil
	}
	return fmt.Errorf("%s: %w", j.Store, err)
}
