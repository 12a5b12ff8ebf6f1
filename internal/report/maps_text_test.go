package report

import (
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// tiny is a model with random weights: 2 layers of 2 heads, a grid of rows x cols.
func tiny(t *testing.T, rows, cols int) *vit.Model {
	t.Helper()
	m, err := vit.New(vit.Config{
		ImageSize: [2]int{4 * rows, 4 * cols}, PatchSize: [2]int{4, 4}, Channels: 3,
		Dim: 8, Depth: 2, Heads: 2, MLPDim: 16, ClassToken: true, NormEps: 1e-6,
		QKVBias: true, PatchBias: true, FinalNorm: true,
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDiscussPositions(t *testing.T) {
	p, err := explain.PositionsOf(tiny(t, 5, 20))
	if err != nil {
		t.Fatal(err)
	}
	small, err := p.Resized(3, 4)
	if err != nil {
		t.Fatal(err)
	}
	if text := DiscussPositions(p, small); !strings.Contains(text, "of the 100 positions") || strings.Contains(text, "NaN") {
		t.Errorf("discussion: %s", text)
	}
}

func TestDiscussAttention(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	r, err := vit.NewRunner(b, tiny(t, 4, 4))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	im := transform.NewImage(40, 20, 3)
	for i := range im.Pix {
		im.Pix[i] = uint8(i * 7)
	}
	p, err := transform.Parse("resize(16) | centercrop(16,24) | totensor | normalize(0.5,0.5)")
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := explain.Attend(r, p, "stripes", im)
	if err != nil {
		t.Fatal(err)
	}
	if text := DiscussAttention(a); !strings.Contains(text, "bits") || strings.Contains(text, "NaN") {
		t.Errorf("discussion: %s", text)
	}
	if DiscussAttention() == "" {
		t.Error("without attention the text is empty")
	}
}

func TestWidthCourse(t *testing.T) {
	for _, c := range []struct {
		widths []float64
		want   string
	}{
		{[]float64{5, 6, 7}, "attention widens: the mean head goes from 5.00 to 7.00"},
		{[]float64{7, 6, 5}, "attention narrows: the mean head goes from 7.00 to 5.00"},
		{[]float64{5, 6, 5.5, 7}, "attention mostly widens"},
		{[]float64{7, 5.5, 6, 5}, "attention mostly narrows"},
		{[]float64{6, 7, 7.4, 7, 7.1, 6.8}, "attention widens up to layer 2 and mostly narrows after it: the mean head has 6.00 bits in layer 0, 7.40 in layer 2, 6.80 in the last"},
		{[]float64{6, 7, 7.4, 7, 6.9, 6.8}, "attention widens up to layer 2 and narrows after it"},
		{[]float64{6, 4, 5, 6.5}, "attention narrows up to layer 1 and widens after it"},
		{[]float64{6, 6.1, 6.05}, "stays about as wide"},
		{[]float64{6}, "stays about as wide"},
	} {
		if got := widthCourse(c.widths); !strings.Contains(got, c.want) {
			t.Errorf("%v: %s\nwant: %s", c.widths, got, c.want)
		}
	}
}
