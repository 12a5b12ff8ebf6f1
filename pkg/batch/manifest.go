package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gaze/pkg/batch/source"
)

// Manifest lists the parts of a complete job. It depends on nothing but the job and the
// parts.
type Manifest struct {
	Job   string `json:"job"`  // the job's ID
	Rows  int    `json:"rows"` // of all parts: one for each picture
	Bad   int    `json:"bad"`  // of those, rows with an error
	Parts []Part `json:"parts"`
}

// Part is a part in a [Manifest].
type Part struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	Bad    int    `json:"bad"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ErrIncomplete means that shards of a job have no receipt yet.
var ErrIncomplete = errors.New("the job isn't complete")

// Finish writes the manifest, if every shard has a receipt and the parts that they name are
// there; otherwise it is [ErrIncomplete] or an error that names the part. Then it removes
// what killed workers left. A manifest that is there already is kept.
func (j *Job) Finish(ctx context.Context) (Manifest, error) {
	m, err := j.manifest(ctx)
	if err != nil {
		return m, err
	}
	old, err := j.Store.Read(ctx, manifestName)
	if err == nil {
		text, err := encodeJSON(m)
		if err == nil && string(old) != string(text) {
			err = fmt.Errorf("%s: %s doesn't list the parts that the receipts do: remove it and run the job again", j.Store, manifestName)
		}
		return m, errors.Join(err, j.Sweep(ctx, 0))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s: %w", j.Store, err)
	}
	if err := j.Sweep(ctx, 0); err != nil {
		return m, fmt.Errorf("%s: %w", j.Store, err)
	}
	if err := writeJSON(ctx, j.Store.Write, manifestName, m); err != nil {
		return m, fmt.Errorf("%s: %w", j.Store, err)
	}
	return m, nil
}

// manifest makes the manifest from the receipts and the list of parts.
func (j *Job) manifest(ctx context.Context) (Manifest, error) {
	m := Manifest{Job: j.ID}
	receipts, err := j.Receipts(ctx)
	if err != nil {
		return m, err
	}
	if missing := j.Shards() - len(receipts); missing > 0 {
		return m, fmt.Errorf("%s: %w: %d of %d shards have no receipt", j.Store, ErrIncomplete, missing, j.Shards())
	}
	sizes := map[string]int64{}
	for e, err := range j.Store.List(ctx, partFolder+"/") {
		if err != nil {
			return m, fmt.Errorf("%s: %w", j.Store, err)
		}
		sizes[e.Name] = e.Size
	}
	for shard := range j.Shards() {
		r := receipts[shard]
		switch size, there := sizes[r.Part]; {
		case !there:
			return m, fmt.Errorf("%s: %s is gone, but its receipt is there ('gaze batch verify --repair' has it made again)", j.Store, r.Part)
		case size != r.Bytes:
			return m, fmt.Errorf("%s: %s has %d bytes, its receipt says %d ('gaze batch verify --repair' has it made again)", j.Store, r.Part, size, r.Bytes)
		}
		m.Parts = append(m.Parts, Part{r.Part, r.Rows, r.Bad, r.Bytes, r.SHA256})
		m.Rows, m.Bad = m.Rows+r.Rows, m.Bad+r.Bad
	}
	return m, nil
}

// Verified is what [Job.Verify] found.
type Verified struct {
	Status
	Problems []Problem `json:"problems"` // of parts that are there
	Missing  []int     `json:"missing"`  // shards without a receipt
}

// Problem is a part that isn't as it should be.
type Problem struct {
	Shard   int    `json:"shard"` // -1: of no shard
	Name    string `json:"name"`
	Problem string `json:"problem"`
}

// Whole says that every picture is in the parts exactly once.
func (v Verified) Whole() bool { return len(v.Problems)+len(v.Missing) == 0 }

// Verify reads all parts: their bytes must be those of their receipts, and their rows the
// pictures of their shards, each once and in order. repair removes the parts that aren't so,
// with their receipts and the manifest, so that the job can be run again.
func (j *Job) Verify(ctx context.Context, repair bool) (Verified, error) {
	v := Verified{Problems: []Problem{}, Missing: []int{}}
	receipts, err := j.Receipts(ctx)
	if err != nil {
		return v, err
	}
	for chunk := range j.Chunks {
		inputs, err := j.chunk(ctx, chunk)
		if err != nil {
			return v, err
		}
		for k := 0; k*j.ShardSize < len(inputs); k++ {
			shard := chunk*j.ShardsPerChunk + k
			r, done := receipts[shard]
			if !done {
				v.Missing = append(v.Missing, shard)
				continue
			}
			data, err := j.Store.Read(ctx, r.Part)
			if err == nil {
				err = j.verifyPart(data, r, inputs[k*j.ShardSize:][:j.Size(shard)], shard)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return v, fmt.Errorf("%s: %w", j.Store, err)
			}
			if err != nil {
				v.Problems = append(v.Problems, Problem{shard, r.Part, err.Error()})
			}
		}
	}
	if err := j.strangers(ctx, &v); err != nil {
		return v, err
	}
	if repair && len(v.Problems) > 0 {
		if err := j.repair(ctx, v.Problems); err != nil {
			return v, fmt.Errorf("%s: %w", j.Store, err)
		}
	}
	v.Status, err = j.Status(ctx)
	return v, err
}

// verifyPart compares a part with its receipt and its shard.
func (j *Job) verifyPart(data []byte, r Receipt, inputs []source.Input, shard int) error {
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != r.SHA256 {
		return errors.New("its SHA-256 isn't that of its receipt: it was changed or damaged")
	}
	s, err := scanPart(data)
	if err != nil {
		return err
	}
	if s.bad != r.Bad {
		return fmt.Errorf("it has %d rows with an error, its receipt says %d", s.bad, r.Bad)
	}
	return j.checkPart(s, shard, inputs)
}

// strangers adds the files among the parts that are none, which readers of the folder would
// take for parts, and a manifest that isn't the receipts'.
func (j *Job) strangers(ctx context.Context, v *Verified) error {
	for e, err := range j.Store.List(ctx, partFolder+"/") {
		if err != nil {
			return fmt.Errorf("%s: %w", j.Store, err)
		}
		var shard int
		n, _ := fmt.Sscanf(strings.TrimPrefix(e.Name, partFolder+"/"), "part-%d.parquet", &shard)
		if n != 1 || j.Check(shard) != nil || PartName(shard) != e.Name {
			v.Problems = append(v.Problems, Problem{-1, e.Name, "it is no part of this job: remove it"})
		}
	}
	text, err := j.Store.Read(ctx, manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var old Manifest
	if err == nil {
		err = json.Unmarshal(text, &old)
	}
	if err == nil && old.Job != j.ID {
		err = fmt.Errorf("it is of another job, %.12s", old.Job)
	}
	if now, bad := j.manifest(ctx); err == nil && bad == nil {
		if again, bad := encodeJSON(now); bad == nil && string(again) != string(text) {
			err = errors.New("it doesn't list the parts that the receipts do")
		}
	}
	if err != nil {
		v.Problems = append(v.Problems, Problem{-1, manifestName, err.Error()})
	}
	return nil
}

// repair removes bad parts, their receipts first, and the manifest.
func (j *Job) repair(ctx context.Context, bad []Problem) error {
	remove := func(name string) error {
		err := j.Store.Remove(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if err := remove(manifestName); err != nil {
		return err
	}
	for _, p := range bad {
		if p.Shard < 0 { // a file that isn't Gaze's
			continue
		}
		if err := remove(ReceiptName(p.Shard)); err != nil {
			return err
		}
		if err := remove(p.Name); err != nil {
			return err
		}
	}
	return nil
}
