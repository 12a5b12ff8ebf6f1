package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gaze/pkg/batch/source"
)

// made yields n inputs, of which some have other keys.
func made(n int, other map[int]string) iter.Seq2[source.Input, error] {
	return func(yield func(source.Input, error) bool) {
		for i := range n {
			key := fmt.Sprintf("folder %d/picture %d.jpg", i/100, i)
			if k, ok := other[i]; ok {
				key = k
			}
			if !yield(source.Input{Key: key, File: "/photos/" + key, Size: -1, Row: -1}, nil) {
				return
			}
		}
	}
}

// TestPlan: the shards of a job are its inputs in order, whatever the size of shards.
func TestPlan(t *testing.T) {
	ctx := context.Background()
	const n = 150_000
	for _, size := range []int{1000, 77, MaxShard} {
		s := openStore(t, t.TempDir())
		if _, err := Plan(ctx, s, fakeSpec(size), made(n, nil)); err != nil {
			t.Fatal(err)
		}
		j, err := Open(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		if j.Inputs != n || j.Shards() != (n+size-1)/size {
			t.Errorf("%d inputs in %d shards", j.Inputs, j.Shards())
		}
		for _, shard := range []int{0, 1, j.Shards() / 2, j.Shards() - 1} {
			inputs, err := j.Pictures(ctx, shard)
			if err != nil {
				t.Fatal(err)
			}
			if len(inputs) != min(size, n-shard*size) {
				t.Errorf("shard %d has %d pictures", shard, len(inputs))
			}
			i := shard * size
			for want := range made(n, nil) {
				if i--; i < -len(inputs) {
					break
				} else if i < 0 && inputs[-i-1] != want {
					t.Fatalf("shard %d: %+v, want %+v", shard, inputs[-i-1], want)
				}
			}
		}
		if _, err := j.Pictures(ctx, j.Shards()); err == nil || !strings.Contains(err.Error(), "no shard") {
			t.Errorf("a shard too many: %v", err)
		}
	}
}

// TestPlanErrors: what can't be planned is refused and leaves nothing.
func TestPlanErrors(t *testing.T) {
	ctx := context.Background()
	broken := errors.New("the table is broken in row 7")
	for _, c := range []struct {
		spec   func(*Spec)
		inputs iter.Seq2[source.Input, error]
		says   string
	}{
		{nil, made(0, nil), "no pictures"},
		{nil, made(70_000, map[int]string{69_000: "folder 0/picture 5.jpg"}), `the key "folder 0/picture 5.jpg"`},
		{nil, made(10, map[int]string{3: ""}), "key"},
		{nil, made(10, map[int]string{3: "a\xff"}), "UTF-8"},
		{nil, func(yield func(source.Input, error) bool) {
			for in := range made(70_000, nil) {
				if !yield(in, nil) {
					return
				}
			}
			yield(source.Input{}, broken)
		}, "row 7"},
		{func(s *Spec) { s.Want = nil }, made(10, nil), "nothing is wanted"},
		{func(s *Spec) { s.Want = []string{"beauty"} }, made(10, nil), "beauty"},
		{func(s *Spec) { s.Want = []string{Classes, Classes} }, made(10, nil), "twice"},
		{func(s *Spec) { s.Want = []string{Caption} }, made(10, nil), "captioner"},
		{func(s *Spec) { s.ShardSize = 0 }, made(10, nil), "1 to 100000"},
		{func(s *Spec) { s.ShardSize = MaxShard + 1 }, made(10, nil), "1 to 100000"},
		{func(s *Spec) { s.Batch = -1 }, made(10, nil), "at a time"},
	} {
		s := openStore(t, t.TempDir())
		spec := fakeSpec(1000, "photos")
		if c.spec != nil {
			c.spec(&spec)
		}
		if _, err := Plan(ctx, s, spec, c.inputs); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %q", err, c.says)
		}
		for e := range s.List(ctx, "") {
			t.Errorf("%s: %s is left over", c.says, e.Name)
		}
		if _, err := Open(ctx, s); err == nil || !strings.Contains(err.Error(), "plan one") {
			t.Errorf("opening what is no job: %v", err)
		}
	}
	s := openStore(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(s.String(), "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Plan(ctx, s, fakeSpec(10), made(10, nil)); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("into a folder with other files: %v", err)
	}
}

// TestTwoPlanners: of many that plan in one place, the same or other pictures, one succeeds;
// its job is whole, and a killed planner is no obstacle.
func TestTwoPlanners(t *testing.T) {
	ctx := context.Background()
	defer func(n int) { chunkInputs = n }(chunkInputs)
	chunkInputs = 100
	for round := range 5 {
		s := openStore(t, t.TempDir())
		dead := Chunk{Digest: strings.Repeat("ab", 32)}
		if err := s.Write(ctx, dead.name(3), func(w io.Writer) error { _, err := w.Write([]byte("half")); return err }); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		succeeded := 0
		for n := range 6 {
			all.Go(func() {
				_, err := Plan(ctx, s, fakeSpec(20), made(1400+n/2*10, nil))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					succeeded++
				} else if !errors.Is(err, ErrPlanned) && !strings.Contains(err.Error(), "plan again") {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if succeeded > 1 {
			t.Errorf("%d planners succeeded", succeeded)
		}
		if succeeded == 0 {
			t.Logf("round %d: no planner succeeded", round)
			continue
		}
		j, err := Open(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		files := 0
		for range s.List(ctx, "") {
			files++
		}
		if files != 1+len(j.Chunks) {
			t.Errorf("%d files for %d chunks", files, len(j.Chunks))
		}
		for shard := range j.Shards() {
			if _, err := j.Pictures(ctx, shard); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Plan(ctx, s, fakeSpec(10), made(10, nil)); !errors.Is(err, ErrPlanned) {
			t.Errorf("planning again: %v", err)
		}
	}
}

// TestKeys: equal keys are found with few hashes in memory, too, and keys with equal hashes
// aren't taken for equal keys.
func TestKeys(t *testing.T) {
	ctx := context.Background()
	const n = 5000
	j, err := Plan(ctx, openStore(t, t.TempDir()), fakeSpec(7), made(n, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{n, n - 1, 700, 64} {
		k := newKeyHashes(limit)
		for in := range made(n, nil) {
			k.add(in.Key)
		}
		if err := k.check(ctx, j); err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
		// As if all hashes had come twice.
		for _, b := range k.blocks {
			if err := k.compare(ctx, j, b); err != nil {
				t.Errorf("limit %d, equal hashes: %v", limit, err)
			}
		}
	}
	for _, at := range []int{1, n / 2, n - 1} {
		twice := made(n, map[int]string{at: "folder 0/picture 0.jpg"})
		for _, limit := range []int{n, 700, 64} {
			// The planner refuses such a job, so its index is made without.
			p := &planner{store: openStore(t, t.TempDir()), keys: newKeyHashes(limit)}
			p.chunks, err = newChunkWriter()
			p.Spec, p.ShardsPerChunk = fakeSpec(7), 100
			for in := range twice {
				err = errors.Join(err, p.add(ctx, in))
			}
			if err = errors.Join(err, p.flush(ctx)); err != nil {
				t.Fatal(err)
			}
			job := &Job{Store: p.store, description: p.description}
			if err := p.keys.check(ctx, job); err == nil || !strings.Contains(err.Error(), `"folder 0/picture 0.jpg"`) {
				t.Errorf("limit %d: %v", limit, err)
			}
		}
	}
}

// TestRepeated compares the merge of sorted blocks with a plain count.
func TestRepeated(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		k := newKeyHashes(1 << 20)
		count := map[uint64]int{}
		for range 5 {
			var block []uint64
			for range draw.IntN(300) {
				h := draw.Uint64N(1000)
				block = append(block, h)
				count[h]++
			}
			k.blocks = append(k.blocks, block)
		}
		var want []uint64
		for h, n := range count {
			if n > 1 {
				want = append(want, h)
			}
		}
		slices.Sort(want)
		if got := k.repeated(); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

// TestDamagedJob: a job.json or an index that was changed is refused.
func TestDamagedJob(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, t.TempDir())
	j, err := Plan(ctx, s, fakeSpec(100), made(1000, nil))
	if err != nil {
		t.Fatal(err)
	}
	chunk := filepath.Join(s.String(), j.Chunks[0].name(0))
	data, err := os.ReadFile(chunk)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2]++
	if err := os.WriteFile(chunk, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Pictures(ctx, 3); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a changed chunk: %v", err)
	}
	text, err := s.Read(ctx, jobName)
	if err != nil {
		t.Fatal(err)
	}
	for old, now := range map[string]string{`"format": 1`: `"format": 2`, `"inputs": 1000`: `"inputs": 999`, `"shard_size": 100`: `"shard_size": 0`, "{": "", `"digest": "`: `"digest": "x`} {
		changed := strings.Replace(string(text), old, now, 1)
		if strings.HasPrefix(old, `"digest`) { // that of the chunk
			i := strings.LastIndex(string(text), old)
			changed = string(text[:i]) + now + string(text[i+len(old):])
		}
		if err := os.WriteFile(filepath.Join(s.String(), jobName), []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, s); err == nil || !strings.Contains(err.Error(), jobName) {
			t.Errorf("%s: %v", now, err)
		}
	}
}

func FuzzParseJob(f *testing.F) {
	p := planner{chunks: nil}
	p.Format, p.Spec, p.Inputs, p.ShardsPerChunk = format, fakeSpec(10), 15, 1
	p.Chunks = []Chunk{{10, strings.Repeat("0", 64)}, {5, strings.Repeat("1", 64)}}
	text, err := json.Marshal(p.description)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		j, err := parseJob(text)
		if err != nil {
			return
		}
		total := 0
		for shard := range min(j.Shards(), 1000) {
			if j.Size(shard) < 1 || j.Size(shard) > j.ShardSize {
				t.Fatalf("shard %d of %d inputs", shard, j.Size(shard))
			}
			total += j.Size(shard)
		}
		if j.Shards() <= 1000 && total != j.Inputs {
			t.Fatalf("%d inputs in shards of %d", total, j.Inputs)
		}
	})
}

func FuzzParseChunk(f *testing.F) {
	w, err := newChunkWriter()
	if err != nil {
		f.Fatal(err)
	}
	for in := range made(5, nil) {
		in.Offset, in.Row, in.Column = 512, 7, "image.bytes"
		if err := w.add(in); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(bytes.Clone(w.raw))
	f.Add([]byte(chunkMark))
	f.Fuzz(func(t *testing.T, raw []byte) {
		inputs, err := parseChunk(raw)
		if err != nil {
			return
		}
		again, err := newChunkWriter()
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range inputs {
			if err := again.add(in); err != nil {
				t.Fatal(err)
			}
		}
		if len(inputs) == 0 {
			return
		}
		data, _ := again.finish()
		back, err := decodeChunk(data)
		if err != nil || !slices.Equal(back, inputs) {
			t.Fatalf("%v became %v, %v", inputs, back, err)
		}
	})
}

func FuzzScanPart(f *testing.F) {
	photos := f.TempDir()
	corpus(f, photos, 12, 5)
	j := planned(f, filepath.Join(f.TempDir(), "job"), photos, 12)
	workAll(f, j, &fakeModel{batch: 4})
	data, err := j.Store.Read(context.Background(), PartName(0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := scanPart(data); err == nil && s.bad > len(s.keys) {
			t.Fatalf("%d of %d rows are bad", s.bad, len(s.keys))
		}
	})
}
