package source

import (
	"encoding/binary"
	"errors"
	"fmt"

	"gaze/pkg/batch/store"
)

// A Parquet file ends with its footer in Thrift's compact protocol, the footer's length and
// a mark. https://parquet.apache.org/docs/file-format
const (
	parquetMark = "PAR1"
	parquetTail = 8 // bytes of length and mark
)

// maxFooter bounds the size of a footer, in bytes. Those of large files have some megabytes.
const maxFooter = 256 << 20

// footed is a Parquet file whose footer is in memory: it is read in one request, or two, and
// checked.
type footed struct {
	store.File
	footer []byte // the end of the file
}

// firstRead is how much of the end of a file is read at first.
const firstRead = 64 << 10

// readFooter reads and checks the footer of a Parquet file.
func readFooter(f store.File) (*footed, error) {
	if f.Size() < int64(len(parquetMark))+parquetTail {
		return nil, fmt.Errorf("it has only %d bytes", f.Size())
	}
	footer, err := readEnd(f, min(firstRead, f.Size()))
	if err != nil {
		return nil, err
	}
	tail := footer[len(footer)-parquetTail:]
	if mark := tail[4:]; string(mark) != parquetMark {
		return nil, fmt.Errorf("it doesn't end in %s: it is cut, or something else", parquetMark)
	}
	size := int64(binary.LittleEndian.Uint32(tail)) + parquetTail
	if size > f.Size() || size > maxFooter {
		return nil, fmt.Errorf("its footer would have %d bytes", size)
	}
	if size > int64(len(footer)) {
		if footer, err = readEnd(f, size); err != nil {
			return nil, err
		}
	}
	if err := checkThrift(footer[int64(len(footer))-size : len(footer)-parquetTail]); err != nil {
		return nil, fmt.Errorf("its footer is damaged: %w", err)
	}
	return &footed{f, footer}, nil
}

func readEnd(f store.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	if n, err := f.ReadAt(data, f.Size()-size); int64(n) < size {
		return nil, err
	}
	return data, nil
}

// ReadAt takes what it can from the footer.
func (f *footed) ReadAt(p []byte, offset int64) (int, error) {
	if start := f.Size() - int64(len(f.footer)); offset >= start && offset+int64(len(p)) <= f.Size() {
		return copy(p, f.footer[offset-start:]), nil
	}
	return f.File.ReadAt(p, offset)
}

// checkThrift checks that what a struct in Thrift's compact protocol claims to hold is there.
// Packages that read it take memory for lists before they read them, so that a few wrong
// bytes could ask for hundreds of gigabytes.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
func checkThrift(data []byte) error {
	t := &thriftWalk{data: data}
	t.value(thriftStruct, 0)
	return t.err
}

// Types of values in the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// maxDepth bounds how deep structs are nested. Footers need 8.
const maxDepth = 32

type thriftWalk struct {
	data []byte // what is left
	err  error
}

func (t *thriftWalk) fail(text string) {
	if t.err == nil {
		t.err = errors.New(text)
	}
	t.data = nil
}

// take passes over n bytes.
func (t *thriftWalk) take(n uint64) []byte {
	if n > uint64(len(t.data)) {
		t.fail("it ends too early")
		return nil
	}
	taken := t.data[:n]
	t.data = t.data[n:]
	return taken
}

func (t *thriftWalk) byte() byte {
	if b := t.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (t *thriftWalk) varint() uint64 {
	n, size := binary.Uvarint(t.data)
	if size <= 0 {
		t.fail("a number has no end")
		return 0
	}
	t.data = t.data[size:]
	return n
}

// value passes over a value.
func (t *thriftWalk) value(kind byte, depth int) {
	if depth > maxDepth {
		t.fail("it is nested too deep")
	}
	if t.err != nil {
		return
	}
	switch kind {
	case thriftTrue, thriftFalse, thriftByte: // in a list, booleans are bytes
		t.take(1)
	case thriftI16, thriftI32, thriftI64:
		t.varint()
	case thriftDouble:
		t.take(8)
	case thriftBinary:
		t.take(t.varint())
	case thriftList, thriftSet:
		t.list(depth)
	case thriftMap:
		t.pairs(depth)
	case thriftStruct:
		t.fields(depth)
	default:
		t.fail(fmt.Sprintf("there is no type %d", kind))
	}
}

// count checks a number of elements, each of which takes a byte or more.
func (t *thriftWalk) count(n uint64) int {
	if n > uint64(len(t.data)) {
		t.fail("a list is longer than what is left")
		return 0
	}
	return int(n)
}

func (t *thriftWalk) list(depth int) {
	head := t.byte()
	n := uint64(head >> 4)
	if n == 15 {
		n = t.varint()
	}
	for range t.count(n) {
		if t.value(head&15, depth+1); t.err != nil {
			return
		}
	}
}

func (t *thriftWalk) pairs(depth int) {
	n := t.count(t.varint())
	if n == 0 {
		return
	}
	kinds := t.byte()
	for range n {
		t.value(kinds>>4, depth+1)
		if t.value(kinds&15, depth+1); t.err != nil {
			return
		}
	}
}

// fields passes over the fields of a struct and its end.
func (t *thriftWalk) fields(depth int) {
	for t.err == nil {
		head := t.byte()
		if head == 0 {
			return
		}
		if head>>4 == 0 {
			t.varint() // the field's number, if it isn't near the one before
		}
		if kind := head & 15; kind != thriftTrue && kind != thriftFalse { // which are their values
			t.value(kind, depth+1)
		}
	}
}
