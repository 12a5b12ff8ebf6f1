package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// open writes data to a file and opens it.
func openBytes(t testing.TB, data []byte) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weights")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil && !strings.HasPrefix(err.Error(), path) {
		t.Errorf("the error doesn't begin with the file's name: %v", err)
	}
	return f, err
}

// st makes a safetensors file from a header and n bytes of values.
func st(header string, n int) []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(data, header...), make([]byte, n)...)
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// npz makes an archive with one member.
func npz(t testing.TB, name string, content []byte, method uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// npyText makes a .npy file from a header's text and n bytes of values.
func npyText(text string, n int) []byte {
	data := append([]byte("\x93NUMPY\x01\x00"), byte(len(text)), byte(len(text)>>8))
	return append(append(data, text...), make([]byte, n)...)
}

const npyDict = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }"

func TestRefusedFiles(t *testing.T) {
	enormous := npyText(fmt.Sprintf(npyDict, "100000,100000"), 16)
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"empty", nil, "empty"},
		{"a web page", []byte("<!DOCTYPE html><html>login</html>"), "web page"},
		{"Git LFS", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"), "git lfs pull"},
		{"HDF5", []byte("\x89HDF\r\n\x1a\n"), "HDF5"},
		{"one array", npyText(fmt.Sprintf(npyDict, "1,"), 4), "savez"},
		{"text", []byte("hello, this is no checkpoint"), "not a checkpoint"},
		{"other JSON", []byte(`{"hidden_size": 3}`), "weight_map"},
		{"broken JSON", []byte(`  {"weight_map": `), "JSON"},

		{"enormous header", append([]byte{0, 0, 0, 0, 0, 1, 0, 0}, '{'), "truncated"},
		{"header beyond the end", st("{}", 0)[:9], "truncated"},
		{"no object", st(`{"a":1`, 0), "safetensors header"},
		{"text behind", st(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x`, 4), "data after its JSON object"},
		{"never closed", st(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`, 4), "broken"},
		{"twice", st(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "two tensors are called a"},
		{"overlap", st(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "begins at byte 4"},
		{"gap", st(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "begins at byte 4"},
		{"trailing bytes", st(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 8), "no tensor"},
		{"beyond the end", st(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}`, 8), "truncated"},
		{"backwards", st(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}`, 8), "bytes 8 to 4"},
		{"negative", st(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, 8), "bytes -4"},
		{"no offsets", st(`{"a":{"dtype":"F32","shape":[0]}}`, 0), "data_offsets"},
		{"lying shape", st(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "needs 12"},
		{"negative shape", st(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "the shape [-1] isn't valid"},
		{"overflowing shape", st(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}`, 0), "isn't valid"},
		{"unknown type", st(`{"a":{"dtype":"F8_E5M2","shape":[1],"data_offsets":[0,1]}}`, 1), "F8_E5M2"},
		{"metadata that isn't", st(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},

		{"objects", read(t, "npz_objects.npz"), "only plain arrays"},
		{"no arrays", npz(t, "readme.txt", nil, zip.Store), "without .npy"},
		{"not an array", npz(t, "a.npy", []byte("nothing of the kind"), zip.Deflate), "not a .npy"},
		{"lying size, stored", npz(t, "a.npy", enormous, zip.Store), "needs 40000000000"},
		{"lying size, compressed", npz(t, "a.npy", enormous, zip.Deflate), "can't hold"},
		{"short, compressed", npz(t, "a.npy", npyText(fmt.Sprintf(npyDict, "9,"), 4), zip.Deflate), "truncated"},
		{"long, compressed", npz(t, "a.npy", npyText(fmt.Sprintf(npyDict, "1,"), 8), zip.Deflate), "more values"},
		{"version 9", npz(t, "a.npy", []byte("\x93NUMPY\x09\x00\x00\x00\x00\x00"), zip.Store), "version 9"},
		{"long header", npz(t, "a.npy", []byte("\x93NUMPY\x02\x00\xff\xff\xff\x7f"), zip.Store), "too large to be true"},
		{"header cut off", npz(t, "a.npy", []byte("\x93NUMPY\x01\x00\xff\x00"), zip.Store), "cut off"},
		{"strings", npz(t, "a.npy", npyText(strings.Replace(fmt.Sprintf(npyDict, "1,"), "<f4", "<U4", 1), 16), zip.Store), "U4"},
		{"dimension too large", npz(t, "a.npy", npyText(fmt.Sprintf(npyDict, "99999999999"), 0), zip.Store), "isn't a valid dimension"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := openBytes(t, c.data)
			if err == nil {
				f.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
		})
	}
}

func TestRefusedONNX(t *testing.T) {
	tensor := func(fields ...byte) []byte { // a model with one initialiser with these fields
		graph := append([]byte{5<<3 | 2, byte(len(fields))}, fields...)
		return append(append([]byte{0x08, 8, 0x12, 0}, 7<<3|2, byte(len(graph))), graph...)
	}
	external := func(location string) []byte {
		entry := append([]byte{1<<3 | 2, 8}, "location"...)
		entry = append(append(entry, 2<<3|2, byte(len(location))), location...)
		return tensor(append([]byte{2 << 3, 1, 1 << 3, 1, 14 << 3, 1, 13<<3 | 2, byte(len(entry))}, entry...)...)
	}
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"no weights":     {[]byte{0x08, 8, 0x12, 0, 7<<3 | 2, 0}, "without weights"},
		"unknown type":   {tensor(2<<3, 14), "type 14"},
		"too few values": {tensor(2<<3, 1, 1<<3, 2, 9<<3|2, 4, 0, 0, 0, 0), "needs 8"},
		"huge dimension": {tensor(2<<3, 1, 1<<3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), "isn't a valid dimension"},
		"escape":         {external("../secret"), "must be in the model's folder"},
		"absolute":       {external("/etc/passwd"), "must be in the model's folder"},
		"missing file":   {external("nowhere.data"), "in the external data file nowhere.data"},
		"cut off":        {tensor(2<<3, 1)[:8], "truncated"},
	} {
		if f, err := openBytes(t, c.data); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, error %v, want one that says %q", name, f, err, c.says)
		}
	}
}

func nothingOutside(name string) ([]byte, error) { return nil, os.ErrNotExist }

func TestTruncatedFiles(t *testing.T) {
	for name, parse := range map[string]func([]byte) ([]*Tensor, error){
		"st_types.safetensors": func(data []byte) ([]*Tensor, error) { w, _, err := parseSafetensors(data); return w, err },
		"npz_stored.npz":       parseNPZ,
		"npz_compressed.npz":   parseNPZ,
	} {
		data := read(t, name)
		for n := range len(data) {
			if w, err := parse(data[:n]); err == nil {
				t.Fatalf("%s cut to %d of %d bytes gives %d tensors", name, n, len(data), len(w))
			}
		}
	}
	// An ONNX file has no end mark, so a file that ends between two tensors counts as
	// complete; each tensor must be complete.
	data, all := read(t, "onnx_types.onnx"), formatGoldens(t)["onnx_types.onnx"]
	for n := range len(data) {
		w, _, err := parseONNX(data[:n], nothingOutside)
		if err != nil {
			continue
		}
		for _, got := range w {
			compare(t, got, all[got.Name])
		}
	}
}

func TestShards(t *testing.T) {
	index := string(read(t, filepath.Join("sharded_ok", "model.safetensors.index.json")))
	for name, c := range map[string]struct{ from, to, says string }{
		"escape":         {"model-00002-of-00002.safetensors", "../../weights.safetensors", "must be in the index's folder"},
		"missing shard":  {"model-00002-of-00002.safetensors", "model-3.safetensors", "download it too"},
		"missing tensor": {`"w.2"`, `"w.9"`, "w.9 isn't in"},
		"wrong place":    {`"w.0": "model-00001-of-00002.safetensors"`, `"w.0": "model-00002-of-00002.safetensors"`, "the index says"},
		"itself":         {"model-00002-of-00002.safetensors", "model.safetensors.index.json", "this is another index"},
	} {
		dir := t.TempDir()
		for _, part := range []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"} {
			if err := os.WriteFile(filepath.Join(dir, part), read(t, filepath.Join("sharded_ok", part)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		changed := strings.Replace(index, c.from, c.to, 1)
		if changed == index {
			t.Fatalf("%s: nothing changed", name)
		}
		if name == "itself" {
			changed = strings.ReplaceAll(index, c.from, c.to)
		}
		if err := os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "no checkpoint") {
		t.Errorf("an empty folder: %v", err)
	}
	data := read(t, "st_types.safetensors")
	inner := filepath.Join(dir, "odd [name]*")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"a.safetensors", "b.safetensors", "model.safetensors"} {
		if err := os.WriteFile(filepath.Join(inner, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(inner)
		if i == 1 {
			if err == nil || !strings.Contains(err.Error(), "which of a.safetensors, b.safetensors") {
				t.Errorf("two checkpoints: %v", err)
			}
			continue
		}
		if err != nil || filepath.Base(f.Path()) != name {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "nothing")); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := OpenAt(filepath.Join(inner, "a.safetensors"), "model"); err == nil || !strings.Contains(err.Error(), "containers") {
		t.Errorf("a container of a safetensors file: %v", err)
	}
}

// TestMemory opens files that claim far more data than they have.
func TestMemory(t *testing.T) {
	claims := [][]byte{
		npz(t, "a.npy", npyText(fmt.Sprintf(npyDict, "1000000000,2"), 1<<20), zip.Deflate),
		st(`{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}`, 16),
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, data := range claims {
		if _, err := openBytes(t, data); err == nil {
			t.Error("a false claim is believed")
		}
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 50<<20 {
		t.Errorf("%d MB were allocated for files of 1 MB", got>>20)
	}
}

func fuzzOpen(f *testing.F, pattern string, parse func(data []byte) ([]*Tensor, error)) {
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := parse(data)
		if err != nil {
			return
		}
		for _, w := range tensors {
			if int64(len(w.Bytes())) != int64(w.Len())*int64(w.DType.Size()) {
				t.Fatalf("tensor %s of shape %v has %d bytes", w.Name, w.Shape, len(w.Bytes()))
			}
			if v, err := w.Float32s(); err == nil && len(v) != w.Len() {
				t.Fatalf("tensor %s of shape %v has %d values", w.Name, w.Shape, len(v))
			}
		}
	})
}

func FuzzSafetensors(f *testing.F) {
	fuzzOpen(f, "*.safetensors", func(data []byte) ([]*Tensor, error) {
		tensors, _, err := parseSafetensors(data)
		return tensors, err
	})
}

func FuzzNPZ(f *testing.F) { fuzzOpen(f, "*.npz", parseNPZ) }

func FuzzNPY(f *testing.F) {
	fuzzOpen(f, "*.npy", func(data []byte) ([]*Tensor, error) {
		w, err := ReadNPY(bytes.NewReader(data))
		return []*Tensor{w}, err
	})
}

func FuzzONNX(f *testing.F) {
	outside := func(name string) ([]byte, error) {
		if !filepath.IsLocal(name) || filepath.Clean(name) != name {
			panic("a file outside the folder is asked for: " + name)
		}
		return make([]byte, 48), nil // the length of the file that the seed names
	}
	fuzzOpen(f, "*.onnx", func(data []byte) ([]*Tensor, error) {
		tensors, _, err := parseONNX(data, outside)
		return tensors, err
	})
}

func FuzzIndex(f *testing.F) {
	f.Add(read(f, filepath.Join("sharded_ok", "model.safetensors.index.json")))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &File{tensors: map[string]*Tensor{}}
		if err := w.readShards(filepath.Join(dir, "model.safetensors.index.json"), data, choice{}); err == nil {
			t.Error("shards are found in an empty folder")
		}
	})
}
