package weights

import (
	"errors"
	"fmt"
	"strings"
)

// torchStorage is a sequence of elements that tensors are views of. Its bytes are
// looked up when a tensor needs them.
type torchStorage struct {
	key   string // the name of the bytes in the file
	dtype torchDType
	first int64 // in legacy files: offset of this storage in that of key, in elements
	count int64 // elements
	whole int64 // in legacy files: elements of the whole storage of key
}

// torchTensor is a tensor as the pickle describes it, not yet checked.
type torchTensor struct {
	storage *torchStorage
	dtype   torchDType
	offset  int64 // in elements
	shape   []int64
	stride  []int64
	problem string // why it can't be read; "" if it can
}

// torchDType is an element type of PyTorch. dtype is Invalid for types that Gaze doesn't
// read; a checkpoint may have them in tensors that aren't used.
type torchDType struct {
	name  string
	size  int64
	dtype DType
}

var torchDTypes = map[pickleGlobal]torchDType{}

// torchStorages maps storage classes to element types.
var torchStorages = map[pickleGlobal]torchDType{
	// An untyped storage: the tensor has the type.
	"torch.storage.UntypedStorage": {"uint8", 1, Uint8},
}

func init() {
	for _, t := range []struct {
		names, storage string
		size           int64
		dtype          DType
	}{
		{"float32 float", "Float", 4, Float32}, {"float64 double", "Double", 8, Float64},
		{"float16 half", "Half", 2, Float16}, {"bfloat16", "BFloat16", 2, BFloat16},
		{"int64 long", "Long", 8, Int64}, {"int32 int", "Int", 4, Int32}, {"int16 short", "Short", 2, Int16},
		{"int8", "Char", 1, Int8}, {"uint8", "Byte", 1, Uint8}, {"bool", "Bool", 1, Bool},
		{"uint16", "", 2, Invalid}, {"uint32", "", 4, Invalid}, {"uint64", "", 8, Invalid},
		{"float8_e4m3fn", "", 1, Invalid}, {"float8_e4m3fnuz", "", 1, Invalid}, {"float8_e5m2", "", 1, Invalid},
		{"float8_e5m2fnuz", "", 1, Invalid}, {"float8_e8m0fnu", "", 1, Invalid},
		{"complex32", "", 4, Invalid}, {"complex64 cfloat", "ComplexFloat", 8, Invalid},
		{"complex128 cdouble", "ComplexDouble", 16, Invalid}, {"quint8", "QUInt8", 1, Invalid},
		{"qint8", "QInt8", 1, Invalid}, {"qint32", "QInt32", 4, Invalid},
	} {
		names := strings.Fields(t.names)
		d := torchDType{names[0], t.size, t.dtype}
		for _, name := range names {
			torchDTypes[pickleGlobal("torch."+name)] = d
		}
		if t.storage != "" {
			torchStorages[pickleGlobal("torch."+t.storage+"Storage")] = d
			torchStorages[pickleGlobal("torch.cuda."+t.storage+"Storage")] = d
		}
	}
}

// torchCalls has the classes and functions that make tensors and containers, and some
// whose objects training scripts save beside them, which are dropped (torchOpaque).
// judgeGlobal decides about all other names.
var torchCalls = map[pickleGlobal]func(h *torchHost, args []any) (any, error){}

// torchOpaque is a harmless object without tensors.
type torchOpaque struct{}

func init() { // not in the declaration, because functions in torchCalls refer to it
	for name, f := range map[pickleGlobal]func(h *torchHost, args []any) (any, error){
		"collections.OrderedDict":                    torchDict,
		"collections.Counter":                        torchDict,
		"argparse.Namespace":                         torchDict,
		"types.SimpleNamespace":                      torchDict,
		"collections.defaultdict":                    func(*torchHost, []any) (any, error) { return &pickleDict{}, nil },
		"collections.deque":                          torchDeque,
		"copyreg._reconstructor":                     torchReconstruct,
		"copyreg.__newobj__":                         torchReconstruct,
		"copyreg.__newobj_ex__":                      torchReconstruct,
		"copy_reg._reconstructor":                    torchReconstruct,
		"copy_reg.__newobj__":                        torchReconstruct,
		"builtins.dict":                              torchDict,
		"builtins.list":                              torchList,
		"builtins.set":                               torchList,
		"builtins.frozenset":                         torchList,
		"torch.Size":                                 torchSize,
		"torch._utils._rebuild_tensor":               torchRebuildTensor,
		"torch._utils._rebuild_tensor_v2":            torchRebuildTensor,
		"torch._utils._rebuild_tensor_v3":            torchRebuildTensor3,
		"torch._utils._rebuild_parameter":            torchParameter,
		"torch.nn.parameter.Parameter":               torchParameter,
		"torch.nn.parameter.Buffer":                  torchParameter,
		"torch.Tensor":                               torchParameter,
		"torch._tensor._rebuild_from_type_v2":        torchRebuildSubclass,
		"torch._utils._rebuild_parameter_with_state": torchParameter,
	} {
		torchCalls[name] = f
	}
	for _, name := range []pickleGlobal{
		"torch.device", "numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
		"builtins.bytes", "builtins.bytearray", "_codecs.encode", // pickles of protocol 2 make bytes this way
	} {
		torchCalls[name] = func(*torchHost, []any) (any, error) { return torchOpaque{}, nil }
	}
}

// torchHost builds the values of a pickle that torch.save wrote.
type torchHost struct {
	storages map[string]torchDType // the first type seen, by key
	budget   int                   // items that may still be copied between containers
	objects  []*torchObject        // values other than containers, numbers and tensors
}

// newTorchHost returns a host for a pickle of size bytes. The size also limits the number
// of copied items; a pickle that torch.save wrote never exceeds it.
func newTorchHost(size int) *torchHost {
	return &torchHost{storages: map[string]torchDType{}, budget: size}
}

func (h *torchHost) spend(items int) error {
	if h.budget -= items; h.budget < 0 {
		return errors.New("containers are copied too often")
	}
	return nil
}

func (h *torchHost) global(name pickleGlobal) (any, error) {
	if rest, ok := strings.CutPrefix(string(name), "__builtin__."); ok { // Python 2's name
		name = pickleGlobal("builtins." + rest)
	}
	if judgeGlobal(name) == globalRefused {
		return nil, &pickleRefusal{name}
	}
	return name, nil
}

// call makes the object that a class or function would return, without calling it: a
// tensor or a container, or for others an object of which only the class is known.
func (h *torchHost) call(target any, args []any) (any, error) {
	if o, ok := target.(*torchObject); ok { // functools.partial(cls.__new__, cls, …)()
		return h.object(o.class), nil
	}
	name, ok := target.(pickleGlobal)
	f, known := torchCalls[name]
	_, isDType := torchDTypes[name]
	_, isStorage := torchStorages[name]
	switch {
	case known:
		v, err := f(h, args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return v, nil
	case !ok || isDType || isStorage:
		return nil, fmt.Errorf("a call of something that can't be called (%.100q)", name)
	case strings.HasPrefix(string(name), "torch._utils._rebuild_"), strings.HasPrefix(string(name), "torch._tensor._rebuild_"):
		return &torchTensor{problem: "is of a kind that Gaze doesn't read (" + string(name) + "): call to_dense(), dequantize() or clone() before torch.save"}, nil
	}
	return h.object(name), nil
}

// build sets an object's attributes. A namespace becomes a dict of them. The attributes of
// an OrderedDict are a state dict's _metadata, the versions of modules.
func (h *torchHost) build(target, state any) error {
	switch t := target.(type) {
	case torchOpaque:
		return nil
	case *torchObject:
		t.state = state
		return nil
	case *pickleDict:
		attributes, ok := state.(*pickleDict)
		if !ok {
			return errors.New("attributes that aren't a dict")
		}
		if len(attributes.keys) == 1 && attributes.keys[0] == any("_metadata") {
			return nil
		}
		if err := h.spend(len(attributes.keys)); err != nil {
			return err
		}
		t.keys = append(t.keys, attributes.keys...)
		t.values = append(t.values, attributes.values...)
		return nil
	}
	return errors.New("attributes for a value that takes none")
}

// persistent resolves ('storage', class, key, device, elements). In legacy files there is
// a sixth item: None or (key of the view, first element, elements).
func (h *torchHost) persistent(id any) (any, error) {
	bad := errors.New("an invalid reference to a storage")
	t, ok := id.(pickleTuple)
	if ok && len(t) == 4 && t[0] == any("module") { // a module's class, with its source text
		if class, ok := t[1].(pickleGlobal); ok {
			return class, nil
		}
	}
	if !ok || len(t) < 5 || len(t) > 6 || t[0] != any("storage") {
		return nil, bad
	}
	class, ok1 := t[1].(pickleGlobal)
	dtype, ok2 := torchStorages[class]
	key, ok3 := t[2].(string)
	count, ok4 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || !ok4 || count < 0 {
		return nil, bad
	}
	if first, seen := h.storages[key]; !seen {
		h.storages[key] = dtype
	} else if first.size != dtype.size {
		return nil, fmt.Errorf("storage %.100q has two types, %s and %s", key, first.name, dtype.name)
	}
	s := &torchStorage{key: key, dtype: dtype, count: count, whole: count}
	if len(t) == 5 || t[5] == nil {
		return s, nil
	}
	view, _ := t[5].(pickleTuple)
	if len(view) != 3 {
		return nil, bad
	}
	first, ok1 := view[1].(int64)
	part, ok2 := view[2].(int64)
	if !ok1 || !ok2 || first < 0 || part < 0 || first > count || part > count-first {
		return nil, bad
	}
	s.first, s.count = first, part
	return s, nil
}
