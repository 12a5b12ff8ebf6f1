package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// notRead is how an error begins about a file that is none of the formats.
const notRead = "not a checkpoint that can be read (safetensors, PyTorch, .npz, ONNX)"

// otherFormats are kinds of file that come instead of a checkpoint, known by the
// bytes at a place.
var otherFormats = []struct {
	at    int
	bytes string
	what  string
}{
	{0, "\x89HDF\r\n\x1a\n", "HDF5 files of Keras and TensorFlow aren't, load it there and save its weights as safetensors"},
	{0, "GGUF", "GGUF files (llama.cpp) aren't, use the safetensors file that it was made from"},
	{0, "lmgg", "GGML files aren't, use the checkpoint that it was made from"},
	{0, "tjgg", "GGML files aren't, use the checkpoint that it was made from"},
	{4, "TFL3", "TensorFlow Lite models aren't, use the checkpoint that it was made from"},
	{0, "\x1f\x8b", "it is compressed with gzip, unpack it first (gunzip)"},
	{0, "BZh", "it is compressed with bzip2, unpack it first (bunzip2)"},
	{0, "\xfd7zXZ\x00", "it is compressed with xz, unpack it first (unxz)"},
	{0, "\x28\xb5\x2f\xfd", "it is compressed with zstd, unpack it first (unzstd)"},
	{0, "7z\xbc\xaf\x27\x1c", "it is a 7z archive, unpack it first"},
	{0, "Rar!\x1a\x07", "it is a RAR archive, unpack it first"},
	{0, "\xff\xd8\xff", "it is a JPEG picture"},
	{0, "\x89PNG\r\n\x1a\n", "it is a PNG picture"},
	{0, "%PDF-", "it is a PDF document"},
	{0, "\x7fELF", "it is a program"},
}

// unknown explains a file that is none of the formats, above all the kinds of
// file that come instead of one.
func unknown(path string, data []byte) error {
	head := bytes.ToLower(data[:min(len(data), 200)])
	switch {
	case len(data) == 0:
		return errors.New("the file is empty: download it again")
	case bytes.Contains(head, []byte("git-lfs")):
		return errors.New("this is a pointer to a file in Git LFS, not the file: run 'git lfs pull', or download it from its page")
	case bytes.Contains(head, []byte("<html")) || bytes.Contains(head, []byte("<!doctype")):
		return errors.New("this is a web page, not a checkpoint: the download needs a login or another address")
	case bytes.HasPrefix(data, []byte("\x93NUMPY")):
		return errors.New("a single array (.npy), not a checkpoint of named tensors: save them with numpy.savez")
	}
	for _, other := range otherFormats {
		if len(data) >= other.at && bytes.HasPrefix(data[other.at:], []byte(other.bytes)) {
			return fmt.Errorf("%s: %s", notRead, other.what)
		}
	}
	if what := unreadName(path); what != "" {
		return fmt.Errorf("%s: %s", notRead, what)
	}
	return errors.New(notRead)
}

// unreadName says what a file is by its name, for kinds that nothing in the file
// tells; "" if the name says nothing.
func unreadName(path string) string {
	name := strings.ToLower(path)
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(name, e) })
	}
	switch {
	case ends(".msgpack"):
		return "flax's msgpack isn't, load it in transformers (from_flax=True) and save it as safetensors"
	case ends(".h5", ".hdf5", ".keras"):
		return "Keras files aren't, load it there and save its weights as safetensors"
	case ends(".pb", ".ckpt.index", ".ckpt.meta"), strings.Contains(name, ".ckpt.data-"), strings.Contains(name, ".ckpt-") && ends(".index", ".meta"):
		return "TensorFlow checkpoints and SavedModels aren't, load it there and save its weights as safetensors or .npz"
	case ends(".tflite"):
		return "TensorFlow Lite models aren't, use the checkpoint that it was made from"
	case ends(".gguf"):
		return "GGUF files (llama.cpp) aren't, use the safetensors file that it was made from"
	case ends(".pkl", ".pickle", ".joblib"):
		return "pickles are only if torch.save wrote them, load it and save a dict of tensors or numpy.savez it"
	}
	return ""
}

// otherZip explains a zip archive that is neither PyTorch's nor .npz.
func otherZip(files []*zip.File) error {
	var checkpoint string
	for _, f := range files {
		base := f.Name[strings.LastIndexByte(f.Name, '/')+1:]
		switch {
		case strings.HasSuffix(base, ".weights.h5"), base == "keras_metadata.pb":
			return fmt.Errorf("%s: Keras files aren't, load it there and save its weights as safetensors", notRead)
		case strings.HasPrefix(f.Name, "models/") && strings.HasSuffix(base, ".json"), base == "archive_format", base == "serialized_exported_program.json":
			return errors.New("is a program that torch.export saved, not a checkpoint: load it with torch.export.load and save its state_dict")
		case slices.ContainsFunc([]string{".pth", ".pt", ".bin", ".safetensors", ".ckpt", ".npz", ".onnx", ".tar"}, func(e string) bool { return strings.HasSuffix(base, e) }):
			checkpoint = f.Name
		}
	}
	if checkpoint != "" {
		return fmt.Errorf("is a zip archive with a file %.100q in it: unpack it first", checkpoint)
	}
	return errors.New("a zip archive without .npy arrays or a PyTorch checkpoint")
}

// plainPickle explains a pickle that torch.save didn't write.
func plainPickle() error {
	return errors.New("isn't a checkpoint that torch.save wrote: a plain pickle isn't read; load it in Python and save a dict of tensors with torch.save, of arrays with numpy.savez")
}

// otherTar explains a tar archive: PyTorch's own from before 0.1.10, or one of files.
func otherTar(data []byte) error {
	name, _, _ := strings.Cut(string(data[:100]), "\x00")
	if slices.Contains([]string{"sys_info", "pickle", "tensors", "storages"}, strings.TrimPrefix(name, "./")) {
		return errors.New("is a tar archive, which PyTorch wrote before 0.1.10: load it there and save it again")
	}
	return fmt.Errorf("is a tar archive, which holds %.100q: unpack it first; PyTorch before 0.1.10 wrote such archives, too: of those, load it there and save it again", name)
}
