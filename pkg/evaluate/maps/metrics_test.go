package maps

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// metricsGolden is what tools/golden/map_metrics.py writes.
type metricsGolden struct {
	Rows, Cols, Cell, Classes int
	Faithfulness              []struct {
		Class                     int
		Values                    []float32
		Deletion, Insertion, Road float64
		Positive, Negative        float64
		Drop, Increase, Gain      float64
	}
	Imputed []struct {
		Gone    string
		Picture int
		Sampled []float64
	}
	Blur []struct {
		Sigma   float64
		Sampled []float64
	}
	Subsets []struct {
		Values, Losses      []float64
		Subsets             []string
		Infidelity, Pearson float64
	}
	Moved struct {
		Before []float32
		After  [][]float32
		Score  float64
	}
	Ranks []struct {
		A, B     []float64
		Spearman float64
	}
	SSIM []struct {
		Rows, Cols int
		A, B       []float64
		SSIM       float64
	}
	Shape []struct {
		Values                   []float64
		Gini, Entropy, Histogram float64
	}
	Located []struct {
		Rows, Cols, Size int
		Values           []float32
		Mask             string
		Otsu             float64
		IoUOtsu          float64 `json:"iou_otsu"`
		IoUMean          float64 `json:"iou_mean"`
		AP               float64
		Pointing, Energy float64
	}
	Pooled struct{ Accuracy, MIoU, MAP float64 }
}

func goldenMetrics(t *testing.T) (g metricsGolden) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// close reports a number that isn't the reference's.
func closeTo(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %.9g, want %.9g", what, got, want)
	}
}

// linear is a model whose logits are a linear function of the pixels, as in the golden
// script. It can't drop tokens.
type linear struct {
	weights []float32
	classes int
}

func newLinear(classes, values int) linear {
	l := linear{classes: classes, weights: make([]float32, classes*values)}
	for i := range l.weights {
		l.weights[i] = float32(math.Sin(0.1+0.37*float64(i)) * 0.12)
	}
	return l
}

func (linear) Config() vit.Config { return vit.Config{} }

func (l linear) Logits(images []float32, shape [4]int, _ []bool) (vit.Array, error) {
	n := len(l.weights) / l.classes
	out := vit.Array{Shape: []int{shape[0], l.classes}}
	for at := 0; at < len(images); at += n {
		for c := range l.classes {
			sum := 0.0
			for i, v := range images[at : at+n] {
				sum += float64(v) * float64(l.weights[c*n+i])
			}
			out.Values = append(out.Values, float32(sum))
		}
	}
	return out, nil
}

// smooth is the golden script's picture.
func smooth(k, h, w int) *transform.Tensor {
	t := &transform.Tensor{Shape: [3]int{3, h, w}}
	for c := range 3 {
		for y := range h {
			for x := range w {
				fx, fy, fc, fk := float64(x), float64(y), float64(c), float64(k)
				t.Data = append(t.Data, float32(math.Sin(0.21*fx*(fk+1)+fc)+math.Cos(0.17*fy+0.4*fc*fk)+0.3*math.Sin(1.9*fx+2.3*fy+fc)))
			}
		}
	}
	return t
}

// TestFaithfulnessGolden: the curves of torchcam, pytorch-grad-cam and Chefer et al.
func TestFaithfulnessGolden(t *testing.T) {
	g := goldenMetrics(t)
	h, w := g.Rows*g.Cell, g.Cols*g.Cell
	f, err := NewFaithfulness(FaithfulnessOptions{Operators: []Operator{TrainingMean(), LinearImputation(0, 1)}, Parts: Curves | Products,
		Fractions: []float64{0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1}})
	if err != nil {
		t.Fatal(err)
	}
	model := newLinear(g.Classes, 3*h*w)
	for k, want := range g.Faithfulness {
		c := &Case{Name: "smooth", Tensor: smooth(k, h, w), Class: want.Class}
		m := explain.Map{Rows: g.Rows, Cols: g.Cols, Values: want.Values}
		scores, err := f.judge(context.Background(), model, 1, []*Case{c}, [][]explain.Map{{m}})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range map[string]float64{
			"deletion-mean": want.Deletion, "insertion-mean": want.Insertion, "gap-road": want.Road,
			"positive-mean": want.Positive, "negative-mean": want.Negative,
			"average-drop": want.Drop, "increase": want.Increase, "average-gain": want.Gain,
		} {
			closeTo(t, i, scores[0][0][columnOf(t, f, i)], want, 2e-5)
		}
	}
}

// columnOf is the place of a judge's column.
func columnOf(t *testing.T, j interface{ Columns() []Column }, key string) int {
	t.Helper()
	for i, c := range j.Columns() {
		if c.Key == key {
			return i
		}
	}
	t.Fatalf("there is no column %q", key)
	return 0
}

// TestOperatorsGolden: imputed and blurred pictures of pytorch-grad-cam and scipy.
func TestOperatorsGolden(t *testing.T) {
	g := goldenMetrics(t)
	h, w, grid := g.Rows*g.Cell, g.Cols*g.Cell, [2]int{g.Rows, g.Cols}
	compare := func(what string, o Operator, picture int, gone []bool, want []float64) {
		got, err := o.Apply(&Case{Tensor: smooth(picture, h, w)}, grid, gone)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range want {
			closeTo(t, what, float64(got.Data[7*i]), v, 2e-5)
		}
	}
	all := make([]bool, g.Rows*g.Cols)
	for i := range all {
		all[i] = true
	}
	for _, b := range g.Blur {
		compare("a blurred value", Blur(b.Sigma), 0, all, b.Sampled)
	}
	for _, c := range g.Imputed {
		compare("an imputed value", LinearImputation(0, 1), c.Picture, bools(c.Gone), c.Sampled)
	}
}

func bools(text string) []bool {
	out := make([]bool, len(text))
	for i := range text {
		out[i] = text[i] == '1'
	}
	return out
}

// TestNumbersGolden: correlations, infidelity, max-sensitivity, SSIM, Gini index and
// entropies of scipy, captum, scikit-image and quantus.
func TestNumbersGolden(t *testing.T) {
	g := goldenMetrics(t)
	for _, c := range g.Subsets {
		var list []subset
		for _, s := range c.Subsets {
			list = append(list, bools(s))
		}
		a, dd := sums(c.Values, list), 0.0
		for _, v := range c.Losses {
			dd += v * v / float64(len(c.Losses))
		}
		closeTo(t, "Pearson", explain.Pearson(a, c.Losses), c.Pearson, 1e-9)
		closeTo(t, "infidelity", infidelity(a, c.Losses)*dd, c.Infidelity, 1e-6*dd)
	}
	top := 0.0
	for _, after := range g.Moved.After {
		top = max(top, moved(g.Moved.Before, after))
	}
	closeTo(t, "max-sensitivity", top, g.Moved.Score, 1e-5)
	for _, c := range g.Ranks {
		closeTo(t, "Spearman", explain.Spearman(c.A, c.B), c.Spearman, 1e-9)
	}
	for _, c := range g.SSIM {
		closeTo(t, "SSIM", ssim(c.A, c.B, c.Rows, c.Cols, 2), c.SSIM, 1e-9)
	}
	for _, c := range g.Shape {
		// quantus adds 1e-7 to each value before its Gini index.
		closeTo(t, "Gini", gini(absolute(c.Values)), c.Gini, 1e-6)
		closeTo(t, "entropy", evenness(absolute(c.Values)), c.Entropy, 1e-9)
		closeTo(t, "the histogram's entropy", histogramEntropy(c.Values), c.Histogram, 1e-9)
	}
}

// TestLocalisationGolden: thresholds and scores of scikit-image, scikit-learn, quantus and
// Chefer et al.
func TestLocalisationGolden(t *testing.T) {
	g := goldenMetrics(t)
	var p Pooled
	for _, c := range g.Located {
		m := &data.Mask{Width: c.Size, Height: c.Size}
		for _, v := range c.Mask {
			m.Pix = append(m.Pix, uint8(v-'0'))
		}
		made := explain.Map{Rows: c.Rows, Cols: c.Cols, Values: c.Values}
		values, err := pixels(made, c.Size, c.Size)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "Otsu's threshold", explain.Otsu(values), c.Otsu, 1e-6)
		scores, err := LocalisationJudge{}.Judge(context.Background(), nil, []*Entrant{{}}, []*Case{{Pet: m}}, [][]explain.Map{{made}})
		if err != nil {
			t.Fatal(err)
		}
		got := scores[0][0]
		closeTo(t, "pointing", got[0], c.Pointing, 0)
		closeTo(t, "energy", got[1], c.Energy, 1e-6)
		closeTo(t, "IoU at Otsu's threshold", got[3], c.IoUOtsu, 1e-9)
		closeTo(t, "IoU at the mean", got[4], c.IoUMean, 1e-9)
		closeTo(t, "AP", got[5], c.AP, 1e-6)
		if !math.IsNaN(got[6]) {
			t.Errorf("without a head's box the score is %g", got[6])
		}
		if err := p.Add(made, m); err != nil {
			t.Fatal(err)
		}
	}
	accuracy, mIoU, mAP, err := p.Scores()
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "pooled accuracy", accuracy, g.Pooled.Accuracy, 1e-9)
	closeTo(t, "pooled mIoU", mIoU, g.Pooled.MIoU, 1e-9)
	closeTo(t, "mAP", mAP, g.Pooled.MAP, 1e-5)
}
