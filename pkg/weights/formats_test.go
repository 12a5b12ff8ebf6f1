package weights

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// stored is a tensor as its format's own library wrote it (tools/golden/weights.py).
type stored struct {
	DType  string
	Shape  []int
	Values []float64
}

func formatGoldens(t testing.TB) map[string]map[string]stored {
	t.Helper()
	data, err := os.ReadFile("testdata/formats_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g map[string]map[string]stored
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// values returns a tensor's elements of any type.
func values(t testing.TB, w *Tensor) []float64 {
	t.Helper()
	out := make([]float64, w.Len())
	size := w.DType.Size()
	for i := range out {
		b := w.Bytes()[i*size : (i+1)*size]
		bits := uint64(0)
		for j := size - 1; j >= 0; j-- {
			bits = bits<<8 | uint64(b[j])
		}
		switch w.DType {
		case Float64:
			out[i] = math.Float64frombits(bits)
		case Float32:
			out[i] = float64(math.Float32frombits(uint32(bits)))
		case Int64:
			out[i] = float64(int64(bits))
		case Int32:
			out[i] = float64(int32(bits))
		case Int16:
			out[i] = float64(int16(bits))
		case Int8:
			out[i] = float64(int8(bits))
		case Uint8, Bool:
			out[i] = float64(bits)
		default: // half floats, converted by the public method
			f, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			out[i] = float64(f[i])
		}
	}
	return out
}

func compare(t *testing.T, w *Tensor, want stored) {
	t.Helper()
	if w.DType.String() != want.DType || !slices.Equal(w.Shape, want.Shape) {
		t.Errorf("%s is %s %v, want %s %v", w.Name, w.DType, w.Shape, want.DType, want.Shape)
		return
	}
	if got := values(t, w); !slices.Equal(got, want.Values) {
		t.Errorf("%s holds %v, want %v", w.Name, got, want.Values)
	}
}

func TestFormats(t *testing.T) {
	for name, want := range formatGoldens(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			if filepath.Ext(name) == ".npy" {
				f, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				w, err := ReadNPY(f)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, w, want[""])
				return
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if len(f.Names()) != len(want) {
				t.Errorf("%d tensors, want %d", len(f.Names()), len(want))
			}
			for key, w := range want {
				got, ok := f.Tensor(key)
				if !ok {
					t.Errorf("no tensor %s", key)
					continue
				}
				compare(t, got, w)
			}
		})
	}
}

func TestFormatNames(t *testing.T) {
	for name, want := range map[string]Format{
		"st_types.safetensors": FormatSafetensors,
		"sharded_ok":           FormatSafetensors,
		"npz_stored.npz":       FormatNPZ,
		"onnx_types.onnx":      FormatONNX,
		"torch_types.pth":      FormatPyTorch,
	} {
		f, err := Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if f.Format() != want {
			t.Errorf("%s is taken for %s", name, f.Format())
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMetadata(t *testing.T) {
	f, err := Open("testdata/st_types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Metadata()["note"] != "ü" || f.Path() != "testdata/st_types.safetensors" || f.Root() != "" {
		t.Errorf("metadata %q, path %q, root %q", f.Metadata(), f.Path(), f.Root())
	}
}

// TestTypesAreWrittenBack writes tensors that were read and reads them again.
func TestTypesAreWrittenBack(t *testing.T) {
	f, err := Open("testdata/st_types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []*Tensor
	for _, name := range f.Names() {
		w, _ := f.Tensor(name)
		list = append(list, w)
	}
	slices.Reverse(list)
	path := filepath.Join(t.TempDir(), "again.safetensors")
	if err := WriteSafetensors(path, list, map[string]string{"by": "test"}); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	want := slices.Clone(f.Names())
	slices.Reverse(want)
	if !slices.Equal(again.Names(), want) || again.Metadata()["by"] != "test" {
		t.Errorf("names %q, want %q", again.Names(), want)
	}
	for name, w := range formatGoldens(t)["st_types.safetensors"] {
		got, _ := again.Tensor(name)
		compare(t, got, w)
	}
	for _, bad := range [][]*Tensor{
		{list[0], list[0]},
		{NewTensor(metadataKey, []int{1}, []float32{1})},
		{{Name: "x", DType: Invalid}},
	} {
		if err := WriteSafetensors(path, bad, nil); err == nil {
			t.Errorf("tensors %v are written", bad)
		}
	}
}

func TestNPYRoundTrip(t *testing.T) {
	for _, shape := range [][]int{{}, {0}, {5}, {2, 3}, {1, 2, 3}} {
		n := 1
		for _, d := range shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(i) / 3
		}
		path := filepath.Join(t.TempDir(), "a.npy")
		if err := WriteNPY(path, NewTensor("a", shape, data)); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		w, err := ReadNPY(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.Float32s()
		if err != nil || !slices.Equal(got, data) || len(w.Shape) != len(shape) {
			t.Errorf("shape %v: %v %v (%v)", shape, w.Shape, got, err)
		}
	}
	if err := WriteNPY(filepath.Join(t.TempDir(), "i.npy"), &Tensor{Name: "i", DType: Int8, Shape: []int{1}, data: []byte{1}}); err == nil {
		t.Error("integers are written as float32")
	}
}

func TestConversions(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0x0000: 0, 0x8000: math.Copysign(0, -1), 0x3C00: 1, 0xC000: -2, 0x7BFF: 65504, 0x0001: math.Pow(2, -24),
		0x03FF: 1023 * math.Pow(2, -24), 0x0400: math.Pow(2, -14), 0x7C00: math.Inf(1), 0xFC00: math.Inf(-1),
	} {
		if got := float64(float16(bits)); got != want || math.Signbit(got) != math.Signbit(want) {
			t.Errorf("half %04x is %v, want %v", bits, got, want)
		}
	}
	if v := float16(0x7E00); v == v {
		t.Errorf("half 7e00 is %v, want NaN", v)
	}
	// Bytes at an offset that isn't a multiple of 4 are copied, not viewed.
	odd := make([]byte, 9)
	copy(odd[1:], []byte{0, 0, 128, 63, 0, 0, 0, 64})
	for start := range 2 {
		w := &Tensor{DType: Float32, Shape: []int{2}, data: append(make([]byte, start), 0, 0, 128, 63, 0, 0, 0, 64)[start:]}
		if got, err := w.Float32s(); err != nil || got[0] != 1 || got[1] != 2 {
			t.Errorf("from byte %d: %v, %v", start, got, err)
		}
	}
	if _, err := (&Tensor{Name: "n", DType: Int64, Shape: []int{1}, data: make([]byte, 8)}).Float32s(); err == nil {
		t.Error("integers convert to floats")
	}
	if DType(99).String() != "invalid" || DType(99).Size() != 0 {
		t.Error("an unknown type has a name or a size")
	}
	defer func() {
		if recover() == nil {
			t.Error("a shape that doesn't fit is taken")
		}
	}()
	NewTensor("x", []int{3}, []float32{1})
}
