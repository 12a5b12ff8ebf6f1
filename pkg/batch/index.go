package batch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"gaze/pkg/batch/source"
)

// A chunk of the index is one zstd frame. In it, after a mark, each input is
//
//	key, file, column    strings, see below
//	offset, size, row    as signed varints
//
// A string is the number of bytes that it shares with the same string of the input before,
// the number of its other bytes, both as unsigned varints, and those bytes. Neighbours in a
// folder differ in few bytes, and a worker reads a whole chunk for one shard.

// chunkMark begins a chunk.
const chunkMark = "gaze index 1\n"

// maxChunk is the most shards of a chunk.
const maxChunk = 1 << 16

// chunkInputs is about how many inputs a chunk has: whole shards, at least one. Tests change
// it.
var chunkInputs = 1 << 16

// maxChunkBytes bounds a chunk in memory: for each of the most inputs, a kilobyte.
const maxChunkBytes = 1 << 28

// name is the name of chunk i in the job's store. It has the start of the digest, so that
// two who plan a job at the same time don't write each other's files.
func (c Chunk) name(i int) string {
	return fmt.Sprintf("%s/chunk-%05d-%s.zst", indexFolder, i, c.Digest[:12])
}

// chunkWriter encodes the inputs of a chunk.
type chunkWriter struct {
	zstd   *zstd.Encoder
	raw    []byte
	out    []byte
	last   source.Input
	inputs int
}

func newChunkWriter() (*chunkWriter, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20))
	return &chunkWriter{zstd: e}, err
}

// add adds an input.
func (w *chunkWriter) add(in source.Input) error {
	if w.inputs == 0 {
		w.raw, w.last = append(w.raw[:0], chunkMark...), source.Input{}
	}
	w.raw = appendShared(w.raw, w.last.Key, in.Key)
	w.raw = appendShared(w.raw, w.last.File, in.File)
	w.raw = appendShared(w.raw, w.last.Column, in.Column)
	for _, v := range [...]int64{in.Offset, in.Size, in.Row} {
		w.raw = binary.AppendVarint(w.raw, v)
	}
	w.last = in
	w.inputs++
	if len(w.raw) > maxChunkBytes {
		return fmt.Errorf("%s: the keys and paths of %d pictures take more than %d MB: make shards smaller", in.Key, w.inputs, maxChunkBytes>>20)
	}
	return nil
}

// finish returns the chunk's file, valid until the next call, and empties the writer.
func (w *chunkWriter) finish() ([]byte, Chunk) {
	w.out = w.zstd.EncodeAll(w.raw, w.out[:0])
	sum := sha256.Sum256(w.out)
	c := Chunk{Inputs: w.inputs, Digest: hex.EncodeToString(sum[:])}
	w.inputs = 0
	return w.out, c
}

// appendShared appends a string after one that is known.
func appendShared(to []byte, known, text string) []byte {
	n := 0
	for n < len(known) && n < len(text) && known[n] == text[n] {
		n++
	}
	to = binary.AppendUvarint(to, uint64(n))
	to = binary.AppendUvarint(to, uint64(len(text)-n))
	return append(to, text[n:]...)
}

// errChunk is the error for a chunk that isn't one.
var errChunk = errors.New("it isn't a chunk of an index, or it is damaged")

// decodeChunk reads a chunk.
func decodeChunk(data []byte) ([]source.Input, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*maxChunkBytes))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	raw, err := d.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errChunk, err)
	}
	return parseChunk(raw)
}

// parseChunk reads the content of a chunk.
func parseChunk(raw []byte) (inputs []source.Input, err error) {
	if len(raw) < len(chunkMark) || string(raw[:len(chunkMark)]) != chunkMark {
		return nil, errChunk
	}
	r := chunkReader{raw: raw[len(chunkMark):]}
	var in source.Input
	for len(r.raw) > 0 {
		in.Key, in.File, in.Column = r.shared(in.Key), r.shared(in.File), r.shared(in.Column)
		in.Offset, in.Size, in.Row = r.number(), r.number(), r.number()
		if r.bad {
			return nil, errChunk
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// chunkReader takes values from the front of a chunk. After a bad one, it returns zeros.
type chunkReader struct {
	raw  []byte
	held int // bytes of all strings
	bad  bool
}

func (r *chunkReader) number() int64 {
	v, n := binary.Varint(r.raw)
	if n <= 0 {
		r.bad, r.raw = true, nil
		return 0
	}
	r.raw = r.raw[n:]
	return v
}

func (r *chunkReader) length(most int) int {
	v, n := binary.Uvarint(r.raw)
	if n <= 0 || v > uint64(most) {
		r.bad, r.raw = true, nil
		return 0
	}
	r.raw = r.raw[n:]
	return int(v)
}

// shared takes a string. Strings that share bytes can be longer than the chunk together, so
// their sum is bounded.
func (r *chunkReader) shared(known string) string {
	same := r.length(len(known))
	more := r.length(len(r.raw))
	if r.bad {
		return ""
	}
	if same == len(known) && more == 0 {
		return known
	}
	if r.held += same + more; r.held > 4*maxChunkBytes {
		r.bad = true
		return ""
	}
	text := known[:same] + string(r.raw[:more])
	r.raw = r.raw[more:]
	return text
}
