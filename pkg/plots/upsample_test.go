package plots

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

func TestUpsampleLikeTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/upsample.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Map                        [][]float64
		Rows, Cols                 int
		Nearest, Bilinear, Bicubic [][]float64
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for i, c := range cases {
		for _, want := range []struct {
			ip     Interpolation
			values [][]float64
			border int // output rows and columns left out at each side
		}{{Nearest, c.Nearest, 0}, {Bilinear, c.Bilinear, 0}, {Auto, c.Bilinear, 0}, {Bicubic, c.Bicubic, 5}} {
			if want.values == nil {
				continue
			}
			got, err := Upsample(c.Map, c.Rows, c.Cols, want.ip)
			if err != nil {
				t.Fatal(err)
			}
			for r := want.border; r < c.Rows-want.border; r++ {
				for k := want.border; k < c.Cols-want.border; k++ {
					checked++
					if d := math.Abs(got[r][k] - want.values[r][k]); !(d < 1e-12) {
						t.Fatalf("case %d, interpolation %d at (%d, %d): %v, torch has %v", i, want.ip, r, k, got[r][k], want.values[r][k])
					}
				}
			}
		}
	}
	if checked < 500 {
		t.Errorf("only %d values were compared", checked)
	}
}

func TestUpsampleMissingValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	got, err := Upsample([][]float64{{1, nan}, {1, 1}}, 4, 4, Bilinear)
	if err != nil {
		t.Fatal(err)
	}
	for r := range got {
		for c, v := range got[r] {
			if missing := r < 2 && c >= 2; missing != math.IsNaN(v) || !missing && v != 1 {
				t.Errorf("(%d, %d) = %v beside a NaN", r, c, v)
			}
		}
	}
	got, _ = Upsample([][]float64{{0, inf}, {2, -inf}}, 4, 4, Bicubic)
	for r := range got {
		for c, v := range got[r] {
			if !(v >= 0 && v <= 2) {
				t.Errorf("(%d, %d) = %v is outside the finite values", r, c, v)
			}
		}
	}
	for _, bad := range [][][]float64{nil, {{}}, {{1}, {1, 2}}} {
		if _, err := Upsample(bad, 2, 2, Nearest); err == nil {
			t.Errorf("no error for %v", bad)
		}
	}
	if _, err := Upsample([][]float64{{1}}, 0, 2, Nearest); err == nil {
		t.Error("no error for no rows")
	}
}
