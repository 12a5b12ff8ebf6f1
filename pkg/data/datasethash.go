package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// Hash is the SHA-256, in hexadecimal, of everything that training on the data
// set depends on: classes, order, labels, names as seen from the root, and the
// files' bytes. It reads every file once, several at a time; a second per GB or
// less where the disk is as fast.
func (d *Dataset) Hash(ctx context.Context) (string, error) {
	sums, err := d.Sums(ctx, nil)
	if err != nil {
		return "", err
	}
	return d.HashOf(sums), nil
}

// HashOf is [Dataset.Hash] where the files' sums are known.
func (d *Dataset) HashOf(sums []Sum) string {
	all := sha256.New()
	for _, name := range d.Classes {
		fmt.Fprintf(all, "class %q\n", name)
	}
	for i, item := range d.Items {
		fmt.Fprintf(all, "%q %d %x\n", d.Relative(i), item.Label, sums[i])
	}
	return hex.EncodeToString(all.Sum(nil))
}

// Sum is the SHA-256 of a file.
type Sum [sha256.Size]byte

// Sums is the sum of every picture's file, in their order. It reads every file
// once, several at a time. bad is told of files that can't be read, by one goroutine
// at a time, and their sum is then zero; if it is nil they are an error.
func (d *Dataset) Sums(ctx context.Context, bad func(i int, err error)) ([]Sum, error) {
	sums := make([]Sum, len(d.Items))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var telling sync.Mutex
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(d.Items)) {
		wg.Go(func() {
			buf := make([]byte, 256<<10)
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(d.Items) {
					return
				}
				err := hashFile(ctx, d.Items[i].Path, buf, &sums[i])
				switch {
				case err == nil:
				case bad == nil || ctx.Err() != nil:
					cancel(err)
				default:
					sums[i] = Sum{}
					telling.Lock()
					bad(i, err)
					telling.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	return sums, nil
}

// hashFile reads a file until the context ends; a pipe or a device, which might
// never end, is an error.
func hashFile(ctx context.Context, path string, buf []byte, sum *Sum) error {
	f, _, err := open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	for {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		switch {
		case err == io.EOF:
			h.Sum(sum[:0])
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}
