package pets

import (
	"math"
	"testing"

	"gaze/pkg/data/internal/draw"
)

const (
	probeSize   = 24
	probeTrain  = 20 // pictures of a breed
	probeTest   = 10
	probeRounds = 60
)

// A classifier that sees nothing but pixels, each by itself, must fail: breeds
// are told by shapes in places that change. It must not fail altogether, or
// there would be nothing to tell.
func TestLinearProbeFails(t *testing.T) {
	t.Parallel()
	train, trainLabels := probePictures(t, 0, probeTrain)
	test, testLabels := probePictures(t, probeTrain, probeTest)
	standardise(train, test)
	weights := softmaxRegression(train, trainLabels)
	fitted, accuracy := accuracyOf(weights, train, trainLabels), accuracyOf(weights, test, testLabels)
	t.Logf("linear probe on %d x %d pixels: %.1f %% of %d test pictures (%.1f %% of the training pictures; chance %.1f %%)",
		probeSize, probeSize, 100*accuracy, len(test), 100*fitted, 100./Classes)
	if fitted < 0.9 {
		t.Errorf("the probe fits %.0f %% of its training pictures: it has not been trained", 100*fitted)
	}
	if accuracy > 0.25 {
		t.Errorf("a linear probe gets %.1f %%: the set is too easy", 100*accuracy)
	}
	// Three standard errors above chance.
	if least := 1./Classes + 3*math.Sqrt(1./Classes/float64(len(test))); accuracy < least {
		t.Errorf("a linear probe gets %.1f %%, no more than chance: is there anything to tell?", 100*accuracy)
	}
}

func probePictures(t *testing.T, from, count int) (pictures [][]float32, labels []int) {
	t.Helper()
	for class := range Classes {
		for i := from; i < from+count; i++ {
			s, err := Draw(5, class, i, probeSize, Natural)
			if err != nil {
				t.Fatal(err)
			}
			p := make([]float32, len(s.Image.Pix)+1)
			for j, v := range s.Image.Pix {
				p[j] = float32(v)
			}
			pictures, labels = append(pictures, p), append(labels, class)
		}
	}
	return pictures, labels
}

// standardise gives each pixel mean 0 and deviation 1 over the training
// pictures, and sets the last value of each, the bias, to 1.
func standardise(train, test [][]float32) {
	n := len(train[0]) - 1
	for j := range n {
		var sum, squares float64
		for _, p := range train {
			sum += float64(p[j])
			squares += float64(p[j]) * float64(p[j])
		}
		mean := sum / float64(len(train))
		deviation := math.Sqrt(squares/float64(len(train)) - mean*mean)
		for _, set := range [][][]float32{train, test} {
			for _, p := range set {
				p[j] = (p[j] - float32(mean)) / float32(deviation)
			}
		}
	}
	for _, set := range [][][]float32{train, test} {
		for _, p := range set {
			p[n] = 1
		}
	}
}

// softmaxRegression fits weights [classes][values] by stochastic gradient
// descent with a weight decay.
func softmaxRegression(pictures [][]float32, labels []int) [][]float32 {
	const decay = 0.03 // about the best for the probe
	weights := make([][]float32, Classes)
	for c := range weights {
		weights[c] = make([]float32, len(pictures[0]))
	}
	s := draw.NewStream(1)
	for round := range probeRounds {
		rate := float32(1e-3 / (1 + 0.1*float64(round)))
		for range pictures {
			i := s.Below(len(pictures))
			p := softmax(weights, pictures[i])
			p[labels[i]]--
			for c, w := range weights {
				step := rate * p[c]
				if step < 1e-7 && step > -1e-7 {
					continue
				}
				for j, v := range pictures[i] {
					w[j] -= step * v
				}
			}
		}
		for _, w := range weights {
			for j := range w {
				w[j] *= 1 - decay
			}
		}
	}
	return weights
}

func scores(weights [][]float32, picture []float32) []float32 {
	out := make([]float32, len(weights))
	for c, w := range weights {
		var sum float32
		for j, v := range picture {
			sum += w[j] * v
		}
		out[c] = sum
	}
	return out
}

func softmax(weights [][]float32, picture []float32) []float32 {
	out := scores(weights, picture)
	top := out[argmax(out)]
	var sum float64
	for i, v := range out {
		e := math.Exp(float64(v - top))
		out[i] = float32(e)
		sum += e
	}
	for i := range out {
		out[i] /= float32(sum)
	}
	return out
}

func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}

func accuracyOf(weights, pictures [][]float32, labels []int) float64 {
	right := 0
	for i, p := range pictures {
		if argmax(scores(weights, p)) == labels[i] {
			right++
		}
	}
	return float64(right) / float64(len(pictures))
}
