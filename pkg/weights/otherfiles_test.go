package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What comes instead of a checkpoint is called by its name, with what to do.
func TestOtherFiles(t *testing.T) {
	pad := strings.Repeat("\x00", 600)
	archive := func(names ...string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range names {
			if _, err := z.Create(name); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	tar := func(name string) string {
		return name + pad[:257-len(name)] + "ustar\x00" + pad
	}
	for _, c := range []struct{ name, data, want string }{
		{"model.h5", "\x89HDF\r\n\x1a\n" + pad, "Keras"},
		{"model.keras", archive("metadata.json", "config.json", "model.weights.h5"), "Keras"},
		{"model.gguf", "GGUF\x03\x00\x00\x00" + pad, "GGUF"},
		{"pytorch_model.bin", "GGUF\x03\x00\x00\x00" + pad, "GGUF"},
		{"ggml-model.bin", "lmgg" + pad, "GGML"},
		{"flax_model.msgpack", "\x81\xa6params" + pad, "msgpack"},
		{"model.ckpt.index", "\x00\x00\x08\x01" + pad, "TensorFlow"},
		{"model.ckpt.data-00000-of-00001", "\x9c\x01\x02\x03" + pad, "TensorFlow"},
		{"model.ckpt-200.meta", "\x0a\x9c\x02\x03" + pad, "TensorFlow"},
		{"model.tflite", "\x1c\x00\x00\x00TFL3" + pad, "TensorFlow Lite"},
		{"model.pth.gz", "\x1f\x8b\x08" + pad, "gunzip"},
		{"model.bz2", "BZh9" + pad, "bunzip2"},
		{"model.xz", "\xfd7zXZ\x00" + pad, "unxz"},
		{"model.zst", "\x28\xb5\x2f\xfd" + pad, "unzstd"},
		{"model.7z", "7z\xbc\xaf\x27\x1c" + pad, "7z"},
		{"model.rar", "Rar!\x1a\x07\x00" + pad, "RAR"},
		{"cat.jpg", "\xff\xd8\xff\xe0" + pad, "JPEG"},
		{"cat.png", "\x89PNG\r\n\x1a\n" + pad, "PNG"},
		{"paper.pdf", "%PDF-1.5" + pad, "PDF"},
		{"model.pkl", "\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00}\x94." + pad, "plain pickle"},
		{"model.pickle", "(dp0\n." + pad, "torch.save"},
		{"model.pt2", archive("model/archive_format", "model/models/model.json"), "torch.export"},
		{"download.zip", archive("readme.txt", "weights/model.pth"), `"weights/model.pth" in it: unpack`},
		{"photos.zip", archive("a.jpg"), "without .npy"},
		{"model.tar", tar("model.pth"), `holds "model.pth": unpack`},
		{"old.pth", tar("sys_info"), "before 0.1.10"},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		if err := os.WriteFile(path, []byte(c.data), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// Tensors of types that aren't read may lie beside the weights, and so may arrays
// that hold no numbers.
func TestUnreadTypesBeside(t *testing.T) {
	one := func(descr string) []byte {
		return npyText(strings.Replace(fmt.Sprintf(npyDict, "2,"), "<f4", descr, 1), 64)
	}
	for _, dtype := range []string{"F8_E4M3", "F8_E5M2", "F8_E8M0", "U16", "U32", "U64", "C64"} {
		size := map[string]int{"U16": 2, "U32": 4, "U64": 8, "C64": 8}[dtype]
		if size == 0 {
			size = 1
		}
		data := st(fmt.Sprintf(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":%q,"shape":[2],"data_offsets":[4,%d]}}`, dtype, 4+2*size), 4+2*size)
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := OpenAll(path)
		if err != nil {
			t.Errorf("%s: %v", dtype, err)
			continue
		}
		a, _ := f.Tensor("a")
		b, _ := f.Tensor("b")
		if v, err := a.Float32s(); err != nil || len(v) != 1 {
			t.Errorf("%s: the tensor beside it: %v, %v", dtype, v, err)
		}
		if b.Err() == nil || !strings.Contains(b.Err().Error(), dtype) {
			t.Errorf("%s: %v", dtype, b.Err())
		}
		if _, err := b.Float32s(); err == nil {
			t.Errorf("%s is read as floats", dtype)
		}
		f.Close()
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), dtype) { // who wants all of them is told
			t.Errorf("%s: Open: %v", dtype, err)
		}
	}
	for descr, listed := range map[string]bool{"<U4": false, "|S3": false, "|O": false, "<M8[D]": false, "<m8[ns]": false, "|V8": false, "<u4": true, "<c8": true, "<u2": true} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, data := range map[string][]byte{"a.npy": npyText(fmt.Sprintf(npyDict, "1,"), 4), "b.npy": one(descr)} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.npz")
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := OpenAll(path)
		if err != nil {
			t.Errorf("%s: %v", descr, err)
			continue
		}
		other, there := f.Tensor("b")
		if there != listed || there && other.Err() == nil {
			t.Errorf("%s: listed %v", descr, there)
		}
		f.Close()
	}
}

// In a folder the weights are told from what trainers leave beside them.
func TestFoldersOfTrainers(t *testing.T) {
	weights := npz(t, "a.npy", npyText(fmt.Sprintf(npyDict, "1,"), 4), zip.Store)
	for _, c := range []struct {
		files []string
		want  string // the file that is taken, or what the error says
		fails bool
	}{
		{[]string{"epoch=3.ckpt"}, "epoch=3.ckpt", false},
		{[]string{"model_best.pth.tar"}, "model_best.pth.tar", false},
		{[]string{"vit.bin", "training_args.bin", "optimizer.bin"}, "vit.bin", false},
		{[]string{"vit.pth", "rng_state.pth", "optimizer.pt", "scheduler.pt"}, "vit.pth", false},
		{[]string{"best.pth", "last.pth"}, "which of best.pth, last.pth to read; name the file", true},
		{[]string{"tf_model.h5", "config.json"}, "of tf_model.h5: Keras", true},
		{[]string{"flax_model.msgpack"}, "of flax_model.msgpack: flax", true},
		{[]string{"saved_model.pb"}, "of saved_model.pb: TensorFlow", true},
		{[]string{"readme.md"}, "no checkpoint in this folder", true},
	} {
		dir := t.TempDir()
		for _, name := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), weights, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		f, err := Open(dir)
		switch {
		case c.fails && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v: %v, want an error with %q", c.files, err, c.want)
		case !c.fails && err != nil:
			t.Errorf("%v: %v", c.files, err)
		case !c.fails && filepath.Base(f.Path()) != c.want:
			t.Errorf("%v: took %s", c.files, f.Path())
		}
		if f != nil {
			f.Close()
		}
	}
}

// What a checkpoint is made of is what opening it opens, whatever the files are
// called; so it is where some aren't there.
func TestFiles(t *testing.T) {
	copied := func(names ...string) string {
		dir := t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), read(t, name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	const shard1, shard2, index = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"
	sharded := []string{"sharded_ok/" + shard1, "sharded_ok/" + shard2, "sharded_ok/" + index}
	picture := copied("onnx_external.onnx") // its values lie in a file that is called like a picture
	renamed := bytes.ReplaceAll(read(t, "onnx_external.onnx"), []byte("onnx_external.data"), []byte("onnx_externals.png"))
	for name, data := range map[string][]byte{"onnx_external.onnx": renamed, "onnx_externals.png": read(t, "onnx_external.data")} {
		if err := os.WriteFile(filepath.Join(picture, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, dir, path string
		want            []string
	}{
		{"one file", copied("torch_nested.pth", "st_types.safetensors"), "torch_nested.pth", []string{"torch_nested.pth"}},
		{"a folder", copied("torch_nested.pth", "st_types.safetensors"), "", []string{"st_types.safetensors"}},
		{"an index", copied(sharded...), index, []string{shard1, shard2, index}},
		{"a folder of shards", copied(sharded...), "", []string{shard1, shard2, index}},
		{"a shard missing", copied(sharded[1:]...), index, []string{shard1, shard2, index}},
		{"ONNX", copied("onnx_external.onnx", "onnx_external.data", "torch_nested.pth"), "onnx_external.onnx", []string{"onnx_external.data", "onnx_external.onnx"}},
		{"ONNX without its values", copied("onnx_external.onnx"), "onnx_external.onnx", []string{"onnx_external.data", "onnx_external.onnx"}},
		{"ONNX with its values in a picture", picture, "onnx_external.onnx", []string{"onnx_external.onnx", "onnx_externals.png"}},
		{"no checkpoint", copied("npy_version1.npy"), "npy_version1.npy", []string{"npy_version1.npy"}},
		{"a choice", copied("torch_nested.pth", "torch_list.pth"), "", nil},
		{"nothing", t.TempDir(), "model.pth", nil},
	} {
		got := Files(filepath.Join(c.dir, c.path))
		for i := range got {
			rel, err := filepath.Rel(c.dir, got[i])
			if err != nil {
				t.Fatal(err)
			}
			got[i] = rel
		}
		if strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
