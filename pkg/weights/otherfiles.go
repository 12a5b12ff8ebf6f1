package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// notRead begins the errors for files of no known format.
const notRead = "not a checkpoint that can be read (safetensors, PyTorch, .npz, ONNX)"

// otherFormats are the kinds of file most often found in place of a checkpoint, recognised
// by their bytes at an offset.
var otherFormats = []struct {
	at    int
	bytes string
	what  string
}{
	{0, "\x89HDF\r\n\x1a\n", "this is an HDF5 file of Keras or TensorFlow; load it there and save its weights as safetensors"},
	{0, "GGUF", "this is a GGUF file (llama.cpp); use the safetensors file that it was made from"},
	{0, "lmgg", "this is a GGML file; use the checkpoint that it was made from"},
	{0, "tjgg", "this is a GGML file; use the checkpoint that it was made from"},
	{4, "TFL3", "this is a TensorFlow Lite model; use the checkpoint that it was made from"},
	{0, "\x1f\x8b", "it is compressed with gzip; unpack it first (gunzip)"},
	{0, "BZh", "it is compressed with bzip2; unpack it first (bunzip2)"},
	{0, "\xfd7zXZ\x00", "it is compressed with xz; unpack it first (unxz)"},
	{0, "\x28\xb5\x2f\xfd", "it is compressed with zstd; unpack it first (unzstd)"},
	{0, "7z\xbc\xaf\x27\x1c", "it is a 7z archive; unpack it first"},
	{0, "Rar!\x1a\x07", "it is a RAR archive; unpack it first"},
	{0, "\xff\xd8\xff", "it is a JPEG picture"},
	{0, "\x89PNG\r\n\x1a\n", "it is a PNG picture"},
	{0, "%PDF-", "it is a PDF document"},
	{0, "\x7fELF", "it is a program"},
}

// unknown returns the error for a file of no known format. It recognises the files that
// are most often found in place of a checkpoint.
func unknown(path string, data []byte) error {
	head := bytes.ToLower(data[:min(len(data), 200)])
	switch {
	case len(data) == 0:
		return errors.New("the file is empty: download it again")
	case bytes.Contains(head, []byte("git-lfs")):
		return errors.New("this is a Git LFS pointer, not the file itself: run 'git lfs pull', or download the file from its web page")
	case bytes.Contains(head, []byte("<html")) || bytes.Contains(head, []byte("<!doctype")):
		return errors.New("this is a web page, not a checkpoint: the download needs a login or a different address")
	case bytes.HasPrefix(data, []byte("\x93NUMPY")):
		return errors.New("a single array (.npy), not a checkpoint of named tensors: save the tensors with numpy.savez")
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

// unreadName describes a file by its name, for kinds that can't be recognised from the
// content. It returns "" for any other name.
func unreadName(path string) string {
	name := strings.ToLower(path)
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(name, e) })
	}
	switch {
	case ends(".msgpack"):
		return "this is a msgpack file of flax; load it in transformers (from_flax=True) and save it as safetensors"
	case ends(".h5", ".hdf5", ".keras"):
		return "this is a Keras file; load it there and save its weights as safetensors"
	case ends(".pb", ".ckpt.index", ".ckpt.meta"), strings.Contains(name, ".ckpt.data-"), strings.Contains(name, ".ckpt-") && ends(".index", ".meta"):
		return "this is a TensorFlow checkpoint or SavedModel; load it there and save its weights as safetensors or .npz"
	case ends(".tflite"):
		return "this is a TensorFlow Lite model; use the checkpoint that it was made from"
	case ends(".gguf"):
		return "this is a GGUF file (llama.cpp); use the safetensors file that it was made from"
	case ends(".pkl", ".pickle", ".joblib"):
		return "a pickle is read only if torch.save wrote it; load it in Python and save a dict of tensors with torch.save, or of arrays with numpy.savez"
	}
	return ""
}

// otherZip returns the error for a zip archive that is neither PyTorch's nor .npz.
func otherZip(files []*zip.File) error {
	var checkpoint string
	for _, f := range files {
		base := f.Name[strings.LastIndexByte(f.Name, '/')+1:]
		switch {
		case strings.HasSuffix(base, ".weights.h5"), base == "keras_metadata.pb":
			return fmt.Errorf("%s: this is a Keras file; load it there and save its weights as safetensors", notRead)
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

// plainPickle returns the error for a pickle that torch.save didn't write.
func plainPickle() error {
	return errors.New("isn't a checkpoint that torch.save wrote: a plain pickle isn't read; load it in Python and save a dict of tensors with torch.save, or of arrays with numpy.savez")
}

// otherTar returns the error for a tar archive: the format of PyTorch before 0.1.10, or an
// archive of other files.
func otherTar(data []byte) error {
	name, _, _ := strings.Cut(string(data[:100]), "\x00")
	if slices.Contains([]string{"sys_info", "pickle", "tensors", "storages"}, strings.TrimPrefix(name, "./")) {
		return errors.New("is a tar archive, the format of PyTorch before 0.1.10: load it with that version and save it again")
	}
	return fmt.Errorf("is a tar archive, which holds %.100q: unpack it first; if it is a checkpoint of PyTorch before 0.1.10, load it with that version and save it again", name)
}
