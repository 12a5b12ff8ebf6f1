package weights

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestInt64s writes integers to a file and reads them back.
func TestInt64s(t *testing.T) {
	want := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53}
	path := filepath.Join(t.TempDir(), "counters.safetensors")
	if err := WriteSafetensors(path, []*Tensor{NewInt64s("counters", want)}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, ok := f.Tensor("counters")
	if !ok {
		t.Fatal("the tensor isn't there")
	}
	values, err := got.Int64s()
	if err != nil || !slices.Equal(values, want) || !slices.Equal(got.Shape, []int{6}) {
		t.Errorf("read %v of shape %v (%v), wrote %v", values, got.Shape, err, want)
	}
	if _, err := NewTensor("floats", []int{1}, []float32{1}).Int64s(); err == nil || !strings.Contains(err.Error(), "floats") {
		t.Errorf("floats as whole numbers: %v", err)
	}
}
