package vit

import (
	"path/filepath"
	"slices"
	"testing"
)

// Every layout's parameters as tensors, before and after they were forgotten.
func TestModelTensor(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("testdata", "*", "golden.npz"))
	if err != nil || len(folders) < 8 {
		t.Fatalf("%d golden cases (%v)", len(folders), err)
	}
	for _, golden := range folders {
		dir := filepath.Dir(golden)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			m, err := Load(weightsFile(t, dir))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			for _, p := range m.Config.Parameters() {
				want, shape, err := m.Parameter(p.Name)
				if err != nil {
					t.Fatal(err)
				}
				want = slices.Clone(want)
				tensor, err := m.Tensor(p.Name)
				if err != nil {
					t.Fatal(err)
				}
				for _, when := range []string{"before", "after"} {
					got, err := tensor.Float32s()
					if err != nil || !slices.Equal(got, want) || !slices.Equal(tensor.Shape, shape) || tensor.Name != p.Name {
						t.Fatalf("%s %s it was forgotten: %v %v, %v", p.Name, when, tensor.Name, tensor.Shape, err)
					}
					tensor.Forget()
				}
			}
			if _, err := m.Tensor("nothing"); err == nil {
				t.Error("a parameter that isn't there has a tensor")
			}
		})
	}
}
