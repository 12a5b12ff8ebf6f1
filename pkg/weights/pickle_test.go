package weights

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
)

// unpickleText unpickles a pickle of protocol 2 that is given without its header and STOP.
func unpickleText(program string) (any, error) {
	data := "\x80\x02" + program + "."
	v, _, err := unpickle([]byte(data), newTorchHost(len(data)))
	return v, err
}

func TestUnpickleLength(t *testing.T) {
	v, n, err := unpickle([]byte("\x80\x02K\x07.K\x08."), newTorchHost(0))
	if v != any(int64(7)) || n != 5 || err != nil {
		t.Errorf("%v of %d bytes, %v; want 7 of 5", v, n, err)
	}
}

func list(items ...any) *pickleList { return &pickleList{items} }

func TestUnpickleValues(t *testing.T) {
	for program, want := range map[string]any{
		"N":                 nil,
		"\x88":              true,
		"\x89":              false,
		"J\xfe\xff\xff\xff": int64(-2),
		"J\x00\x00\x00\x80": int64(-1 << 31),
		"K\xff":             int64(255),
		"M\x01\xff":         int64(0xff01),
		"\x8a\x00":          int64(0),
		"\x8a\x01\xff":      int64(-1),
		"\x8a\x02\xff\x00":  int64(255),
		"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80":     int64(-1 << 63),
		"\x8b\x01\x00\x00\x00\x07":                     int64(7),
		"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01": pickleBig("\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
		"G\xbf\xf8\x00\x00\x00\x00\x00\x00":            -1.5,
		"X\x02\x00\x00\x00\xc3\xa9":                    "é",
		"\x8c\x01a":                                    "a",
		"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a":        "a",
		"U\x01a":                                       "a",
		"T\x01\x00\x00\x00\xff":                        "\uFFFD",
		"C\x01\xff":                                    []byte{0xff},
		"B\x01\x00\x00\x00a":                           []byte("a"),
		"\x8e\x01\x00\x00\x00\x00\x00\x00\x00a":        []byte("a"),
		"\x96\x01\x00\x00\x00\x00\x00\x00\x00a":        []byte("a"),
		")":                                            pickleTuple{},
		"K\x01\x85":                                    pickleTuple{int64(1)},
		"K\x01K\x02\x86":                               pickleTuple{int64(1), int64(2)},
		"K\x01K\x02K\x03\x87":                          pickleTuple{int64(1), int64(2), int64(3)},
		"(K\x01NNNt":                                   pickleTuple{int64(1), nil, nil, nil},
		"(N\x91":                                       pickleTuple{nil},
		"]":                                            &pickleList{},
		"]K\x01a(K\x02K\x03e":                          list(int64(1), int64(2), int64(3)),
		"\x8f(K\x01\x90":                               list(int64(1)),
		"}K\x01Ns(K\x02N\x88\x89u":                     &pickleDict{[]any{int64(1), int64(2), true}, []any{nil, nil, false}},
		"K\x012\x86":                                   pickleTuple{int64(1), int64(1)},
		"K\x01K\x020":                                  int64(1),
		"K\x01(0":                                      int64(1),
		"K\x01(NN1":                                    int64(1),
		"K\x05q\x030h\x03":                             int64(5),
		"K\x05r\x03\x00\x00\x000j\x03\x00\x00\x00":        int64(5),
		"K\x05\x94K\x06\x940h\x00\x86":                    pickleTuple{int64(5), int64(5)},
		"\x95\x02\x00\x00\x00\x00\x00\x00\x00N":           nil,
		"\x80\x04N":                                       nil,
		"ctorch\nfloat32\n":                               pickleGlobal("torch.float32"),
		"U\x05torchU\x05float\x93":                        pickleGlobal("torch.float"),
		"c__builtin__\nset\n]K\x01a\x85R":                 list(int64(1)),
		"c__builtin__\nlist\n)R":                          &pickleList{},
		"ccollections\nOrderedDict\n]]K\x01aNaa\x85R":     &pickleDict{[]any{int64(1)}, []any{nil}},
		"ccollections\nOrderedDict\n)R}U\x09_metadata}sb": &pickleDict{},
		"cargparse\nNamespace\n)\x81}U\x02lrK\x01sb":      &pickleDict{[]any{"lr"}, []any{int64(1)}},
		"ctorch\nSize\nK\x01K\x02\x86\x85R":               pickleTuple{int64(1), int64(2)},
		"cnumpy\ndtype\nU\x02f8\x89\x88\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb": torchOpaque{},
	} {
		if got, err := unpickleText(program); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %#v, %v; want %#v", program, got, err, want)
		}
	}
}

func TestUnpickleErrors(t *testing.T) {
	for program, want := range map[string]string{
		"":                          "missing on the stack",
		"0":                         "missing on the stack",
		"2":                         "missing on the stack",
		"1":                         "a mark is missing",
		"t":                         "a mark is missing",
		"N(\x85":                    "missing on the stack",
		"N\x86":                     "missing on the stack",
		"]a":                        "missing on the stack",
		"Na":                        "missing on the stack",
		"K\x01Na":                   "wrong type",
		"]NNs":                      "wrong type",
		"}Na":                       "wrong type",
		"}(Nu":                      "a key without a value",
		"h\x00":                     "isn't in the memo",
		"q\x00":                     "missing on the stack",
		"R":                         "missing on the stack",
		"NNR":                       "arguments that aren't a tuple",
		"N)R":                       "can't be called",
		"NN\x93":                    "a name that isn't a string",
		"ctorch\nfloat32\n)R":       "can't be called",
		"]}b":                       "attributes for a value that takes none",
		"}Nb":                       "attributes that aren't a dict",
		"Q":                         "missing on the stack",
		"NQ":                        "an invalid reference to a storage",
		"I1\n":                      "torch.save never writes instruction 0x49",
		"\xff":                      "torch.save never writes instruction 0xff",
		"c":                         "truncated",
		"cos\n":                     "truncated",
		"cos\nsystem\n":             "refuses: the pickle wants to call os.system; only tensors and containers are read",
		"cbuiltins\neval\n":         "refuses: the pickle wants to call builtins.eval;",
		"U\x05posixU\x06system\x93": "refuses: the pickle wants to call posix.system;",
		"c__builtin__\nexec\n":      "refuses: the pickle wants to call builtins.exec;",
		"co s\nx\x1b[2J\n":          `refuses: the pickle wants to call "o s.x\x1b[2J";`,
		"cos\n" + strings.Repeat("x", 300) + "\n": `refuses: the pickle wants to call "os.xxx`,
		"\x8d\xff\xff\xff\xff\xff\xff\xff\xff":    "truncated",
		"X\xff\xff\xff\xff":                       "truncated",
		"\x95\x00":                                "truncated",
		"\x80":                                    "truncated", // reads the STOP as its operand
		"J\x00":                                   "truncated",
		"G\x00":                                   "truncated",
		"M":                                       "truncated",
		"r\x00":                                   "truncated",
		"ccollections\nOrderedDict\nN\x85R":       "collections.OrderedDict: unexpected arguments",
		"ccollections\nOrderedDict\n]Na\x85R":     "unexpected arguments",
		"ctorch\nSize\n)R":                        "torch.Size: unexpected arguments",
		"ctorch.nn.parameter\nParameter\nN\x85R":  "unexpected arguments",
	} {
		_, err := unpickleText(program)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", program, err, want)
		}
	}
	for _, data := range []string{"", "\x80", "N.", "\x80\x06N.", "\x80\x02", "\x80\x02N"} {
		if _, _, err := unpickle([]byte(data), newTorchHost(0)); err == nil {
			t.Errorf("%q is read", data)
		}
	}
}

func TestUnpickleLimits(t *testing.T) {
	for name, program := range map[string]string{
		"stack": strings.Repeat("N", pickleMaxStack+1),
		"marks": strings.Repeat("(", pickleMaxStack+1),
		"steps": strings.Repeat("N0", pickleMaxSteps/2+1),
	} {
		if _, err := unpickleText(program); err == nil || !strings.Contains(err.Error(), "too") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	// One list of a thousand pairs that is made into a dict many times, and a
	// namespace that is given the same attributes many times.
	pairs := "](" + strings.Repeat("NN\x86", 1000) + "eq\x00"
	if _, err := unpickleText(pairs + strings.Repeat("ccollections\nOrderedDict\nh\x00\x85R", 1000)); err == nil || !strings.Contains(err.Error(), "copied too often") {
		t.Errorf("copies of a list: error %v", err)
	}
	dict := "}(" + strings.Repeat("NN", 1000) + "uq\x00}"
	if _, err := unpickleText(dict + strings.Repeat("h\x00b", 1000)); err == nil || !strings.Contains(err.Error(), "copied too often") {
		t.Errorf("copies of attributes: error %v", err)
	}
}

func FuzzPickle(f *testing.F) {
	for _, name := range []string{"torch_types_legacy.pth", "torch_catr_legacy.pth", "torch_protocol4_legacy.pth", "torch_beside_legacy.pth", "torch_getattr_legacy.pth"} {
		data := readTestdata(f, name)
		for range 5 { // a legacy file begins with five pickles
			_, n, err := unpickle(data, newTorchHost(len(data)))
			if err != nil {
				break
			}
			f.Add(data[:n])
			data = data[n:]
		}
	}
	f.Add([]byte("\x80\x02cos\nsystem\nU\x02ls\x85R."))
	f.Add([]byte("\x80\x02]q\x00h\x00a."))
	f.Fuzz(func(t *testing.T, data []byte) {
		host := newTorchHost(len(data))
		v, n, err := unpickle(data, host)
		if err != nil {
			return
		}
		if n < 3 || n > len(data) || data[n-1] != opStop {
			t.Fatalf("%d of %d bytes", n, len(data))
		}
		// Looking for tensors must terminate for any value.
		reader := newTorchReader(len(data), func(string) ([]byte, error) { return data, nil })
		content := &torchContent{top: v, pickled: n, reader: reader, host: host}
		if value, _, err := torchPick(v); err == nil {
			checkTorch(t, content, value)
		}
		checkTorch(t, content, v)
	})
}

// checkTorch lists the tensors in a value and checks that they are complete.
func checkTorch(t *testing.T, content *torchContent, value any) {
	t.Helper()
	tensors, err := content.flatten(value, false)
	if err == nil {
		checkTensors(t, tensors)
	}
}

func checkTensors(t *testing.T, tensors []*Tensor) {
	t.Helper()
	seen := map[string]bool{}
	for _, tensor := range tensors {
		if seen[tensor.Name] || len(tensor.Bytes()) != tensor.Len()*tensor.DType.Size() {
			t.Fatalf("tensor %q %s %v of %d bytes, twice: %v", tensor.Name, tensor.DType, tensor.Shape, len(tensor.Bytes()), seen[tensor.Name])
		}
		seen[tensor.Name] = true
	}
}

// uint64Text encodes a number as in legacy files.
func uint64Text(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
