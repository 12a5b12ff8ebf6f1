package cells

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Blocks of an object file that only nameTypes reads.
const (
	blockHashed64  = 4
	blockHashed    = 5
	blockDataIndex = 13 // where in blockData
)

// nameTypes makes reflection call a cell's package main, as it is called in a program: its
// path is another one (see packagePath), which shows in the names of generic types, such as
// main.Pair[plugin/cell.Point], and in what encoding/gob writes. An archive of the compiler
// is changed in place.
func nameTypes(archive []byte) error {
	o, _, err := openObject(archive)
	if err != nil {
		return err
	}
	index, data := o.block(blockDataIndex), o.block(blockData)
	for _, block := range []int{blockDefinition, blockHashed64, blockHashed, blockNamed} {
		symbols, err := o.symbols(block)
		if err != nil {
			return err
		}
		for _, s := range symbols {
			if len(index) < 8 {
				return errObject
			}
			start, end := binary.LittleEndian.Uint32(index), binary.LittleEndian.Uint32(index[4:])
			index = index[4:]
			if start > end || int64(end) > int64(len(data)) {
				return errObject
			}
			if strings.HasPrefix(s.name, "type:.namedata.") || strings.HasPrefix(s.name, "type:.importpath.") {
				rename(data[start:end])
			}
		}
	}
	return nil
}

// rename replaces the path of a cell's package in a name as the runtime has it
// (internal/abi.Name): flags, the length of the text as a varint, the text. Names with more
// behind the text (tags, packages of fields) stay.
func rename(name []byte) {
	const exported = 1
	if len(name) < 2 || name[0]&^exported != 0 {
		return
	}
	length, n := binary.Uvarint(name[1:])
	if n <= 0 || length > uint64(len(name)-1-n) {
		return
	}
	text := name[1+n:][:length]
	short := bytes.ReplaceAll(text, []byte(packagePath+"."), []byte("main."))
	if string(text) == packagePath {
		short = []byte("main")
	}
	if len(short) == len(text) {
		return
	}
	clear(text[copy(text, short):])
	// The length keeps its number of bytes.
	rest := len(short)
	for i := 1; i <= n; i++ {
		name[i] = byte(rest&0x7f) | 0x80
		rest >>= 7
	}
	name[n] &^= 0x80
}
