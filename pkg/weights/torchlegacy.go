package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// torchMagic is 0x1950a86a20f9469cfc6c in pickle's encoding: the first value of a file
// that torch.save(_use_new_zipfile_serialization=False) wrote.
var torchMagic = []byte{0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19}

// torchLegacyVersion is the only version of the format that exists.
const torchLegacyVersion = 1001

// isTorchLegacy recognises the format by its magic number, which is among the first bytes
// in every pickle protocol.
func isTorchLegacy(data []byte) bool {
	return len(data) > 1 && data[0] == opProto && bytes.Contains(data[:min(len(data), 32)], torchMagic)
}

// readTorchLegacy reads five pickles (magic number, version, machine, the
// value, the keys of its storages) and then, for every key, the number of
// elements in eight bytes and the elements.
func readTorchLegacy(data []byte) (*torchContent, error) {
	rest := data
	next := func(host pickleHost) (any, error) {
		v, n, err := unpickle(rest, host)
		rest = rest[n:]
		return v, err
	}
	host := newTorchHost(len(data))
	magic, err := next(host)
	if err != nil {
		return nil, err
	}
	if m, ok := magic.(pickleBig); !ok || !bytes.Equal(m, torchMagic) {
		return nil, errors.New("isn't a checkpoint that torch.save wrote: its magic number is missing")
	}
	version, err := next(host)
	if err != nil {
		return nil, err
	}
	if version != any(int64(torchLegacyVersion)) {
		return nil, fmt.Errorf("isn't version %d of PyTorch's legacy format, the only one that exists", torchLegacyVersion)
	}
	machine, err := next(host)
	if err != nil {
		return nil, err
	}
	if m, ok := machine.(*pickleDict); ok {
		if little, _ := m.get("little_endian"); little == any(false) {
			return nil, errTorchBigEndian
		}
	}
	before := len(rest)
	top, err := next(host)
	if err != nil {
		return nil, err
	}
	pickled := before - len(rest)
	keys, err := next(newTorchHost(0))
	if err != nil {
		return nil, err
	}
	storages, err := cutTorchStorages(rest, keys, host.storages)
	if err != nil {
		return nil, err
	}
	storage := func(key string) ([]byte, error) {
		b, ok := storages[key]
		if !ok {
			return nil, fmt.Errorf("the file has no storage %.100q", key)
		}
		return b, nil
	}
	return &torchContent{top, FormatPyTorchLegacy, pickled, newTorchReader(len(data), storage), host}, nil
}

// cutTorchStorages splits the end of a legacy file into storages, in the order of their
// keys. Only the pickle has their element types.
func cutTorchStorages(rest []byte, keys any, dtypes map[string]torchDType) (map[string][]byte, error) {
	list, ok := keys.(*pickleList)
	if !ok {
		return nil, errors.New("the list of storages isn't valid")
	}
	out := map[string][]byte{}
	for _, k := range list.items {
		key, ok := k.(string)
		dtype, known := dtypes[key]
		if !ok || !known {
			return nil, fmt.Errorf("the file lists a storage %.100q that no tensor uses", key)
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("the file lists storage %.100q twice", key)
		}
		if len(rest) < 8 {
			return nil, fmt.Errorf("truncated: storage %.100q is missing; download the file again", key)
		}
		count := binary.LittleEndian.Uint64(rest)
		rest = rest[8:]
		if count > uint64(len(rest))/uint64(dtype.size) {
			return nil, fmt.Errorf("truncated: storage %.100q has %d elements of %s, but only %d bytes follow; download the file again", key, count, dtype.name, len(rest))
		}
		size := int(count) * int(dtype.size)
		out[key], rest = rest[:size:size], rest[size:]
	}
	return out, nil
}
