package hub

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"gaze/internal/realdata"
	"gaze/pkg/weights"
)

// compareWithReference checks every tensor of the pulled weights against
// the reference made from the same ONNX file, in float16.
func compareWithReference(t *testing.T, path string) {
	t.Helper()
	want, err := weights.Open(realdata.Path(t, "weights", "dinov2s_imgfocus", "dinov2_small_imgfocus_fp16.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	got, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	compared := 0
	for _, name := range want.Names() {
		if name == "embeddings.mask_token" { // not in the ONNX file
			continue
		}
		w, _ := want.Tensor(name)
		g, ok := got.Tensor(name)
		if !ok {
			t.Errorf("no tensor %s", name)
			continue
		}
		wf, err := w.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		gf, err := g.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if len(wf) != len(gf) {
			t.Errorf("%s: shape %v, want %v", name, g.Shape, w.Shape)
			continue
		}
		for i := range wf {
			// Rounding to float16: half a unit in the last of 11 binary
			// digits, or half the smallest positive number.
			if d := math.Abs(float64(gf[i] - wf[i])); d > math.Abs(float64(gf[i]))/2048 && d > 1.0/(1<<25) {
				t.Errorf("%s[%d] = %g, want %g to float16", name, i, gf[i], wf[i])
				break
			}
		}
		compared++
	}
	if extra := len(got.Names()) - compared; extra != 0 {
		t.Errorf("%d tensors more than the reference has", extra)
	}
	t.Logf("%d tensors equal to float16", compared)
}

// Field numbers of onnx.proto.
const (
	modelGraph       = 7
	graphNode        = 1
	graphInitializer = 5
	nodeInput        = 1
	nodeOutput       = 2
	nodeOpType       = 4
	tensorDims       = 1
	tensorDataType   = 2
	tensorName       = 8
	tensorRawData    = 9
	onnxFloat        = 1
)

// message builds protobuf messages.
type message []byte

func (m message) text(n protowire.Number, s string) message { return m.bytes(n, []byte(s)) }
func (m message) bytes(n protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, n, protowire.BytesType), b)
}
func (m message) number(n protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, n, protowire.VarintType), v)
}

func initializer(name string, shape []int, values ...float32) message {
	var m message
	for _, d := range shape {
		m = m.number(tensorDims, uint64(d))
	}
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b := math.Float32bits(v)
		raw = append(raw, byte(b), byte(b>>8), byte(b>>16), byte(b>>24))
	}
	return m.number(tensorDataType, onnxFloat).text(tensorName, name).bytes(tensorRawData, raw)
}

func node(op string, out string, in ...string) message {
	var m message
	for _, i := range in {
		m = m.text(nodeInput, i)
	}
	return m.text(nodeOutput, out).text(nodeOpType, op)
}

// smallONNX is a backbone of one linear layer and position embeddings, as the
// exporter writes them.
func smallONNX(parts ...message) []byte {
	var g message
	for _, p := range []message{
		node("MatMul", "y", "x", "onnx::MatMul_7"),
		node("Add", "z", "backbone.fc.bias", "y"),
		node("Reshape", "p", "onnx::Reshape_1", "s"),
		node("Concat", "q", "onnx::Concat_2", "p"),
	} {
		g = g.bytes(graphNode, p)
	}
	for _, p := range append([]message{
		initializer("backbone.fc.bias", []int{3}, 1, 2, 3),
		initializer("decoder.bias", []int{1}, 9),
		initializer("onnx::MatMul_7", []int{2, 3}, 1, 2, 3, 4, 5, 6),
		initializer("onnx::Concat_2", []int{1, 1, 2}, 7, 8),
		initializer("onnx::Reshape_1", []int{1, 2, 2}, 1, 2, 3, 4),
	}, parts...) {
		g = g.bytes(graphInitializer, p)
	}
	return message(nil).number(1, 7).bytes(modelGraph, g)
}

// openONNX opens an ONNX file held in memory.
func openONNX(t testing.TB, data []byte) (*weights.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(path)
	if err == nil {
		t.Cleanup(func() { f.Close() })
	}
	return f, err
}

func TestBackbone(t *testing.T) {
	f, err := openONNX(t, smallONNX())
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := backbone(f)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name   string
		shape  []int
		values []float32
	}{
		{"embeddings.position_embeddings", []int{1, 3, 2}, []float32{7, 8, 1, 2, 3, 4}},
		{"fc.bias", []int{3}, []float32{1, 2, 3}},
		{"fc.weight", []int{3, 2}, []float32{1, 4, 2, 5, 3, 6}},
	}
	if len(tensors) != len(want) {
		t.Fatalf("%d tensors, want %d", len(tensors), len(want))
	}
	for i, w := range want {
		got, err := tensors[i].Float32s()
		if err != nil || tensors[i].Name != w.name || !equal(tensors[i].Shape, w.shape) || !equal(got, w.values) {
			t.Errorf("tensor %d: %s %v %v %v, want %v", i, tensors[i].Name, tensors[i].Shape, got, err, w)
		}
	}
	a := digest(tensors)
	tensors[1] = weights.NewTensor("fc.bias", []int{3}, []float32{1, 2, 4})
	if b := digest(tensors); a == b {
		t.Error("the digest doesn't see a changed value")
	}
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestBackboneRefuses(t *testing.T) {
	model := func(graph message) []byte { return message(nil).number(1, 7).bytes(modelGraph, graph) }
	lone := message(nil).bytes(graphNode, node("MatMul", "y", "x", "w")).bytes(graphInitializer, initializer("w", []int{1, 1}, 1))
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"no class position": {model(message(nil).bytes(graphNode, node("Reshape", "p", "onnx::R", "s")).bytes(graphInitializer, initializer("onnx::R", []int{1, 2, 2}, 1, 2, 3, 4))), "0 tensors could be"},
		"no bias":           {model(lone), "no bias follows"},
		"no positions":      {model(message(nil).bytes(graphInitializer, initializer("backbone.x", []int{1}, 1))), "0 tensors could be"},
		"a name twice":      {smallONNX(initializer("backbone.fc.weight", []int{1}, 1)), "two tensors could be backbone.fc.weight"},
		"nothing":           {model(nil), "not a checkpoint"},
		"no graph":          {message(nil).number(1, 7).text(2, "x"), "without weights"},
		"cut":               {smallONNX()[:60], "truncated or broken"},
		"wrong shape":       {smallONNX(initializer("bad", []int{5}, 1, 2)), "bad"},
		"huge shape":        {smallONNX(initializer("bad", []int{1 << 40, 1 << 40}, 1)), "tensor bad: 1099511627776 isn't a valid dimension"},
		"negative":          {smallONNX(initializer("bad", []int{-1}, 1)), "tensor bad: -1 isn't a valid dimension"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := openONNX(t, c.data)
			if err == nil {
				_, err = backbone(f)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	f, err := weights.Open(filepath.Join("..", "weights", "testdata", "st_types.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := backbone(f); err == nil || !strings.Contains(err.Error(), "not ONNX") {
		t.Errorf("a file of another format: %v", err)
	}
}

// TestConvertImgFocus checks that an unknown ONNX file is refused.
func TestConvertImgFocusRefusesAnother(t *testing.T) {
	dir := t.TempDir()
	onnx := filepath.Join(dir, "other.onnx")
	if err := os.WriteFile(onnx, smallONNX(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := convertImgFocus(onnx, dir); err == nil || !strings.Contains(err.Error(), "digest") {
		t.Errorf("error %v, want one about the digest", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err == nil {
		t.Error("it wrote weights all the same")
	}
}

func FuzzBackbone(f *testing.F) {
	f.Add(smallONNX())
	f.Add(smallONNX()[:100])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := openONNX(t, data); err == nil {
			_, _ = backbone(file) // must not panic
		}
	})
}
