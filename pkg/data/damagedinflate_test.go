package data

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"testing"
)

// compressed returns data compressed at a level.
func compressed(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// inflateAll decompresses at most size bytes.
func inflateAll(data []byte, size int) (*inflater, error) {
	f := &inflater{next: bytes.NewReader(data).ReadByte, size: size}
	return f, f.run()
}

func inflateSamples() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 70000)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	text := bytes.Repeat([]byte("a row of pixels, and "), 3000)
	few := make([]byte, 5000)
	for i := range few {
		few[i] = byte(r.IntN(3))
	}
	return [][]byte{{}, {7}, []byte("abcabcabcabc"), random[:300], random, text, few, make([]byte, 40000)}
}

func TestInflate(t *testing.T) {
	for i, data := range inflateSamples() {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			packed := compressed(t, data, level)
			f, err := inflateAll(packed, len(data))
			if err != nil || !bytes.Equal(f.out, data) {
				t.Fatalf("sample %d at level %d: %d bytes of %d, %v", i, level, len(f.out), len(data), err)
			}
			if n := len(data); n > 1 {
				if f, err := inflateAll(packed, n-1); err != errEnough || !bytes.Equal(f.out, data[:n-1]) {
					t.Errorf("sample %d at level %d: all but one byte: %v", i, level, err)
				}
			}
			// Truncated data gives a beginning that grows with the data.
			last := 0
			for n := 0; n < len(packed); n += 1 + len(packed)/50 {
				f, err := inflateAll(packed[:n], len(data))
				if err != io.EOF || !bytes.HasPrefix(data, f.out) || len(f.out) < last {
					t.Fatalf("sample %d at level %d, cut to %d: %d bytes, %v", i, level, n, len(f.out), err)
				}
				last = len(f.out)
			}
		}
	}
}

// Data that compress/flate decompresses gives the same bytes here.
func FuzzInflate(f *testing.F) {
	for _, data := range inflateSamples() {
		f.Add(compressed(f, data[:min(len(data), 500)], 9))
		f.Add(compressed(f, data[:min(len(data), 500)], flate.HuffmanOnly))
	}
	f.Add([]byte{3, 0})
	f.Fuzz(func(t *testing.T, packed []byte) {
		const most = 1 << 20
		want, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), most))
		got, gotErr := inflateAll(packed, most)
		if err == nil && len(want) < most && (gotErr != nil || !bytes.Equal(got.out, want)) {
			t.Fatalf("%d bytes, %v; compress/flate makes %d", len(got.out), gotErr, len(want))
		}
	})
}
