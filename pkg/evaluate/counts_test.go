package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// somePredictions are random ones, often right.
func somePredictions(classes, pictures int) *Predictions {
	r := rand.New(rand.NewPCG(5, 6))
	p := &Predictions{}
	for c := range classes {
		p.Classes = append(p.Classes, fmt.Sprint("class ", c))
	}
	for i := range pictures {
		label := r.IntN(classes)
		p.Names, p.Labels = append(p.Names, fmt.Sprint(i, ".jpg")), append(p.Labels, label)
		for c := range classes {
			v := r.NormFloat64()
			if c == label {
				v += 2
			}
			p.Logits = append(p.Logits, float32(v))
		}
	}
	return p
}

// TestCountsKeepTheReport: a report that went through JSON as counts is the same, to the bit.
func TestCountsKeepTheReport(t *testing.T) {
	for _, classes := range []int{2, 7, 37} {
		want, err := New(somePredictions(classes, 300))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(want.Counts(maxLosses))
		if err != nil {
			t.Fatal(err)
		}
		var c Counts
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		got, err := c.Report(want.Classes)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d classes: %+v, want %+v", classes, got, want)
		}
		if n := len(want.Counts(3).TopLosses); n != 3 {
			t.Errorf("%d losses, want 3", n)
		}
	}
}

func TestCountsRefuse(t *testing.T) {
	good := func() Counts {
		return Counts{Confusion: []int{0, 0, 2, 1, 0, 1}, Bins: []BinCount{{Bin: 9, Pictures: 3, Correct: 2, Confidence: 0.62}}, TopLosses: []TopLoss{{Index: 2, True: 1}}}
	}
	if r, err := good().Report([]string{"a", "b"}); err != nil || r.Correct != 2 || r.Pictures != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	for says, change := range map[string]func(*Counts){
		"2 numbers":            func(c *Counts) { c.Confusion = c.Confusion[:2] },
		"0 numbers":            func(c *Counts) { c.Confusion = nil },
		"of class 2 taken":     func(c *Counts) { c.Confusion[3] = 2 },
		"-1 pictures":          func(c *Counts) { c.Confusion[2] = -1 },
		"once":                 func(c *Counts) { c.Confusion[3] = 0 },
		"hold 3 pictures":      func(c *Counts) { c.Confusion[2] = 3 },
		"hold 3 pictures, 1 r": func(c *Counts) { c.Bins[0].Correct = 1 },
		"number 15":            func(c *Counts) { c.Bins[0].Bin = 15 },
		"confidence 2":         func(c *Counts) { c.Bins[0].Confidence = 2 },
		"picture 3":            func(c *Counts) { c.TopLosses[0].Index = 3 },
	} {
		c := good()
		change(&c)
		if _, err := c.Report([]string{"a", "b"}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	six := good()
	if _, err := six.Report([]string{"a", "b", "c", "d", "e", "f"}); err == nil || !strings.Contains(err.Error(), "first five") {
		t.Errorf("top 5: %v", err)
	}
}

// TestDifference: the interval of a paired difference, against Agresti and Min's formula
// worked out by hand for 100 pictures.
func TestDifference(t *testing.T) {
	first, second := make([]bool, 100), make([]bool, 100)
	for i := range first {
		first[i], second[i] = i < 60, i >= 10 && i < 75 // 10 lost, 15 gained
	}
	c, err := McNemar(first, second)
	if err != nil {
		t.Fatal(err)
	}
	d := c.Difference()
	half := 1.959963984540054 * math.Sqrt(26-25./102) / 102
	if d.Value != 0.05 || math.Abs(d.Low-(5./102-half)) > 1e-12 || math.Abs(d.High-(5./102+half)) > 1e-12 {
		t.Errorf("%+v, want 0.05 and %g to %g", d, 5./102-half, 5./102+half)
	}
}
