package source

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
)

// keySet finds keys that come twice, in little memory however many there are: it keeps 8
// bytes of hash for each, sorted in runs, the full ones in a temporary file.
type keySet struct {
	size  int // of a run
	run   []uint64
	spill *os.File
	runs  int // in the file
}

// runSize is the usual number of keys in a run.
const runSize = 1 << 20

var keySeed = maphash.MakeSeed()

func (k *keySet) add(key string) error {
	if k.size == 0 {
		k.size = runSize
	}
	k.run = append(k.run, maphash.String(keySeed, key))
	if len(k.run) < k.size {
		return nil
	}
	return k.flush()
}

// flush writes a full run to the file.
func (k *keySet) flush() (err error) {
	if k.spill == nil {
		if k.spill, err = os.CreateTemp("", "gaze-keys-*"); err != nil {
			return err
		}
	}
	slices.Sort(k.run)
	out := bufio.NewWriterSize(k.spill, 64<<10)
	for _, hash := range k.run {
		out.Write(binary.LittleEndian.AppendUint64(out.AvailableBuffer(), hash)) // Flush has the error
	}
	k.runs++
	k.run = k.run[:0]
	if err := out.Flush(); err != nil {
		return fmt.Errorf("the temporary file of keys can't be written (TMPDIR says where): %w", err)
	}
	return nil
}

// close removes the file.
func (k *keySet) close() {
	if k.spill != nil {
		k.spill.Close()
		os.Remove(k.spill.Name())
	}
	*k = keySet{size: k.size}
}

// maxTwice bounds the hashes that [keySet.twice] returns. One is enough for an error.
const maxTwice = 1000

// twice returns hashes that were added more than once.
func (k *keySet) twice() (map[uint64]bool, error) {
	slices.Sort(k.run)
	var all cursors
	memory := k.run
	all.add(func() (uint64, error) {
		if len(memory) == 0 {
			return 0, io.EOF
		}
		next := memory[0]
		memory = memory[1:]
		return next, nil
	})
	for i := range k.runs {
		in := bufio.NewReader(io.NewSectionReader(k.spill, int64(i)*int64(k.size)*8, int64(k.size)*8))
		all.add(func() (uint64, error) {
			var b [8]byte
			_, err := io.ReadFull(in, b[:])
			return binary.LittleEndian.Uint64(b[:]), err
		})
	}
	twice := map[uint64]bool{}
	last, any := uint64(0), false
	for len(twice) < maxTwice {
		hash, err := all.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if any && hash == last {
			twice[hash] = true
		}
		last, any = hash, true
	}
	return twice, nil
}

// cursors merge sorted runs. It is a heap by the next number of each.
type cursors struct {
	list []cursor
	err  error
}

type cursor struct {
	head uint64
	read func() (uint64, error)
}

func (c *cursors) Len() int           { return len(c.list) }
func (c *cursors) Less(i, j int) bool { return c.list[i].head < c.list[j].head }
func (c *cursors) Swap(i, j int)      { c.list[i], c.list[j] = c.list[j], c.list[i] }
func (c *cursors) Push(x any)         { c.list = append(c.list, x.(cursor)) }
func (c *cursors) Pop() any {
	last := c.list[len(c.list)-1]
	c.list = c.list[:len(c.list)-1]
	return last
}

// add adds a run.
func (c *cursors) add(read func() (uint64, error)) {
	head, err := read()
	switch {
	case err == nil:
		heap.Push(c, cursor{head, read})
	case !errors.Is(err, io.EOF):
		c.err = err
	}
}

// next is the next number of all, or [io.EOF].
func (c *cursors) next() (uint64, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(c.list) == 0 {
		return 0, io.EOF
	}
	least := c.list[0].head
	head, err := c.list[0].read()
	switch {
	case err == nil:
		c.list[0].head = head
		heap.Fix(c, 0)
	case errors.Is(err, io.EOF):
		heap.Pop(c)
	default:
		return 0, err
	}
	return least, nil
}

// checkKeys returns an error if a key came twice. Only then everything is listed again, to
// find out which.
func (l *lister) checkKeys(sources []string) error {
	twice, err := l.keys.twice()
	l.keys.close()
	if err != nil || len(twice) == 0 {
		return err
	}
	seen := map[string]Input{}
	again := &lister{ctx: l.ctx, Options: l.Options}
	defer again.keys.close()
	var found error
	again.yield = func(in Input, _ error) bool {
		if !twice[maphash.String(keySeed, in.Key)] {
			return true
		}
		if first, ok := seen[in.Key]; ok {
			found = fmt.Errorf("two pictures have the key %q: %s and %s: %s", in.Key, first.Where(), in.Where(), l.advice())
			return false
		}
		seen[in.Key] = in
		return true
	}
	return errors.Join(again.all(sources), found)
}

// advice says how keys can be made to differ.
func (l *lister) advice() string {
	if l.Qualify {
		return "rename one, or give keys in a table (.csv with the columns path and key)"
	}
	return "let the names of their sources be part of the keys (qualify), or give keys in a table (.csv with the columns path and key)"
}
