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
	FormatPyTorchLegacy Format = "pytorch-legacy" // a sequence of pickles and raw storages
)

// torchContent is an unpickled checkpoint.
type torchContent struct {
	top     any // the value that was passed to torch.save
	format  Format
	pickled int // bytes of the pickle that described it
	reader  *torchReader
	host    *torchHost
}

// flatten lists the tensors in a value. A tensor that can't be read is an error; with
// lenient it is listed with the reason instead.
func (c *torchContent) flatten(value any, lenient bool) ([]*Tensor, error) {
	f := &torchFlattener{reader: c.reader, lenient: lenient, seen: map[string]*Tensor{}, budget: 1<<16 + 16*c.pickled}
	c.reader.lazy = lenient
	if err := f.add("", value, 0); err != nil {
		return nil, err
	}
	if len(f.tensors) == 0 {
		return nil, c.nothing()
	}
	return f.tensors, nil
}

// nothing returns the error for a value without tensors.
func (c *torchContent) nothing() error {
	if held := c.host.classes(4, func(*torchObject) bool { return true }); held != "" {
		return fmt.Errorf("holds no tensors, only objects that Gaze doesn't read: %s; save a dict of tensors", held)
	}
	return errors.New("holds no tensors")
}

// readTorch reads a file of either format.
func readTorch(data []byte) (*torchContent, error) {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readTorchZip(data)
	case isTorchLegacy(data):
		return readTorchLegacy(data)
	case isTar(data):
		return nil, otherTar(data)
	}
	return nil, plainPickle()
}

// isTar recognises a tar archive by the magic in its first header.
func isTar(data []byte) bool {
	return len(data) > 262 && string(data[257:262]) == "ustar"
}

// readTorchZip reads the archive: a pickle "…/data.pkl", one member
// "…/data/<key>" per storage, and some small files of metadata.
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
	host := newTorchHost(len(pickle))
	top, _, err := unpickle(pickle, host)
	if err != nil {
		return nil, err
	}
	reader := newTorchReader(len(data), func(key string) ([]byte, error) { return read("data/" + key) })
	reader.check = func(key string) func() error { return members.check(folder + "data/" + key) }
	return &torchContent{top, FormatPyTorch, len(pickle), reader, host}, nil
}

var errTorchBigEndian = errors.New("was written on a big-endian machine: convert it to safetensors there")

// torchFolder returns the folder of the archive's members, with a trailing slash.
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
