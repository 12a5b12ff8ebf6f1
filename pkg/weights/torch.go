package weights

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The formats that torch.save writes.
const (
	FormatPyTorch       Format = "pytorch"        // a zip archive, since PyTorch 1.6
	FormatPyTorchLegacy Format = "pytorch-legacy" // pickles and raw storages one after the other
)

// torchContent is a checkpoint before anything is looked for in it.
type torchContent struct {
	top     any // what was passed to torch.save
	format  Format
	pickled int // bytes of the pickle that described it
	reader  *torchReader
}

// openTorch reads a checkpoint that torch.save wrote and that is wholly in
// data. It looks for the state dict by itself (torchPick) and names it by the
// keys that lead there: "" where it is the whole file, "model" in the usual
// {'model': …, 'optimizer': …}. Names of tensors in nested containers are
// joined with dots; a prefix such as "module.", which DataParallel leaves, is
// kept.
func openTorch(data []byte) (tensors []*Tensor, format Format, root string, err error) {
	content, err := readTorch(data)
	if err != nil {
		return nil, "", "", err
	}
	value, root, err := torchPick(content.top)
	if err == nil {
		tensors, err = content.flatten(value)
	}
	if err != nil {
		return nil, "", "", err
	}
	return tensors, content.format, root, nil
}

// openTorchAt is openTorch with the state dict chosen by the caller: the keys
// that lead to it joined by dots; "" is everything that the file holds.
func openTorchAt(data []byte, root string) (tensors []*Tensor, format Format, at string, err error) {
	content, err := readTorch(data)
	if err != nil {
		return nil, "", "", err
	}
	value, err := torchFind(content.top, root)
	if err == nil {
		tensors, err = content.flatten(value)
	}
	if err != nil {
		return nil, "", "", err
	}
	return tensors, content.format, root, nil
}

// flatten lists the tensors below a value.
func (c *torchContent) flatten(value any) ([]*Tensor, error) {
	f := &torchFlattener{reader: c.reader, seen: map[string]bool{}, budget: 1<<16 + 16*c.pickled}
	if err := f.add("", value, 0); err != nil {
		return nil, err
	}
	if len(f.tensors) == 0 {
		return nil, errors.New("holds no tensors")
	}
	return f.tensors, nil
}

// readTorch reads either format.
func readTorch(data []byte) (*torchContent, error) {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readTorchZip(data)
	case isTorchLegacy(data):
		return readTorchLegacy(data)
	case isTar(data):
		return nil, errors.New("is a tar archive, which PyTorch wrote before 0.1.10: load it there and save it again")
	}
	return nil, errors.New("isn't a checkpoint that torch.save wrote")
}

// isTar knows a tar archive by the mark in its first header.
func isTar(data []byte) bool {
	return len(data) > 262 && string(data[257:262]) == "ustar"
}

// readTorchZip reads the archive: a pickle "…/data.pkl", one member
// "…/data/<key>" per storage, and some small notes.
func readTorchZip(data []byte) (*torchContent, error) {
	members, err := zipMembers(data)
	if err != nil {
		return nil, err
	}
	folder, err := torchFolder(members)
	if err != nil {
		return nil, err
	}
	read := func(name string) ([]byte, error) {
		b, ok, err := members.read(folder + name)
		if err == nil && !ok {
			err = fmt.Errorf("the archive has no %.100q: truncated; download the file again", folder+name)
		}
		return b, err
	}
	if order, ok, err := members.read(folder + "byteorder"); err != nil {
		return nil, err
	} else if ok && string(bytes.TrimSpace(order)) != "little" {
		return nil, errTorchBigEndian
	}
	pickle, err := read("data.pkl")
	if err != nil {
		return nil, err
	}
	if check := members.check(folder + "data.pkl"); check != nil {
		if err := check(); err != nil {
			return nil, err
		}
	}
	top, _, err := unpickle(pickle, newTorchHost(len(pickle)))
	if err != nil {
		return nil, err
	}
	reader := newTorchReader(len(data), func(key string) ([]byte, error) { return read("data/" + key) })
	reader.check = func(key string) func() error { return members.check(folder + "data/" + key) }
	return &torchContent{top, FormatPyTorch, len(pickle), reader}, nil
}

var errTorchBigEndian = errors.New("was written on a big-endian machine: convert it to safetensors there")

// torchFolder returns the folder, with its slash, that the archive's members lie in.
func torchFolder(members *torchArchive) (string, error) {
	folder, found := "", false
	for _, name := range members.names() {
		if before, ok := strings.CutSuffix(name, "data.pkl"); ok && (before == "" || strings.Count(before, "/") == 1 && strings.HasSuffix(before, "/")) {
			if found {
				return "", errors.New("the archive holds more than one data.pkl")
			}
			folder, found = before, true
		}
	}
	if !found {
		return "", errors.New("is a zip archive without a data.pkl, so not a PyTorch checkpoint")
	}
	if members.has(folder + "constants.pkl") {
		return "", errors.New("is a TorchScript program, not a checkpoint: load it with torch.jit.load and save its state_dict()")
	}
	return folder, nil
}
