package nn

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"gaze/pkg/backend"
	"gaze/pkg/weights"
)

func goBackend(t *testing.T) compute.Backend {
	t.Helper()
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParametersCheck(t *testing.T) {
	list := []Param{{"a/weight", []int{2, 3}}, {"a/bias", []int{2}}}
	w, bias := counting("a/weight", 2, 3), counting("a/bias", 2)
	for _, c := range []struct {
		name  string
		given []*weights.Tensor
		want  string // "" for no error
	}{
		{"all", []*weights.Tensor{bias, w}, ""},
		{"twice", []*weights.Tensor{w, bias, w}, "a/weight is given twice"},
		{"missing", []*weights.Tensor{w}, "a/bias is missing"},
		{"another shape", []*weights.Tensor{w, counting("a/bias", 3)}, "a/bias has shape [3], not [2]"},
		{"another name", []*weights.Tensor{w, bias, counting("b", 1)}, "it has no b"},
	} {
		ps, err := Owned(c.given)
		if err == nil {
			err = ps.Check(list)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	list := []Param{{"a", []int{2}}, {"b", []int{3}}, {"c", []int{4}}}
	shapes := map[string][]int{"a": {2}, "b": {5}, "e": {1}, "d": {1}}
	missing := func(name string) []string {
		if shapes[name] == nil {
			return []string{"file." + name}
		}
		return nil
	}
	m := Compare(list, shapes, missing, func(name string) string { return "file." + name })
	m.Duplicate = []string{"z", "y"}
	const want = "1 missing: file.c; 2 left over: file.d, file.e; 2 for a place already taken: y, z; 1 of another shape: file.b is [5], not [3]"
	if m.Empty() || m.String() != want {
		t.Errorf("%s\nwant %s", m, want)
	}
	if m := Compare(list[:1], map[string][]int{"a": {2}}, missing, nil); !m.Empty() || m.String() != "" {
		t.Errorf("what fits: %s", m)
	}
}

// TestUpload checks the values, the order and the name that a backend gets.
func TestUpload(t *testing.T) {
	list := []Param{{"conv/weight", []int{2, 3, 1, 2}}, {"fc/weight", []int{2, 3}}, {"fc/bias", []int{4}}}
	ps := Parameters{
		"conv/weight": Own(counting("conv", 2, 3, 1, 2)),
		"fc/weight":   {Parts: []Part{{counting("fc", 3, 2), InFirst}}},
		"fc/bias":     {Parts: []Part{{counting("bias", 2, 2), Flatten}}},
	}
	up, err := ps.Upload(goBackend(t), list, func(p Param) Arrangement {
		if len(p.Shape) == 4 {
			return ChannelsLast
		}
		return TorchOrder
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		shape  []int
		values []float32
	}{
		"conv/kernel": {[]int{1, 2, 3, 2}, []float32{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}},
		"fc/weight":   {[]int{2, 3}, []float32{0, 2, 4, 1, 3, 5}},
		"fc/bias":     {[]int{4}, []float32{0, 1, 2, 3}},
	} {
		got := up[name]
		if got == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		if values := tensors.MustCopyFlatData[float32](got); !slices.Equal(got.Shape().Dimensions, want.shape) || !slices.Equal(values, want.values) {
			t.Errorf("%s is %v %v, want %v %v", name, got.Shape().Dimensions, values, want.shape, want.values)
		}
	}
	if len(up) != len(list) {
		t.Errorf("%d tensors", len(up))
	}
	if err := up.Free(); err != nil || len(up) != 0 {
		t.Errorf("freeing: %v, %d are left", err, len(up))
	}
}

// TestUploadErrors names the tensor at fault, in whatever order it is uploaded.
func TestUploadErrors(t *testing.T) {
	b := goBackend(t)
	nan := weights.NewTensor("theirs", []int{2, 2, 1, 1}, []float32{1, 2, float32(math.NaN()), 4})
	for _, c := range []struct {
		order Order
		how   Arrangement
	}{{AsIs, TorchOrder}, {FromHWIO, TorchOrder}, {AsIs, ChannelsLast}} {
		ps := Parameters{"w": {Parts: []Part{{nan, c.order}}}}
		shape, err := ps["w"].Shape()
		if err != nil {
			t.Fatal(err)
		}
		_, err = ps.Upload(b, []Param{{"w", shape}}, func(Param) Arrangement { return c.how })
		if err == nil || !strings.Contains(err.Error(), "tensor theirs holds NaN at index 2 of 4") {
			t.Errorf("order %d, arrangement %d: %v", c.order, c.how, err)
		}
	}
	if _, err := (Parameters{}).Upload(b, []Param{{"w", []int{1}}}, nil); err == nil || !strings.Contains(err.Error(), `no parameter "w"`) {
		t.Errorf("a parameter that isn't there: %v", err)
	}
	if _, err := (Parameters{}).Upload(nil, nil, nil); err == nil {
		t.Error("no backend: no error")
	}
}
