package weights

import "errors"

// This file implements the functions that a checkpoint's pickle may call (torchCalls).

// torchMaxDims is PyTorch's own limit on the dimensions of a tensor.
const torchMaxDims = 64

var errTorchArguments = errors.New("unexpected arguments")

// torchDict makes an empty dict, or a dict from another dict or from pairs (as Python 2
// wrote an OrderedDict). The other dict isn't copied, because a small pickle could ask
// for a thousand copies of it.
func torchDict(h *torchHost, args []any) (any, error) {
	d := &pickleDict{}
	if len(args) == 0 {
		return d, nil
	}
	switch from := args[0].(type) {
	case *pickleDict:
		return from, nil
	case *pickleList:
		if err := h.spend(len(from.items)); err != nil {
			return nil, err
		}
		for _, item := range from.items {
			pair := torchItems(item)
			if len(pair) != 2 {
				return nil, errTorchArguments
			}
			d.keys, d.values = append(d.keys, pair[0]), append(d.values, pair[1])
		}
		return d, nil
	}
	return nil, errTorchArguments
}

// torchItems returns the items of a list or a tuple.
func torchItems(v any) []any {
	switch t := v.(type) {
	case pickleTuple:
		return t
	case *pickleList:
		return t.items
	}
	return nil
}

// torchList makes an empty list or set, or one from another, which isn't copied.
func torchList(_ *torchHost, args []any) (any, error) {
	if len(args) == 0 {
		return &pickleList{}, nil
	}
	return args[0], nil
}

// torchDeque makes a list of a deque's items, the first argument.
func torchDeque(h *torchHost, args []any) (any, error) {
	l := &pickleList{}
	if len(args) == 0 {
		return l, nil
	}
	items := torchItems(args[0])
	if err := h.spend(len(items)); err != nil {
		return nil, err
	}
	l.items = append(l.items, items...)
	return l, nil
}

// torchReconstruct takes (class, …), as copyreg's functions do, and makes an object of the
// class that is filled later.
func torchReconstruct(h *torchHost, args []any) (any, error) {
	if len(args) == 0 {
		return nil, errTorchArguments
	}
	class, ok := args[0].(pickleGlobal)
	if !ok {
		return nil, errTorchArguments
	}
	switch class { // containers, whose items follow
	case "collections.OrderedDict", "collections.Counter", "collections.defaultdict", "argparse.Namespace", "types.SimpleNamespace", "builtins.dict":
		return &pickleDict{}, nil
	case "collections.deque", "builtins.list", "builtins.set":
		return &pickleList{}, nil
	}
	return h.object(class), nil
}

func torchSize(_ *torchHost, args []any) (any, error) {
	if len(args) == 1 {
		if items, ok := args[0].(pickleTuple); ok {
			return items, nil
		}
	}
	return nil, errTorchArguments
}

// torchParameter takes the tensor out of Parameter(data, requires_grad, …).
func torchParameter(_ *torchHost, args []any) (any, error) {
	if len(args) > 0 {
		if t, ok := args[0].(*torchTensor); ok {
			return t, nil
		}
	}
	return nil, errTorchArguments
}

// torchRebuildTensor takes (storage, offset, size, stride) and, in version 2,
// (…, requires_grad, hooks, metadata).
func torchRebuildTensor(_ *torchHost, args []any) (any, error) {
	if len(args) < 4 {
		return nil, errTorchArguments
	}
	storage, ok1 := args[0].(*torchStorage)
	offset, ok2 := args[1].(int64)
	if !ok1 || !ok2 {
		return nil, errTorchArguments
	}
	shape, ok1 := torchInts(args[2])
	stride, ok2 := torchInts(args[3])
	if !ok1 || !ok2 || len(shape) != len(stride) {
		return nil, errTorchArguments
	}
	t := &torchTensor{storage: storage, dtype: storage.dtype, offset: offset, shape: shape, stride: stride}
	if len(args) > 6 {
		if metadata, ok := args[6].(*pickleDict); ok && len(metadata.keys) < torchMaxDims {
			if negative, _ := metadata.get("neg"); negative == any(true) {
				t.problem = "is a view that negates its elements: call resolve_neg() before torch.save"
			}
		}
	}
	return t, nil
}

// torchRebuildTensor3 takes (storage, offset, size, stride, requires_grad,
// hooks, dtype, …) and makes a tensor over a storage of bytes.
func torchRebuildTensor3(h *torchHost, args []any) (any, error) {
	if len(args) < 7 {
		return nil, errTorchArguments
	}
	name, ok1 := args[6].(pickleGlobal)
	dtype, ok2 := torchDTypes[name]
	if !ok1 || !ok2 {
		return nil, errTorchArguments
	}
	v, err := torchRebuildTensor(h, args[:4])
	if err != nil {
		return nil, err
	}
	t := v.(*torchTensor)
	t.dtype = dtype
	return t, nil
}

// torchRebuildSubclass takes (function, class, its arguments, attributes) and makes a
// tensor. Its Python attributes are dropped.
func torchRebuildSubclass(h *torchHost, args []any) (any, error) {
	if len(args) < 3 {
		return nil, errTorchArguments
	}
	switch args[0] {
	case pickleGlobal("torch._utils._rebuild_tensor_v2"):
		return torchRebuildTensor(h, torchItems(args[2]))
	case pickleGlobal("torch._utils._rebuild_tensor_v3"):
		return torchRebuildTensor3(h, torchItems(args[2]))
	}
	return nil, errTorchArguments
}

// torchInts returns the numbers of a tuple.
func torchInts(v any) ([]int64, bool) {
	items, ok := v.(pickleTuple)
	if !ok || len(items) > torchMaxDims {
		return nil, false
	}
	out := make([]int64, len(items))
	for i, item := range items {
		if out[i], ok = item.(int64); !ok {
			return nil, false
		}
	}
	return out, true
}
