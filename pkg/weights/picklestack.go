package weights

import (
	"bytes"
	"errors"
	"fmt"
)

// The instructions of the pickle machine that work on its stack.

var errPickleStack = errors.New("a value is missing on the stack")

// push pushes a value, unless making it failed.
func (u *unpickler) push(v any, err error) error {
	if err == nil {
		u.stack = append(u.stack, v)
	}
	return err
}

// floor returns the height of the last MARK, below which no value may be popped.
func (u *unpickler) floor() int {
	if n := len(u.marks); n > 0 {
		return u.marks[n-1]
	}
	return 0
}

// popN pops n values; they stay valid until the next push.
func (u *unpickler) popN(n int) ([]any, error) {
	from := len(u.stack) - n
	if from < u.floor() {
		return nil, errPickleStack
	}
	values := u.stack[from:]
	u.stack = u.stack[:from]
	return values, nil
}

func (u *unpickler) pop() (any, error) {
	v, err := u.popN(1)
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// popMark pops the values since the last MARK, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	n := len(u.marks)
	if n == 0 {
		return nil, errors.New("a mark is missing on the stack")
	}
	values, err := u.popN(len(u.stack) - u.marks[n-1])
	u.marks = u.marks[:n-1]
	return values, err
}

// top returns the last value without popping it.
func (u *unpickler) top() (any, error) {
	if len(u.stack) <= u.floor() {
		return nil, errPickleStack
	}
	return u.stack[len(u.stack)-1], nil
}

func (u *unpickler) shuffle(op byte) error {
	switch op {
	case opDup:
		return u.push(u.top())
	case opPop:
		if n := len(u.marks); n > 0 && u.marks[n-1] == len(u.stack) {
			u.marks = u.marks[:n-1]
			return nil
		}
		_, err := u.pop()
		return err
	}
	_, err := u.popMark()
	return err
}

func (u *unpickler) tuple(op byte) error {
	var values []any
	var err error
	switch op {
	case opTuple1, opTuple2, opTuple3:
		values, err = u.popN(int(op-opTuple1) + 1)
	case opTuple, opFrozenSet:
		values, err = u.popMark()
	}
	return u.push(append(pickleTuple{}, values...), err)
}

// fill appends the values to the list, or sets them as items of the dict, below them.
func (u *unpickler) fill(op byte) error {
	var values []any
	var err error
	switch op {
	case opAppend:
		values, err = u.popN(1)
	case opSetItem:
		values, err = u.popN(2)
	default:
		values, err = u.popMark()
	}
	if err != nil {
		return err
	}
	target, err := u.top()
	if err != nil {
		return err
	}
	switch t := target.(type) {
	case *pickleList:
		if op != opSetItem && op != opSetItems {
			t.items = append(t.items, values...)
			return nil
		}
	case *pickleDict:
		if op == opSetItem || op == opSetItems {
			return t.set(values)
		}
	case pickleFillable:
		return t.fill(op == opSetItem || op == opSetItems, values)
	}
	return fmt.Errorf("instruction %q on a value of the wrong type", op)
}

// pickleFillable is a value made by the host that takes items like a list or a dict.
type pickleFillable interface {
	fill(pairs bool, values []any) error
}

// set adds alternating keys and values. It allows a key twice; the code that looks for
// tensors decides what that means.
func (d *pickleDict) set(pairs []any) error {
	if len(pairs)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(pairs); i += 2 {
		d.keys = append(d.keys, pairs[i])
		d.values = append(d.values, pairs[i+1])
	}
	return nil
}

// get returns the value of a string key.
func (d *pickleDict) get(key string) (value any, ok bool) {
	for i, k := range d.keys {
		if k == any(key) {
			value, ok = d.values[i], true
		}
	}
	return value, ok
}

// remember stores the top of the stack in the memo or pushes a value from it.
func (u *unpickler) remember(op byte) error {
	var index uint64
	var err error
	switch op {
	case opBinPut, opBinGet:
		index, err = u.uint(1)
	case opLongBinPut, opLongBinGet:
		index, err = u.uint(4)
	case opMemoize:
		index = uint64(len(u.memo))
	}
	if err != nil {
		return err
	}
	if op == opBinGet || op == opLongBinGet {
		v, ok := u.memo[uint32(index)]
		if !ok {
			return fmt.Errorf("value %d isn't in the memo", index)
		}
		return u.push(v, nil)
	}
	v, err := u.top()
	if err == nil {
		u.memo[uint32(index)] = v
	}
	return err
}

// object executes the instructions that the host handles.
func (u *unpickler) object(op byte) error {
	switch op {
	case opGlobal:
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		if err != nil {
			return err
		}
		return u.push(u.host.global(pickleGlobal(module + "." + name)))
	case opBinPersID:
		id, err := u.pop()
		if err != nil {
			return err
		}
		return u.push(u.host.persistent(id))
	}
	if op == opNewObjEx { // with named arguments, which no known class takes
		if _, err := u.pop(); err != nil {
			return err
		}
	}
	two, err := u.popN(2)
	if err != nil {
		return err
	}
	first, second := two[0], two[1]
	switch op {
	case opStackGlobal:
		module, ok1 := first.(string)
		name, ok2 := second.(string)
		if !ok1 || !ok2 {
			return errors.New("a name that isn't a string")
		}
		return u.push(u.host.global(pickleGlobal(module + "." + name)))
	case opBuild:
		return u.push(first, u.host.build(first, second))
	}
	args, ok := second.(pickleTuple) // REDUCE, NEWOBJ, NEWOBJ_EX
	if !ok {
		return errors.New("arguments that aren't a tuple")
	}
	return u.push(u.host.call(first, args))
}

// line reads text up to a line feed.
func (u *unpickler) line() (string, error) {
	n := bytes.IndexByte(u.data[u.pos:], '\n')
	if n < 0 {
		return "", errPickleTruncated
	}
	b, err := u.take(uint64(n) + 1)
	return string(b[:n]), err
}
