package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// A Python pickle is a program for a small stack machine. This implementation of the
// machine makes containers, numbers and strings. A pickleHost decides about the classes
// and functions that a pickle may name. Nothing is ever called.
//
// The values on the stack are: nil, bool, int64, float64, string, []byte,
// pickleTuple, *pickleList, *pickleDict, pickleGlobal, and values made by the host.
type (
	pickleTuple  []any
	pickleList   struct{ items []any } // also a set
	pickleDict   struct{ keys, values []any }
	pickleGlobal string // module.name
	pickleBig    []byte // an integer of more than 64 bits, two's complement, little endian
)

// pickleHost handles the instructions that aren't plain data.
type pickleHost interface {
	global(name pickleGlobal) (any, error)    // GLOBAL: a class or a function
	call(target any, args []any) (any, error) // REDUCE, NEWOBJ, NEWOBJ_EX
	build(target, state any) error            // BUILD: obj.__setstate__(state)
	persistent(id any) (any, error)           // BINPERSID
}

// Limits for one pickle. The largest checkpoints take a few hundred thousand steps. Each
// step makes at most one small value, so the limits also bound the memory.
const (
	pickleMaxSteps = 1 << 24
	pickleMaxStack = 1 << 22
)

var errPickleTruncated = errors.New("truncated: the pickle is incomplete; download the file again")

type unpickler struct {
	data  []byte
	pos   int
	stack []any
	marks []int // stack heights of the MARKs
	memo  map[uint32]any
	host  pickleHost
}

// unpickle interprets the pickle at the start of data and returns its value and its
// length.
func unpickle(data []byte, host pickleHost) (value any, length int, err error) {
	u := &unpickler{data: data, memo: map[uint32]any{}, host: host}
	if len(data) < 2 {
		return nil, 0, errPickleTruncated
	}
	if data[0] != opProto || data[1] < 2 || data[1] > 5 {
		return nil, 0, errors.New("this isn't a pickle of protocol 2 to 5")
	}
	u.pos = 2
	for range pickleMaxSteps {
		op, err := u.byte()
		if err != nil {
			return nil, 0, err
		}
		if op == opStop {
			value, err := u.pop()
			return value, u.pos, err
		}
		at := u.pos - 1
		if err := u.step(op); err != nil {
			return nil, 0, pickleError(at, err)
		}
		if len(u.stack) > pickleMaxStack {
			break
		}
	}
	return nil, 0, errors.New("the pickle is too large: refused")
}

// pickleError adds the offset to an error, except for a refusal or a truncation, where it
// doesn't help.
func pickleError(at int, err error) error {
	var refused *pickleRefusal
	if errors.Is(err, errPickleTruncated) || errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("the pickle is broken at byte %d: %w", at, err)
}

// pickleRefusal is the error for a pickle that names a class or function that is refused.
type pickleRefusal struct{ name pickleGlobal }

func (r *pickleRefusal) Error() string {
	name := string(r.name)
	if strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }) || len(name) > 200 {
		name = fmt.Sprintf("%.200q", name)
	}
	return "refuses: the pickle wants to call " + name + "; only tensors and containers are read (save a model's state_dict() instead of the model)"
}

// Opcodes, by the names of Python's pickletools.
const (
	opMark           = '('
	opStop           = '.'
	opPop            = '0'
	opPopMark        = '1'
	opDup            = '2'
	opBinFloat       = 'G'
	opBinInt         = 'J'
	opBinInt1        = 'K'
	opBinInt2        = 'M'
	opNone           = 'N'
	opBinPersID      = 'Q'
	opReduce         = 'R'
	opBinString      = 'T'
	opShortBinString = 'U'
	opBinUnicode     = 'X'
	opAppend         = 'a'
	opBuild          = 'b'
	opGlobal         = 'c'
	opAppends        = 'e'
	opBinGet         = 'h'
	opLongBinGet     = 'j'
	opBinPut         = 'q'
	opLongBinPut     = 'r'
	opSetItem        = 's'
	opTuple          = 't'
	opSetItems       = 'u'
	opEmptyDict      = '}'
	opEmptyList      = ']'
	opEmptyTuple     = ')'
	opBinBytes       = 'B'
	opShortBinBytes  = 'C'
	opProto          = 0x80
	opNewObj         = 0x81
	opTuple1         = 0x85
	opTuple2         = 0x86
	opTuple3         = 0x87
	opNewTrue        = 0x88
	opNewFalse       = 0x89
	opLong1          = 0x8a
	opLong4          = 0x8b
	opShortBinUni    = 0x8c
	opBinUnicode8    = 0x8d
	opBinBytes8      = 0x8e
	opEmptySet       = 0x8f
	opAddItems       = 0x90
	opFrozenSet      = 0x91
	opNewObjEx       = 0x92
	opStackGlobal    = 0x93
	opMemoize        = 0x94
	opFrame          = 0x95
	opByteArray8     = 0x96
)

// step executes one instruction.
func (u *unpickler) step(op byte) error {
	switch op {
	case opNone:
		return u.push(nil, nil)
	case opNewTrue, opNewFalse:
		return u.push(op == opNewTrue, nil)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return u.push(u.number(op))
	case opBinUnicode, opShortBinUni, opBinUnicode8, opBinString, opShortBinString:
		b, err := u.counted(op)
		return u.push(strings.ToValidUTF8(string(b), "\uFFFD"), err)
	case opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8:
		b, err := u.counted(op)
		return u.push(b, err)
	case opEmptyDict:
		return u.push(&pickleDict{}, nil)
	case opEmptyList, opEmptySet:
		return u.push(&pickleList{}, nil)
	case opMark:
		u.marks = append(u.marks, len(u.stack))
		if len(u.marks) > pickleMaxStack {
			return errors.New("too many marks")
		}
		return nil
	case opPop, opPopMark, opDup:
		return u.shuffle(op)
	case opEmptyTuple, opTuple1, opTuple2, opTuple3, opTuple, opFrozenSet:
		return u.tuple(op)
	case opAppend, opAppends, opAddItems, opSetItem, opSetItems:
		return u.fill(op)
	case opBinPut, opLongBinPut, opMemoize, opBinGet, opLongBinGet:
		return u.remember(op)
	case opGlobal, opStackGlobal, opReduce, opNewObj, opNewObjEx, opBuild, opBinPersID:
		return u.object(op)
	case opProto:
		_, err := u.byte()
		return err
	case opFrame: // a hint for buffered reading
		_, err := u.take(8)
		return err
	}
	return fmt.Errorf("torch.save never writes instruction 0x%02x", op)
}

func (u *unpickler) take(n uint64) ([]byte, error) {
	if n > uint64(len(u.data)-u.pos) {
		return nil, errPickleTruncated
	}
	b := u.data[u.pos : u.pos+int(n)]
	u.pos += int(n)
	return b, nil
}

func (u *unpickler) byte() (byte, error) {
	b, err := u.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// uint reads an unsigned little-endian number of size bytes.
func (u *unpickler) uint(size uint64) (uint64, error) {
	b, err := u.take(size)
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// number reads the operand of an instruction that pushes a number.
func (u *unpickler) number(op byte) (any, error) {
	switch op {
	case opBinInt:
		v, err := u.uint(4)
		return int64(int32(v)), err
	case opBinInt1:
		v, err := u.uint(1)
		return int64(v), err
	case opBinInt2:
		v, err := u.uint(2)
		return int64(v), err
	case opBinFloat:
		b, err := u.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	}
	b, err := u.counted(op)
	if err != nil || len(b) > 8 {
		return pickleBig(b), err
	}
	var full [8]byte
	if len(b) > 0 && b[len(b)-1] >= 0x80 {
		full = [8]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	}
	copy(full[:], b)
	return int64(binary.LittleEndian.Uint64(full[:])), nil
}

// counted reads an operand that is preceded by its length.
func (u *unpickler) counted(op byte) ([]byte, error) {
	size := uint64(4)
	switch op {
	case opShortBinUni, opShortBinString, opShortBinBytes, opLong1:
		size = 1
	case opBinUnicode8, opBinBytes8, opByteArray8:
		size = 8
	}
	n, err := u.uint(size)
	if err != nil {
		return nil, err
	}
	return u.take(n)
}
