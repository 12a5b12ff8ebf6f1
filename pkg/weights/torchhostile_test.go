package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// Files that torch.save wouldn't write, put together by hand.

// zipOf makes an archive of uncompressed members, given as name, content, name, ….
func zipOf(t testing.TB, namesAndContents ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(namesAndContents); i += 2 {
		m, err := w.CreateHeader(&zip.FileHeader{Name: namesAndContents[i], Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(m, namesAndContents[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pickled encodes a number, a string, a tuple or a similar value as pickle instructions.
func pickled(v any) string {
	switch v := v.(type) {
	case nil:
		return "N"
	case bool:
		if v {
			return "\x88"
		}
		return "\x89"
	case int:
		return "\x8a\x08" + uint64Text(uint64(v))
	case string:
		return "X" + uint64Text(uint64(len(v)))[:4] + v
	case pickleGlobal:
		i := strings.LastIndex(string(v), ".")
		return "c" + string(v[:i]) + "\n" + string(v[i+1:]) + "\n"
	case []int:
		text := "("
		for _, n := range v {
			text += pickled(n)
		}
		return text + "t"
	case pickleTuple:
		text := "("
		for _, item := range v {
			text += pickled(item)
		}
		return text + "t"
	case rawPickle:
		return string(v)
	}
	panic(fmt.Sprintf("no words for %T", v))
}

type rawPickle string // already encoded

// pickledStorage encodes a reference to a storage.
func pickledStorage(class pickleGlobal, key string, count int, more ...any) rawPickle {
	return rawPickle(pickled(append(pickleTuple{"storage", class, key, "cpu", count}, more...)) + "Q")
}

// pickledTensor encodes a call of _rebuild_tensor_v2.
func pickledTensor(storage rawPickle, offset int, shape, stride []int) rawPickle {
	return rawPickle(pickled(pickleGlobal("torch._utils._rebuild_tensor_v2")) +
		pickled(pickleTuple{storage, offset, shape, stride, false, rawPickle("ccollections\nOrderedDict\n)R")}) + "R")
}

// pickledDict encodes a dict from alternating string keys and encoded values.
func pickledDict(keysAndWords ...string) rawPickle {
	text := "}("
	for i := 0; i < len(keysAndWords); i += 2 {
		text += pickled(keysAndWords[i]) + keysAndWords[i+1]
	}
	return rawPickle(text + "u")
}

func program(words rawPickle) string { return "\x80\x02" + string(words) + "." }

// archiveOf returns a checkpoint whose storage "0" has the given number of bytes.
func archiveOf(t testing.TB, words rawPickle, bytes int) []byte {
	return zipOf(t, "a/data.pkl", program(words), "a/data/0", strings.Repeat("\x01", bytes))
}

const float32s = pickleGlobal("torch.FloatStorage")

func TestTorchTensorBounds(t *testing.T) {
	const huge = 1 << 62
	six := pickledStorage(float32s, "0", 6)
	for name, test := range map[string]struct {
		storage       rawPickle
		offset        int
		shape, stride []int
		want          string // in the error; "" for none
	}{
		"whole":                {six, 0, []int{2, 3}, []int{3, 1}, ""},
		"the last":             {six, 5, []int{}, []int{}, ""},
		"one too far":          {six, 6, []int{}, []int{}, "beyond its storage"},
		"offset negative":      {six, -1, []int{1}, []int{1}, "beyond its storage"},
		"offset huge":          {six, huge, []int{1}, []int{1}, "beyond its storage"},
		"row too far":          {six, 0, []int{3, 3}, []int{3, 1}, "beyond its storage"},
		"stride negative":      {six, 5, []int{2}, []int{-1}, "beyond its storage"},
		"stride huge":          {six, 0, []int{3}, []int{huge}, "beyond its storage"},
		"stride of one":        {six, 0, []int{1, 2}, []int{huge, 1}, ""},
		"sizes whose sum is 0": {six, 0, []int{5, 5}, []int{huge, huge}, "beyond its storage"},
		"shape negative":       {six, 0, []int{-1, -1}, []int{1, 1}, "shape [-1 -1] isn't valid"},
		"shape overflows":      {six, 0, []int{1 << 32, 1 << 32}, []int{0, 0}, "isn't valid"},
		"expanded too far":     {six, 0, []int{1 << 40}, []int{0}, "too many for this file"},
		"expanded":             {six, 0, []int{1 << 10, 2}, []int{0, 1}, ""},
		"empty anywhere":       {six, huge, []int{0, 5}, []int{huge, huge}, ""},
		"shape and strides":    {six, 0, []int{2, 3}, []int{1}, "unexpected arguments"},
		"dimensions":           {six, 0, make([]int, 65), make([]int, 65), "unexpected arguments"},
		"storage lies":         {pickledStorage(float32s, "0", 7), 0, []int{1}, []int{1}, "the file holds 6: truncated"},
		"storage huge":         {pickledStorage(float32s, "0", huge), 0, []int{1}, []int{1}, "truncated"},
		"storage missing":      {pickledStorage(float32s, "1", 6), 0, []int{1}, []int{1}, `no "a/data/1"`},
		"storage outside":      {pickledStorage(float32s, "../data.pkl", 1), 0, []int{1}, []int{1}, "no "},
		"storage negative":     {pickledStorage(float32s, "0", -1), 0, []int{1}, []int{1}, "invalid reference to a storage"},
		"storage's class":      {pickledStorage("torch.float32", "0", 6), 0, []int{1}, []int{1}, "invalid reference to a storage"},
		"storage's part":       {pickledStorage(float32s, "0", 6, pickleTuple{"v", 2, 3}), 2, []int{1}, []int{1}, ""},
		"beyond the part":      {pickledStorage(float32s, "0", 6, pickleTuple{"v", 2, 3}), 3, []int{1}, []int{1}, "beyond its storage of 12"},
		"part too far":         {pickledStorage(float32s, "0", 6, pickleTuple{"v", 4, 3}), 0, []int{1}, []int{1}, "invalid reference to a storage"},
		"part before":          {pickledStorage(float32s, "0", 6, pickleTuple{"v", -1, 3}), 0, []int{1}, []int{1}, "invalid reference to a storage"},
		"part of no numbers":   {pickledStorage(float32s, "0", 6, pickleTuple{"v", "1", 3}), 0, []int{1}, []int{1}, "invalid reference to a storage"},
		"part unknown":         {pickledStorage(float32s, "0", 6, "v"), 0, []int{1}, []int{1}, "invalid reference to a storage"},
		"no storage":           {"N", 0, []int{1}, []int{1}, "unexpected arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			data := archiveOf(t, pickledDict("w", string(pickledTensor(test.storage, test.offset, test.shape, test.stride))), 24)
			tensors, _, _, err := openTorch(data)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			checkTensors(t, tensors)
		})
	}
}

func TestTorchCallArguments(t *testing.T) {
	storage := pickledStorage(float32s, "0", 1)
	tensor := pickledTensor(storage, 0, []int{1}, []int{1})
	v2, v3 := pickleGlobal("torch._utils._rebuild_tensor_v2"), pickleGlobal("torch._utils._rebuild_tensor_v3")
	subclass := pickleGlobal("torch._tensor._rebuild_from_type_v2")
	v3args := pickleTuple{storage, 0, []int{2}, []int{1}, false, nil, pickleGlobal("torch.float16")}
	for name, test := range map[string]struct {
		function pickleGlobal
		args     pickleTuple
		ok       bool
	}{
		"no arguments":       {v2, pickleTuple{}, false},
		"shape of text":      {v2, pickleTuple{storage, 0, pickleTuple{"1"}, []int{1}}, false},
		"v2 of four":         {v2, pickleTuple{storage, 0, []int{1}, []int{1}}, true},
		"v3":                 {v3, v3args, true},
		"v3 of four":         {v3, v3args[:4], false},
		"v3 without type":    {v3, append(v3args[:6:6], pickleGlobal("torch.Size")), false},
		"v3 without storage": {v3, append(pickleTuple{nil}, v3args[1:]...), false},
		"subclass":           {subclass, pickleTuple{v3, pickleGlobal("torch.Tensor"), v3args, nil}, true},
		"subclass of two":    {subclass, pickleTuple{v2, nil}, false},
		"subclass by a list": {subclass, pickleTuple{pickleGlobal("builtins.list"), nil, pickleTuple{}}, false},
		"parameter":          {"torch._utils._rebuild_parameter", pickleTuple{tensor, true, nil}, true},
		"two types":          {"torch._utils._rebuild_parameter", pickleTuple{tensor, pickledStorage("torch.HalfStorage", "0", 2)}, false},
	} {
		words := pickledDict("w", pickled(test.function)+pickled(test.args)+"R")
		tensors, _, _, err := openTorch(archiveOf(t, words, 4))
		if (err == nil) != test.ok || test.ok && len(tensors) != 1 {
			t.Errorf("%s: %d tensors, error %v", name, len(tensors), err)
		}
	}
}

func TestTorchArchives(t *testing.T) {
	good := program(pickledDict("w", string(pickledTensor(pickledStorage(float32s, "0", 1), 0, []int{1}, []int{1}))))
	deflated := func() []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		m, _ := w.Create("a/data.pkl") // writing to a Buffer never fails
		_, _ = io.WriteString(m, good)
		_ = w.Close()
		return b.Bytes()
	}()
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"good":             {zipOf(t, "a/data.pkl", good, "a/data/0", "1234", "a/byteorder", "little", "other", ""), ""},
		"without a folder": {zipOf(t, "data.pkl", good, "data/0", "1234"), ""},
		"big endian":       {zipOf(t, "a/data.pkl", good, "a/data/0", "1234", "a/byteorder", "big"), "big-endian"},
		"no pickle":        {zipOf(t, "weights.npy", ""), "without a data.pkl"},
		"two pickles":      {zipOf(t, "a/data.pkl", good, "b/data.pkl", good), "more than one data.pkl"},
		"a name twice":     {zipOf(t, "a/data.pkl", good, "a/data.pkl", good), "two members called"},
		"deeper":           {zipOf(t, "a/b/data.pkl", good), "without a data.pkl"},
		"empty pickle":     {zipOf(t, "a/data.pkl", ""), "truncated"},
		"compressed":       {deflated, "compressed, which torch.save never does"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, err := openTorch(test.data)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// legacyOf returns a legacy file with a value, the keys of its storages, and the bytes
// that follow.
func legacyOf(machine, value, keys rawPickle, rest string) []byte {
	magic := "\x8a\x0a" + string(torchMagic)
	return []byte(program(rawPickle(magic)) + program(rawPickle(pickled(torchLegacyVersion))) + program(machine) + program(value) + program(keys) + rest)
}

func TestTorchLegacyByHand(t *testing.T) {
	little, big := pickledDict("little_endian", "\x88"), pickledDict("little_endian", "\x89")
	tensor := pickledTensor(pickledStorage(float32s, "k", 3, nil), 0, []int{2}, []int{1})
	part := pickledTensor(pickledStorage(float32s, "k", 3, pickleTuple{"view", 1, 2}), 0, []int{2}, []int{1})
	values := pickledDict("whole", string(tensor), "part", string(part))
	key := rawPickle("]" + pickled("k") + "a")
	storage := uint64Text(3) + "aaaabbbbcccc"
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"good":            {legacyOf(little, values, key, storage), ""},
		"big endian":      {legacyOf(big, values, key, storage), "big-endian"},
		"no storage":      {legacyOf(little, values, key, ""), "storage \"k\" is missing"},
		"storage cut off": {legacyOf(little, values, key, storage[:19]), "3 elements of float32, but only 11 bytes follow"},
		"storage huge":    {legacyOf(little, values, key, "\xff\xff\xff\xff\xff\xff\xff\xff"+storage[8:]), "truncated"},
		"storage shorter": {legacyOf(little, values, key, uint64Text(2)+"aaaabbbb"), "the file holds 2: truncated"},
		"no keys":         {legacyOf(little, values, "]", storage), "no storage \"k\""},
		"keys no list":    {legacyOf(little, values, "N", storage), "list of storages isn't valid"},
		"keys no text":    {legacyOf(little, values, "]Na", storage), "that no tensor uses"},
		"unknown key":     {legacyOf(little, values, rawPickle("]"+pickled("x")+"a"), storage), "that no tensor uses"},
		"key twice":       {legacyOf(little, values, key+"("+key+"0"+rawPickle(pickled("k"))+"e", storage+storage), "twice"},
		"version":         {bytes.Replace(legacyOf(little, values, key, storage), []byte("\xe9\x03"), []byte("\xea\x03"), 1), "version 1001"},
	} {
		t.Run(name, func(t *testing.T) {
			tensors, _, _, err := openTorch(test.data)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(tensors[0].Bytes()) + " " + string(tensors[1].Bytes()); got != "aaaabbbb bbbbcccc" {
				t.Errorf("tensors hold %s", got)
			}
		})
	}
}

// A few kilobytes that describe any number of tensors by sharing containers, storages and
// views must not take more memory than a few times the limit.
func TestTorchBombs(t *testing.T) {
	tensor := string(pickledTensor(pickledStorage(float32s, "0", 4096), 0, []int{2, 2048}, []int{1, 2}))
	nested := tensor
	for i := range 40 {
		nested = string(pickledDict("a", nested+"q"+string(byte(i)), "b", "h"+string(byte(i))))
	}
	many := "}" + tensor + "q\x000("
	for i := range 1 << 13 {
		many += pickled(fmt.Sprint(i)) + "h\x00"
	}
	deep := strings.Repeat("]", 1000) + tensor + strings.Repeat("a", 1000)
	for name, test := range map[string]struct{ words, want string }{
		"doubled forty times": {string(pickledDict("model", nested)), "names would take more memory"},
		"views":               {many + "u", "too many for this file"},
		"deep":                {"}" + pickled("model") + "}" + pickled("x") + deep + "ss", "nested more than 64 deep"},
		"deep list":           {deep, "nested more than 64 deep"},
		"holds itself":        {"}q\x00" + pickled("model") + "h\x00s" + pickled("x") + tensor + "s", "nested more than 64 deep"},
		"list holds itself":   {"]q\x00h\x00a" + tensor + "a", "nested more than 64 deep"},
		"twice":               {string(pickledDict("a.b", tensor, "a", string(pickledDict("b", tensor)))), "two tensors are called a.b"},
	} {
		t.Run(name, func(t *testing.T) {
			data := archiveOf(t, rawPickle(test.words), 4*4096)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, _, err := openTorch(data)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 200<<20 {
				t.Errorf("took %d bytes of memory", used)
			}
		})
	}
}

func FuzzTorchZip(f *testing.F) {
	for _, name := range []string{"torch_types.pth", "torch_catr.pth", "torch_views.pth", "torch_beside5.pth", "torch_parameters.pth", "torch_system.pth", "torch_float8.pth",
		"torch_foreign4.pth", "torch_whole_nested.pth"} {
		f.Add(readTestdata(f, name))
	}
	f.Fuzz(fuzzTorch)
}

func FuzzTorchLegacy(f *testing.F) {
	for _, name := range []string{"torch_types_legacy.pth", "torch_catr_legacy.pth", "torch_views_legacy.pth", "torch_protocol4_legacy.pth"} {
		f.Add(readTestdata(f, name))
	}
	f.Fuzz(fuzzTorch)
}

func fuzzTorch(t *testing.T, data []byte) {
	if tensors, _, _, err := openTorch(data); err == nil {
		checkTensors(t, tensors)
	}
	if tensors, _, _, err := openTorchAt(data, ""); err == nil {
		checkTensors(t, tensors)
	}
	if tensors, _, _, err := openTorchChoice(data, choice{all: true}); err == nil {
		for _, tensor := range tensors {
			if _, err := tensor.elements(); err == nil && tensor.Err() == nil && len(tensor.Bytes()) != tensor.Len()*tensor.DType.Size() {
				t.Fatalf("tensor %q %s %v of %d bytes", tensor.Name, tensor.DType, tensor.Shape, len(tensor.Bytes()))
			}
		}
	}
}
