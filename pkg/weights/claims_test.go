package weights

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func refuse(t *testing.T, data []byte, says string) {
	t.Helper()
	f, err := openBytes(t, data)
	if err == nil {
		f.Close()
		t.Fatalf("a false claim is believed, want an error that says %q", says)
	}
	if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "%!") {
		t.Errorf("error %v, want one that says %q", err, says)
	}
}

// deflated makes an archive with one compressed member whose compressed size is given as
// claim bytes; 0 gives the true size.
func deflated(t testing.TB, content []byte, claim uint64) []byte {
	t.Helper()
	var packed, b bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if claim == 0 {
		claim = uint64(packed.Len())
	}
	z := zip.NewWriter(&b)
	raw, err := z.CreateRaw(&zip.FileHeader{Name: "a.npy", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content),
		CompressedSize64: claim, UncompressedSize64: uint64(len(content))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Write(packed.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestClaimedCompressedSize opens an archive whose claimed compressed size is larger than
// the archive, to make the reader allocate memory for the inflated data.
func TestClaimedCompressedSize(t *testing.T) {
	for _, shape := range []string{"50000000", "2000000000,1000000000"} {
		data := deflated(t, npyText(fmt.Sprintf(npyDict, shape), 16), 1<<60)
		if got := allocated(func() { refuse(t, data, "array a") }); got > 20<<20 {
			t.Errorf("shape (%s): %d MB were allocated for a file of %d bytes", shape, got>>20, len(data))
		}
	}
}

// TestSharedMembers opens an archive whose directory names the same compressed bytes many
// times.
func TestSharedMembers(t *testing.T) {
	const members = 200
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range members {
		w, err := z.Create(fmt.Sprintf("a%03d.npy", i))
		if err != nil {
			t.Fatal(err)
		}
		content := []byte("x")
		if i == 0 {
			content = npyText(fmt.Sprintf(npyDict, "262144"), 1<<20)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	at := bytes.Index(data, []byte("PK\x01\x02"))
	first := bytes.Clone(data[at : at+46])
	for rest := data[at:]; bytes.HasPrefix(rest, []byte("PK\x01\x02")); rest = rest[46+8:] {
		copy(rest[:46], first) // sizes, checksum, and offset of the first member
	}
	if got := allocated(func() { refuse(t, data, "share") }); got > 20<<20 {
		t.Errorf("%d MB were allocated for a file of %d bytes", got>>20, len(data))
	}
}

// TestDimensions gives an array far more dimensions than NumPy allows.
func TestDimensions(t *testing.T) {
	text := strings.Replace(fmt.Sprintf(npyDict, strings.Repeat("1,", 20000)+"1000"), "False", "True", 1)
	refuse(t, npz(t, "a.npy", npyText(text, 4000), zip.Store), "dimensions")
}

func TestCompressedEnds(t *testing.T) {
	long := npyText(fmt.Sprintf(npyDict, "1,"), 8)
	refuse(t, deflated(t, long, 0), "more values")
	whole := npyText(fmt.Sprintf(npyDict, "2,"), 8)
	data := deflated(t, whole, 0)
	if f, err := openBytes(t, data); err != nil {
		t.Error(err)
	} else if err := f.Close(); err != nil {
		t.Error(err)
	}
	at := bytes.Index(data, []byte("PK\x01\x02"))
	data[at+16] ^= 1 // the checksum in the directory
	refuse(t, data, "checksum")
}

// TestEmptyTensors opens files whose empty tensors share their offset with another, in
// either order: the format's own library accepts both.
func TestEmptyTensors(t *testing.T) {
	full, empty := `"f":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`, `"e":{"dtype":"F32","shape":[0],"data_offsets":[%d,%[1]d]}`
	for _, at := range []int{0, 4} {
		e := fmt.Sprintf(empty, at)
		for _, header := range []string{"{" + full + "," + e + "}", "{" + e + "," + full + "}"} {
			f, err := openBytes(t, st(header, 4))
			if err != nil {
				t.Errorf("%s: %v", header, err)
				continue
			}
			if w, ok := f.Tensor("e"); !ok || w.Len() != 0 {
				t.Errorf("%s: no empty tensor", header)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	refuse(t, st(`{"f":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}`, 8), "begins at byte 4")
}

func TestMissingParts(t *testing.T) {
	for header, says := range map[string]string{
		`{"a":{"dtype":"F32","data_offsets":[0,4]}}`:               "shape",
		`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`:  "shape",
		`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,9]}}`: "data_offsets",
		`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}`:     "data_offsets",
		`{"a":{"shape":[1],"data_offsets":[0,4]}}`:                 "dtype",
	} {
		refuse(t, st(header, 4), says)
	}
}

// TestUnwritable checks that tensors that couldn't be read again aren't written.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	bare := &Tensor{Name: "bare", DType: Float32, Shape: []int{2}} // has no values
	for name, list := range map[string][]*Tensor{
		"no values": {bare},
		"same name": {NewTensor("a\xff", []int{1}, []float32{1}), NewTensor("a\xfe", []int{1}, []float32{2})},
	} {
		path := filepath.Join(dir, "w.safetensors")
		if err := WriteSafetensors(path, list, nil); err == nil {
			t.Errorf("%s: it is written", name)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: a file is left (%v)", name, err)
		}
	}
	if _, err := bare.Float32s(); err == nil {
		t.Error("values of a tensor that has none")
	}
	if _, err := (&Tensor{Name: "bare", DType: Int64, Shape: []int{2}}).Int64s(); err == nil {
		t.Error("whole numbers of a tensor that has none")
	}
}

// onnxModel makes a model with these initialisers.
func onnxModel(initialisers ...[]byte) []byte {
	var graph []byte
	for _, w := range initialisers {
		graph = protowire.AppendBytes(protowire.AppendTag(graph, onnxGraphInitializer, protowire.BytesType), w)
	}
	return protowire.AppendBytes(protowire.AppendTag([]byte{0x08, 8, 0x12, 0}, onnxModelGraph, protowire.BytesType), graph)
}

// onnxInitialiser makes a tensor "w" with n elements and one more field.
func onnxInitialiser(dtype, n uint64, field protowire.Number, value []byte) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, onnxTensorDims, protowire.VarintType), n)
	b = protowire.AppendVarint(protowire.AppendTag(b, onnxTensorType, protowire.VarintType), dtype)
	b = protowire.AppendString(protowire.AppendTag(b, onnxTensorName, protowire.BytesType), "w")
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
}

// TestWrongField puts values in the field of another type, with the number of bytes that
// the shape needs.
func TestWrongField(t *testing.T) {
	for name, w := range map[string][]byte{
		"float32 as int64":   onnxInitialiser(1, 2, onnxTensorInt64s, []byte{5}),
		"float64 as float32": onnxInitialiser(11, 1, onnxTensorFloats, make([]byte, 8)),
		"int64 as float32":   onnxInitialiser(7, 1, onnxTensorFloats, make([]byte, 8)),
		"int64 as int32":     onnxInitialiser(7, 1, onnxTensorInt32s, []byte{5}),
		"int8 as int64":      onnxInitialiser(3, 1, onnxTensorInt64s, []byte{5}),
		"two fields": append(onnxInitialiser(1, 3, onnxTensorFloats, make([]byte, 4)),
			protowire.AppendBytes(protowire.AppendTag(nil, onnxTensorDoubles, protowire.BytesType), make([]byte, 8))...),
	} {
		t.Run(name, func(t *testing.T) { refuse(t, onnxModel(w), "tensor w") })
	}
	refuse(t, onnxModel(onnxInitialiser(3, 1, onnxTensorInt32s, protowire.AppendVarint(nil, 300))), "int8")
}

// outsideTensor makes a tensor of n float32 whose values are in an external data file.
func outsideTensor(n uint64, entries ...string) []byte {
	w := onnxInitialiser(1, n, 100, nil)
	w = protowire.AppendVarint(protowire.AppendTag(w, onnxTensorLocation, protowire.VarintType), onnxExternalLocation)
	for i := 0; i < len(entries); i += 2 {
		e := protowire.AppendString(protowire.AppendTag(nil, onnxKeyField, protowire.BytesType), entries[i])
		e = protowire.AppendString(protowire.AppendTag(e, onnxValueField, protowire.BytesType), entries[i+1])
		w = protowire.AppendBytes(protowire.AppendTag(w, onnxTensorExternal, protowire.BytesType), e)
	}
	return w
}

func openBeside(t *testing.T, model []byte, values int) (*File, error) {
	t.Helper()
	dir := t.TempDir()
	outside := make([]byte, values)
	for i := range values / 4 {
		binary.LittleEndian.PutUint32(outside[4*i:], 0x3F800000) // 1
	}
	for name, data := range map[string][]byte{"m.onnx": model, "w.data": outside} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Open(filepath.Join(dir, "m.onnx"))
}

func TestOutsideValues(t *testing.T) {
	for _, c := range []struct{ name, says, offset, length string }{
		{"whole", "", "0", "8"},
		{"end", "", "8", "8"},
		{"too short", "12", "0", "12"},
		{"wrong length", "4", "0", "4"},
		{"no length at all", "length", "0", "x"},
		{"beyond", "truncated", "12", "8"},
		{"far beyond", "truncated", "9223372036854775807", "8"},
		{"negative", "offset", "-8", "8"},
		{"too far", "offset", "9223372036854775808", "8"},
	} {
		f, err := openBeside(t, onnxModel(outsideTensor(2, "location", "w.data", "offset", c.offset, "length", c.length)), 16)
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			w, _ := f.Tensor("w")
			if v, err := w.Float32s(); err != nil || v[0] != 1 || v[1] != 1 {
				t.Errorf("%s: %v, %v", c.name, v, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.says)
		}
	}
}

// TestOutsideMemory uses the same external values for many tensors.
func TestOutsideMemory(t *testing.T) {
	const tensors, size = 300, 1 << 20
	list := make([][]byte, tensors)
	for i := range list {
		list[i] = append(outsideTensor(size/4, "location", "w.data"),
			protowire.AppendString(protowire.AppendTag(nil, onnxTensorName, protowire.BytesType), fmt.Sprint(i))...)
	}
	got := allocated(func() {
		f, err := openBeside(t, onnxModel(list...), size)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	if got > 50<<20 {
		t.Errorf("%d MB were allocated for a file of 1 MB", got>>20)
	}
}

// TestONNXBeginnings opens models whose second field isn't the producer name.
func TestONNXBeginnings(t *testing.T) {
	rest := onnxModel(onnxInitialiser(1, 1, onnxTensorRaw, make([]byte, 4)))[4:]
	for name, field := range map[string][]byte{
		"nothing":            {},
		"producer's name":    {2<<3 | 2, 1, 'p'},
		"producer's version": {3<<3 | 2, 1, '1'},
		"domain":             {4<<3 | 2, 1, 'd'},
		"model's version":    {5 << 3, 1},
		"text":               {6<<3 | 2, 1, 't'},
		"opset":              {8<<3 | 2, 2, 2 << 3, 17},
		"metadata":           {14<<3 | 2, 0},
	} {
		f, err := openBytes(t, append(append([]byte{0x08, 8}, field...), rest...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := f.Close(); err != nil || f.Format() != FormatONNX {
			t.Errorf("%s: taken for %s (%v)", name, f.Format(), err)
		}
	}
}
