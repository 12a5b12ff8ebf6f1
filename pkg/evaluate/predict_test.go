package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

func tinyModel(t *testing.T, labels []string) *vit.Model {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=8,depth=1,heads=2,patch=8,size=16")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 3
	m, err := vit.New(cfg, 4)
	if err != nil {
		t.Fatal(err)
	}
	m.Labels = labels
	return m
}

func TestAlign(t *testing.T) {
	for _, c := range []struct {
		model, set []string
		to         []int
		names      string
		says       string
	}{
		{[]string{"a", "b", "c"}, []string{"a", "b", "c"}, []int{0, 1, 2}, "[a b c]", ""},
		{[]string{"a", "b", "c"}, []string{"c", "a"}, []int{2, 0}, "[a b c]", ""},
		{[]string{"a", "b", "c"}, []string{"0", "1"}, []int{0, 1}, "[a b c]", ""},
		{[]string{"0", "1", "2"}, []string{"x", "y", "z"}, []int{0, 1, 2}, "[x y z]", ""},
		{nil, []string{"x", "y", "z"}, []int{0, 1, 2}, "[x y z]", ""},
		{nil, []string{"0", "1"}, []int{0, 1}, "[0 1 2]", ""},
		{nil, []string{"x", "y"}, nil, "", "has 2 classes, the model 3"},
		{nil, []string{"0", "1", "2", "3"}, nil, "", "has 4 classes"},
		{[]string{"a", "b", "c"}, []string{"a", "d"}, nil, "", `no class "d"`},
	} {
		names, to, err := Align(tinyModel(t, c.model), c.set)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v in %v: %v", c.set, c.model, err)
			}
			continue
		}
		if err != nil || !slices.Equal(to, c.to) || fmt.Sprint(names) != c.names {
			t.Errorf("%v in %v: %v, %v (%v)", c.set, c.model, names, to, err)
		}
	}
	m := tinyModel(t, nil)
	m.Config.Classes = 0
	if _, _, err := Align(m, []string{"a"}); err == nil {
		t.Error("a model without a head knows classes")
	}
}

// pictures is a set of flat colours, one of which may be missing.
type pictures struct{ n, bad int }

func (p pictures) Len() int          { return p.n }
func (p pictures) Label(i int) int   { return i % 2 }
func (p pictures) Name(i int) string { return fmt.Sprint("picture ", i) }

func (p pictures) Image(i int) (*transform.Image, error) {
	if i == p.bad {
		return nil, fmt.Errorf("%s: torn", p.Name(i))
	}
	im := transform.NewImage(20, 20, 3)
	for k := range im.Pix {
		im.Pix[k] = uint8(k * (i + 1))
	}
	return im, nil
}

// TestPredict: the same in batches of any size, classes in the model's numbering.
func TestPredict(t *testing.T) {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	m := tinyModel(t, []string{"a", "b", "c"})
	ctx := context.Background()
	p, err := Predict(ctx, b, m, pictures{5, -1}, []string{"c", "a"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Labels, []int{2, 0, 2, 0, 2}) || p.Names[4] != "picture 4" || len(p.Logits) != 15 {
		t.Errorf("labels %v, names %v, %d logits", p.Labels, p.Names, len(p.Logits))
	}
	if slices.Equal(p.logits(0), p.logits(1)) {
		t.Error("all pictures get the same answer: nothing is tested")
	}
	var told []string
	o := Options{Batch: 2, Workers: 1, Bad: func(b data.BadPicture) { told = append(told, b.Name) }}
	some, err := Predict(ctx, b, m, pictures{5, 1}, []string{"c", "a"}, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []string{"picture 1"}) || !slices.Equal(some.Names, []string{"picture 0", "picture 2", "picture 3", "picture 4"}) {
		t.Errorf("told of %v, names %v", told, some.Names)
	}
	for i := range 3 {
		if !near(float64(some.Logits[9+i]), float64(p.Logits[12+i]), 1e-6) {
			t.Errorf("logits %v in batches of 2, %v in one", some.Logits[9:], p.Logits[12:])
		}
	}
	if _, err := Predict(ctx, b, m, pictures{5, 1}, []string{"c", "a"}, Options{}); err == nil || !strings.Contains(err.Error(), "torn") {
		t.Errorf("a torn picture: %v", err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Predict(stopped, b, m, pictures{5, -1}, []string{"c", "a"}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Predict(ctx, b, m, pictures{5, -1}, []string{"d"}, Options{}); err == nil {
		t.Error("a class of another set is fine")
	}
}
