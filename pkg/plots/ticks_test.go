package plots

import (
	"math"
	"strings"
	"testing"
)

func labels(ts []tick) string {
	var out []string
	for _, t := range ts {
		out = append(out, t.label)
	}
	return strings.Join(out, " ")
}

func TestTicks(t *testing.T) {
	tests := []struct {
		ticks []tick
		want  string
	}{
		{niceTicks(0, 1, 5), "0 0.2 0.4 0.6 0.8 1.0"},
		{niceTicks(-1, 1, 8), "−1.00 −0.75 −0.50 −0.25 0 0.25 0.50 0.75 1.00"},
		{niceTicks(0, 20, 8), "0 5 10 15 20"},
		{niceTicks(0, 9.9, 4), "0 2 4 6 8"},
		{niceTicks(0.0003, 0.00071, 3), "4e−4 6e−4"},
		{niceTicks(0, 0.018, 3), "0 0.005 0.010 0.015"},
		{niceTicks(0, 3e6, 3), "0 1e6 2e6 3e6"},
		{niceTicks(1e6, 2.5e6, 6), "1e6 1.25e6 1.5e6 1.75e6 2e6 2.25e6 2.5e6"},
		{niceTicks(0, 0.00012, 5), "0 2.5e−5 5e−5 7.5e−5 1e−4"},
		{niceTicks(7, 7, 5), ""},
		{niceTicks(math.Inf(-1), 7, 5), ""},
		{niceTicks(-math.MaxFloat64, math.MaxFloat64, 5), ""},
		{logTicks(1, 1e4), "1 10 100 1000 10000"},
		{logTicks(1e-5, 2), "1e−5 1e−4 0.001 0.01 0.1 1"},
		{logTicks(2, 60), "2 5 10 20 50"},
		{logTicks(3, 4), "3.00 3.25 3.50 3.75 4.00"},
		{logTicks(1, 1e20), "1 1000 1e6 1e9 1e12 1e15 1e18"},
		{indexTicks(4, 0, 10), "0 1 2 3"},
		{indexTicks(16, 1, 8), "2 4 6 8 10 12 14 16"},
		{indexTicks(197, 0, 10), "0 20 40 60 80 100 120 140 160 180"},
		{indexTicks(3, 0, 0), "0"},
	}
	for _, tt := range tests {
		if got := labels(tt.ticks); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestTicksLieInRange tries ranges of all sizes: ticks must be inside the range and in
// order, there must not be too many, and no two may have the same label.
func TestTicksLieInRange(t *testing.T) {
	for e := -12.0; e <= 12; e++ {
		for _, r := range [][2]float64{{0, 1}, {-3, 7}, {0.1, 0.13}, {-9, -8.5}, {1.234, 99.9}} {
			lo, hi := r[0]*math.Pow(10, e), r[1]*math.Pow(10, e)
			ts := niceTicks(lo, hi, 6)
			if len(ts) < 2 || len(ts) > 8 {
				t.Errorf("%g to %g: %d ticks: %s", lo, hi, len(ts), labels(ts))
			}
			seen := map[string]bool{}
			for _, k := range ts {
				if d := (hi - lo) * 1e-5; k.at < lo-d || k.at > hi+d {
					t.Errorf("tick %g is outside %g to %g", k.at, lo, hi)
				}
				if seen[k.label] {
					t.Errorf("%g to %g: label %s twice", lo, hi, k.label)
				}
				seen[k.label] = true
			}
		}
	}
}

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{{math.NaN(), "NaN"}, {math.Inf(-1), "−∞"}, {-0.12345, "−0.12"}, {1e-9, "1e−9"}} {
		if got := number(tt.v, 2); got != tt.want {
			t.Errorf("number(%v) = %q, want %q", tt.v, got, tt.want)
		}
	}
}

func TestWholeTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		most   int
		want   string
	}{
		{-0.2, 1.2, 8, "0 1"},
		{-0.2, 11.2, 8, "0 2 4 6 8 10"},
		{0, 3, 8, "0 1 2 3"},
		{-2.5, 2.5, 8, "−2 −1 0 1 2"},
		{0, 1000, 8, "0 200 400 600 800 1000"},
	} {
		if got := labels(wholeTicks(c.lo, c.hi, c.most)); got != c.want {
			t.Errorf("from %g to %g, at most %d: %q, want %q", c.lo, c.hi, c.most, got, c.want)
		}
	}
}
