// Package batch runs a model over corpora of any size. A job is planned once: its pictures
// are divided into shards, each of which makes one Parquet file, the shard's part. Shards
// can be worked on anywhere, in any order and any number of times, and the parts have the
// same rows whoever made them; so engines that know nothing of pictures can run them, and
// what is killed is simply run again.
//
// A job is a folder, or a place in a bucket (see package store):
//
//	job.json                    what is done and with what; its SHA-256 names the job
//	index/chunk-00000-….zst     the pictures of some consecutive shards
//	parts/part-000000.parquet   the rows of a shard, written once
//	receipts/part-000000.json   a part is finished: its rows and its SHA-256
//	manifest.json               the job is complete: all parts
//
// See docs/scaling.md.
package batch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"gaze/pkg/batch/source"
	"gaze/pkg/batch/store"
)

// format is the version of the files of a job. Jobs of another version are refused.
const format = 1

// Names of a job's files.
const (
	jobName      = "job.json"
	manifestName = "manifest.json"
	indexFolder  = "index"
	partFolder   = "parts"
	noteFolder   = "receipts"
)

// MaxShard is the largest number of pictures in a shard: a part is made in memory.
const MaxShard = 100_000

// Results that a job can want, see [Spec].
const (
	Embeddings = "embeddings" // the features that the classification head reads
	Attention  = "attention"  // of the [class] token over the patches
	Classes    = "classes"    // the likeliest class and its probability
	Logits     = "logits"     // of all classes
	Caption    = "caption"
)

// Wants lists the results that a job can want, in the order of their columns.
func Wants() []string { return []string{Classes, Logits, Embeddings, Attention, Caption} }

// Checkpoint is a model that a job uses.
type Checkpoint struct {
	Name    string `json:"name"`              // a file, a folder or a name of the catalogue
	Digest  string `json:"digest"`            // SHA-256 over its files, see [FileDigest]
	Weights string `json:"weights,omitempty"` // the set of weights, if the checkpoint has several
	Head    string `json:"head,omitempty"`    // the linear layer that is the head, if it isn't the usual one
}

// Spec is what a job does: everything that decides what its parts hold, apart from the
// pictures.
type Spec struct {
	Want      []string        `json:"want"`                // of [Wants], in their order
	Model     *Checkpoint     `json:"model,omitempty"`     // for all wants but captions
	Captioner *Checkpoint     `json:"captioner,omitempty"` // for captions
	Pipeline  string          `json:"pipeline,omitempty"`  // how pictures are prepared for Model
	Layer     int             `json:"layer"`               // whose attention; -1 is the last
	Heads     string          `json:"heads,omitempty"`     // of that layer: mean, max or a number
	Caption   *CaptionOptions `json:"caption,omitempty"`
	Batch     int             `json:"batch,omitempty"` // pictures that run together; 0: what suits the processor
	Sources   []string        `json:"sources"`         // as they were given, for people
	ShardSize int             `json:"shard_size"`      // pictures in a shard
	Gaze      string          `json:"gaze"`            // the version that planned the job
}

// CaptionOptions say how captions are searched for, as caption.Options do.
type CaptionOptions struct {
	Beam          int     `json:"beam"`
	LengthPenalty float64 `json:"length_penalty"`
	Neighbours    int     `json:"neighbours"`
	MaxTokens     int     `json:"max_tokens"`
	Vocab         string  `json:"vocab,omitempty"` // a file; "": the model's own
}

// Wanted says whether a result is wanted.
func (s Spec) Wanted(result string) bool { return slices.Contains(s.Want, result) }

// check is an error if there can't be such a job.
func (s Spec) check() error {
	switch {
	case len(s.Want) == 0:
		return fmt.Errorf("nothing is wanted: choose among %s", strings.Join(Wants(), ", "))
	case s.ShardSize < 1 || s.ShardSize > MaxShard:
		return fmt.Errorf("shards of %d pictures: it must be 1 to %d", s.ShardSize, MaxShard)
	case s.Batch < 0:
		return fmt.Errorf("%d pictures at a time: it must be at least 1", s.Batch)
	}
	for i, want := range s.Want {
		if !slices.Contains(Wants(), want) {
			return fmt.Errorf("%q isn't among what can be wanted: %s", want, strings.Join(Wants(), ", "))
		}
		if slices.Contains(s.Want[:i], want) {
			return fmt.Errorf("%s is wanted twice", want)
		}
		model, name := s.Model, "model"
		if want == Caption {
			model, name = s.Captioner, "captioner"
		}
		if model == nil {
			return fmt.Errorf("%s needs a %s", want, name)
		}
	}
	return nil
}

// Chunk is a file of the index.
type Chunk struct {
	Inputs int    `json:"inputs"`
	Digest string `json:"digest"` // SHA-256 of the file
}

// description is the content of job.json.
type description struct {
	Format int `json:"format"`
	Spec
	Inputs         int     `json:"inputs"`
	ShardsPerChunk int     `json:"shards_per_chunk"`
	Chunks         []Chunk `json:"chunks"`
}

// Job is a planned job. It is safe for concurrent use.
type Job struct {
	ID    string // SHA-256 of job.json, in hexadecimal
	Store store.Store
	description
}

// Open opens a planned job.
func Open(ctx context.Context, s store.Store) (*Job, error) {
	text, err := s.Read(ctx, jobName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no %s, so it holds no job: plan one ('gaze batch plan')", s, jobName)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	j, err := parseJob(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", s, jobName, err)
	}
	j.Store = s
	return j, nil
}

// parseJob reads a job.json.
func parseJob(text []byte) (*Job, error) {
	sum := sha256.Sum256(text)
	j := &Job{ID: hex.EncodeToString(sum[:])}
	if err := json.Unmarshal(text, &j.description); err != nil {
		return nil, err
	}
	if j.Format != format {
		return nil, fmt.Errorf("its format is %d, this version of Gaze reads %d", j.Format, format)
	}
	if err := j.check(); err != nil {
		return nil, err
	}
	if j.Inputs < 1 || j.ShardsPerChunk < 1 || j.ShardsPerChunk > maxChunk {
		return nil, fmt.Errorf("%d inputs in chunks of %d shards make no sense", j.Inputs, j.ShardsPerChunk)
	}
	left := j.Inputs
	for i, c := range j.Chunks {
		if want := min(left, j.ShardsPerChunk*j.ShardSize); c.Inputs != want || want == 0 {
			return nil, fmt.Errorf("chunk %d has %d inputs, not %d", i, c.Inputs, want)
		}
		if !isDigest(c.Digest) {
			return nil, fmt.Errorf("chunk %d: %q is no SHA-256", i, c.Digest)
		}
		left -= c.Inputs
	}
	if left > 0 {
		return nil, fmt.Errorf("the chunks lack %d inputs", left)
	}
	return j, nil
}

// isDigest says whether a text is a SHA-256 in hexadecimal.
func isDigest(text string) bool {
	sum, err := hex.DecodeString(text)
	return err == nil && len(sum) == sha256.Size
}

// Shards is the number of shards.
func (j *Job) Shards() int { return (j.Inputs + j.ShardSize - 1) / j.ShardSize }

// Size is the number of pictures of a shard.
func (j *Job) Size(shard int) int { return min(j.ShardSize, j.Inputs-shard*j.ShardSize) }

// Check is an error if there is no shard of that number.
func (j *Job) Check(shard int) error {
	if shard < 0 || shard >= j.Shards() {
		return fmt.Errorf("there is no shard %d: %s has shards 0 to %d", shard, j.Store, j.Shards()-1)
	}
	return nil
}

// PartName is the name of a shard's part in the job's store.
func PartName(shard int) string { return fmt.Sprintf("%s/part-%06d.parquet", partFolder, shard) }

// ReceiptName is the name of a shard's receipt in the job's store.
func ReceiptName(shard int) string { return fmt.Sprintf("%s/part-%06d.json", noteFolder, shard) }

// Pictures lists the pictures of a shard, in the order of its rows.
func (j *Job) Pictures(ctx context.Context, shard int) ([]source.Input, error) {
	if err := j.Check(shard); err != nil {
		return nil, err
	}
	chunk := shard / j.ShardsPerChunk
	inputs, err := j.chunk(ctx, chunk)
	if err != nil {
		return nil, err
	}
	first := (shard - chunk*j.ShardsPerChunk) * j.ShardSize
	return slices.Clone(inputs[first : first+j.Size(shard)]), nil // not the whole chunk
}

// chunk reads a file of the index.
func (j *Job) chunk(ctx context.Context, i int) ([]source.Input, error) {
	c := j.Chunks[i]
	name := c.name(i)
	data, err := j.Store.Read(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", j.Store, name, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != c.Digest {
		return nil, fmt.Errorf("%s: %s is damaged: its SHA-256 isn't that in %s: copy the job again, or plan it anew", j.Store, name, jobName)
	}
	inputs, err := decodeChunk(data)
	if err == nil && len(inputs) != c.Inputs {
		err = fmt.Errorf("it has %d inputs, not %d", len(inputs), c.Inputs)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", j.Store, name, err)
	}
	return inputs, nil
}

// writeJSON writes a value as indented JSON into a store, by Write or Create.
func writeJSON(ctx context.Context, write func(context.Context, string, func(io.Writer) error) error, name string, value any) error {
	text, err := encodeJSON(value)
	if err != nil {
		return err
	}
	return write(ctx, name, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func encodeJSON(value any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(value)
	return buf.Bytes(), err
}
