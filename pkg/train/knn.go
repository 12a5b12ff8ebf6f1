package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gaze/internal/parallel"
	"gaze/pkg/transform"
)

// KNN classifies pictures by the training pictures whose features are nearest: k-NN with
// cosine similarity and votes weighted by exp(similarity/Temperature), as Wu et al. 2018
// ("Unsupervised Feature Learning via Non-Parametric Instance Discrimination", §3.4) and
// DINO's evaluation have it. Nothing is trained but the choice of k.
type KNN struct {
	Ks          []int   // numbers of neighbours to choose from
	Temperature float64 // of the votes: the lower, the more the nearest count
}

// DefaultKNN are the numbers of neighbours and the temperature of DINO's evaluation, with
// 1 and 5 for sets with few pictures a class.
func DefaultKNN() KNN { return KNN{Ks: []int{1, 5, 10, 20}, Temperature: 0.07} }

// ParseKNN reads settings such as "k=1,5,20; temperature=0.07". What isn't named has its
// default, as in [DefaultKNN]. The error is a [*transform.SyntaxError].
func ParseKNN(text string) (KNN, error) {
	n, at := DefaultKNN(), 0
	for part := range strings.SplitSeq(text, ";") {
		err := n.set(part)
		if err != nil {
			return n, &transform.SyntaxError{Spec: text, Column: len([]rune(text[:at+spaceBefore(part)])) + 1, Reason: err.Error()}
		}
		at += len(part) + 1
	}
	return n, nil
}

// set reads one setting.
func (n *KNN) set(part string) error {
	name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
	switch name = strings.ToLower(strings.TrimSpace(name)); name {
	case "":
		return nil
	case "k":
		n.Ks = nil
		for word := range strings.SplitSeq(value, ",") {
			k, err := strconv.Atoi(strings.TrimSpace(word))
			if err != nil || k < 1 {
				return fmt.Errorf("k is numbers of neighbours from 1, with ',' between them, not %q", value)
			}
			n.Ks = append(n.Ks, k)
		}
	case "temperature":
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(v >= 1e-3 && v <= 1e3) {
			return fmt.Errorf("temperature is a number from 0.001 to 1000, not %q", value)
		}
		n.Temperature = v
	default:
		return fmt.Errorf("k-NN has no setting %q; there are k, temperature", name)
	}
	return nil
}

// String is the settings as [ParseKNN] reads them.
func (n KNN) String() string {
	words := make([]string, len(n.Ks))
	for i, k := range n.Ks {
		words[i] = strconv.Itoa(k)
	}
	return fmt.Sprintf("k=%s; temperature=%g", strings.Join(words, ","), n.Temperature)
}

// Choose returns the k with which most training pictures are classified right by the
// others (leave one out), so that no validation picture takes part in the choice. Of
// equals the first counts; a k that is no smaller than the number of pictures is skipped.
func (n KNN) Choose(ctx context.Context, training *FeatureSet, classes int) (k int, err error) {
	found, err := n.neighbours(ctx, training, training, classes, true)
	if err != nil {
		return 0, err
	}
	best := -1
	for _, candidate := range n.Ks {
		if candidate >= len(training.Labels) {
			continue
		}
		right := 0
		for i, list := range found {
			if argmax(n.vote(list, candidate, classes)) == training.Labels[i] {
				right++
			}
		}
		if right > best {
			k, best = candidate, right
		}
	}
	if k == 0 {
		return 0, fmt.Errorf("train: k-NN: %d training pictures are too few for k=%v", len(training.Labels), n.Ks)
	}
	return k, nil
}

// Logits are the logarithms of the shares of the votes, [pictures, classes], row-major:
// their softmax is the shares. A class without a vote gets 1e-6 of them.
func (n KNN) Logits(ctx context.Context, training, pictures *FeatureSet, classes, k int) ([]float32, error) {
	if k < 1 || k > len(training.Labels) {
		return nil, fmt.Errorf("train: k-NN: there are no %d neighbours among %d training pictures", k, len(training.Labels))
	}
	found, err := n.neighbours(ctx, training, pictures, classes, false)
	if err != nil {
		return nil, err
	}
	logits := make([]float32, 0, len(found)*classes)
	for _, list := range found {
		votes := n.vote(list, k, classes)
		sum := 0.0
		for _, v := range votes {
			sum += v
		}
		for _, v := range votes {
			logits = append(logits, float32(math.Log(max(v/sum, 1e-6))))
		}
	}
	return logits, nil
}

// neighbour is a training picture near another picture.
type neighbour struct {
	similarity float64 // cosine
	label      int
}

// neighbours are each picture's nearest training pictures, the nearest first, as many as
// the largest k needs; of equals the one that comes first. With others, picture i isn't
// its own neighbour.
func (n KNN) neighbours(ctx context.Context, training, pictures *FeatureSet, classes int, others bool) ([][]neighbour, error) {
	switch {
	case len(n.Ks) == 0 || !(n.Temperature > 0):
		return nil, fmt.Errorf("train: k-NN with k=%v and temperature %g: give at least one k, and a temperature above 0", n.Ks, n.Temperature)
	case len(training.Labels) == 0:
		return nil, errors.New("train: k-NN: there are no training pictures")
	case training.Dim != pictures.Dim:
		return nil, fmt.Errorf("train: k-NN: training pictures have %d features, the others %d", training.Dim, pictures.Dim)
	}
	for _, label := range training.Labels {
		if label < 0 || label >= classes {
			return nil, fmt.Errorf("train: k-NN: a training picture has class %d, which is none of %d", label, classes)
		}
	}
	a, b := training.unit(), pictures.unit()
	most, dim := slices.Max(n.Ks), training.Dim
	found := make([][]neighbour, len(pictures.Labels))
	err := parallel.Each(ctx, len(found), 0, func(i int) error {
		list := make([]neighbour, 0, len(training.Labels))
		for t, label := range training.Labels {
			if others && t == i {
				continue
			}
			list = append(list, neighbour{dot(b[i*dim:(i+1)*dim], a[t*dim:(t+1)*dim]), label})
		}
		slices.SortStableFunc(list, func(x, y neighbour) int { return cmp.Compare(y.similarity, x.similarity) })
		found[i] = slices.Clone(list[:min(most, len(list))])
		return nil
	})
	return found, err
}

// vote is the weight of each class among the k nearest.
func (n KNN) vote(list []neighbour, k, classes int) []float64 {
	votes := make([]float64, classes)
	for _, near := range list[:min(k, len(list))] {
		votes[near.label] += math.Exp((near.similarity - 1) / n.Temperature)
	}
	return votes
}

// unit is the features of every picture, divided by their length.
func (f *FeatureSet) unit() []float32 {
	out := make([]float32, len(f.Values))
	for start := 0; start < len(out); start += f.Dim {
		row := f.Values[start : start+f.Dim]
		length := math.Sqrt(dot(row, row))
		if length == 0 {
			continue
		}
		for k, v := range row {
			out[start+k] = float32(float64(v) / length)
		}
	}
	return out
}

// dot is summed in float64, so that it doesn't depend on the machine.
func dot(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(float64(v) * float64(b[i]))
	}
	return sum
}

// argmax is the place of the greatest value, the first of equals.
func argmax(values []float64) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
