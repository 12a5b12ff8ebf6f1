package batch

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"gaze/pkg/batch/source"
)

// maxHashes is how many hashes of keys are kept in memory, 128 MiB of them.
const maxHashes = 1 << 24

// hashBlock is how many hashes are sorted together.
const hashBlock = 1 << 20

// maxCandidates is how many hashes that occur more than once are looked into at a time.
const maxCandidates = 1 << 12

// keyHashes finds keys that occur more than once. It keeps a 64-bit hash of each key; keys
// with equal hashes are then compared themselves, as the index has them. If there are more
// keys than hashes may be kept, the index is read several times, each time for a part of
// the hashes.
type keyHashes struct {
	seed   maphash.Seed
	limit  int
	blocks [][]uint64
	n      int // keys that were added
}

func newKeyHashes(limit int) *keyHashes { return &keyHashes{seed: maphash.MakeSeed(), limit: limit} }

// add notes a key.
func (k *keyHashes) add(key string) {
	if k.n++; k.n > k.limit {
		k.blocks = nil // they will be made again from the index
		return
	}
	k.keep(maphash.String(k.seed, key))
}

func (k *keyHashes) keep(hash uint64) {
	last := len(k.blocks) - 1
	if last < 0 || len(k.blocks[last]) == hashBlock {
		k.blocks = append(k.blocks, make([]uint64, 0, min(hashBlock, k.limit)))
		last++
	}
	k.blocks[last] = append(k.blocks[last], hash)
}

// check is an error if two inputs of a job have the same key.
func (k *keyHashes) check(ctx context.Context, j *Job) error {
	parts := uint64((k.n + k.limit - 1) / k.limit)
	if parts > 1 {
		parts++ // so that an uneven division stays below the limit
	}
	for part := range parts {
		if parts > 1 {
			if err := k.collect(ctx, j, part, parts); err != nil {
				return err
			}
		}
		for again := range slices.Chunk(k.repeated(), maxCandidates) {
			if err := k.compare(ctx, j, again); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect reads the hashes of one part from the index.
func (k *keyHashes) collect(ctx context.Context, j *Job, part, parts uint64) error {
	k.blocks = nil
	for i := range j.Chunks {
		inputs, err := j.chunk(ctx, i)
		if err != nil {
			return err
		}
		for _, in := range inputs {
			if h := maphash.String(k.seed, in.Key); h%parts == part {
				k.keep(h)
			}
		}
	}
	return nil
}

// repeated lists the hashes that occur more than once. Blocks are sorted in place and then
// merged, so that it needs no more memory.
func (k *keyHashes) repeated() (found []uint64) {
	for _, b := range k.blocks {
		slices.Sort(b)
	}
	heads := slices.Clone(k.blocks)
	last, any := uint64(0), false
	for {
		least := -1
		for i, b := range heads {
			if len(b) > 0 && (least < 0 || b[0] < heads[least][0]) {
				least = i
			}
		}
		if least < 0 {
			return found
		}
		h := heads[least][0]
		heads[least] = heads[least][1:]
		if any && h == last && (len(found) == 0 || found[len(found)-1] != h) {
			found = append(found, h)
		}
		last, any = h, true
	}
}

// compare is an error if keys with these hashes are equal.
func (k *keyHashes) compare(ctx context.Context, j *Job, hashes []uint64) error {
	wanted := map[uint64]bool{}
	for _, h := range hashes {
		wanted[h] = true
	}
	seen := map[string]source.Input{}
	for i := range j.Chunks {
		inputs, err := j.chunk(ctx, i)
		if err != nil {
			return err
		}
		for _, in := range inputs {
			if !wanted[maphash.String(k.seed, in.Key)] {
				continue
			}
			if other, there := seen[in.Key]; there {
				return fmt.Errorf("two pictures have the key %q, %s and %s: each must have its own (--qualify puts the name of its source in front of each key; a table can give keys)", in.Key, other.Where(), in.Where())
			}
			seen[in.Key] = in
		}
	}
	return nil
}
