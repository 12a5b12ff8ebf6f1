package explain

import (
	"fmt"
	"slices"
	"strconv"
)

// Heads selects how a layer's attention heads are combined: their mean, their maximum,
// their minimum, or a single head.
type Heads struct {
	kind  string
	index int
}

// MeanHeads averages the heads of a layer, as the [class] attention figures of
// the ViT and DINO papers do.
var MeanHeads = Heads{kind: "mean"}

// MaxHeads takes, for every patch, the largest value over the heads.
var MaxHeads = Heads{kind: "max"}

// MinHeads takes, for every patch, the smallest value over the heads.
var MinHeads = Heads{kind: "min"}

// OneHead selects a single head, counted from 0; -1 is the last one.
func OneHead(index int) Heads { return Heads{kind: "head", index: index} }

// ParseHeads parses "mean", "max", "min" or a head's number ("0", "5", "-1").
func ParseHeads(s string) (Heads, error) {
	switch s {
	case "mean":
		return MeanHeads, nil
	case "max":
		return MaxHeads, nil
	case "min":
		return MinHeads, nil
	}
	i, err := strconv.Atoi(s)
	if err != nil {
		return Heads{}, fmt.Errorf("%q is not a choice of heads: use mean, max, min or a head's number (0 is the first, -1 the last)", s)
	}
	return OneHead(i), nil
}

// Check returns an error if the choice isn't valid for a layer of n heads.
func (h Heads) Check(n int) error {
	if h.kind != "head" {
		return nil
	}
	_, err := Index(h.index, n, "head")
	return err
}

// String returns the text that [ParseHeads] parses, or the phrase for a title.
func (h Heads) String() string {
	if h.kind == "head" {
		return "head " + strconv.Itoa(h.index)
	}
	return h.kind + " of heads"
}

// Index resolves an index that may count from the end: 0..n-1 stay, -1 is n-1. what names
// the indexed thing in the error, such as "layer".
func Index(i, n int, what string) (int, error) {
	j := i
	if j < 0 {
		j += n
	}
	if j < 0 || j >= n {
		return 0, fmt.Errorf("there is no %s %d: the model has %d (0 to %d, or -1 for the last)", what, i, n, n-1)
	}
	return j, nil
}

// ClassRow is the [class] query's attention over the patches in one layer:
// the softmax weights of shape [heads, rows*cols]. The query's weights for itself and for
// other tokens that aren't patches (distillation, registers) are left out, so a head's row
// sums to at most 1.
type ClassRow struct {
	Heads, Rows, Cols int
	Weights           []float32
}

// ClassRowOf extracts the [class] query's row from a layer's attention probabilities of
// shape [heads, tokens, tokens] for one picture. prefix is the number of tokens before the
// first patch; rows*cols patches follow.
func ClassRowOf(probabilities []float32, heads, prefix, rows, cols int) (ClassRow, error) {
	patches := rows * cols
	tokens := prefix + patches
	if heads <= 0 || prefix < 1 || len(probabilities) != heads*tokens*tokens {
		return ClassRow{}, fmt.Errorf("explain: %d attention values are not %d heads of %dx%d tokens (%d before %dx%d patches)",
			len(probabilities), heads, tokens, tokens, prefix, rows, cols)
	}
	row := ClassRow{Heads: heads, Rows: rows, Cols: cols, Weights: make([]float32, heads*patches)}
	for h := range heads {
		start := h*tokens*tokens + prefix // query 0 of head h, first patch key
		copy(row.Weights[h*patches:(h+1)*patches], probabilities[start:start+patches])
	}
	return row, nil
}

// Head returns one head's map over the patches, as a view without copying.
func (r ClassRow) Head(h int) Map {
	n := r.Rows * r.Cols
	return Map{Rows: r.Rows, Cols: r.Cols, Values: r.Weights[h*n : (h+1)*n]}
}

// Map reduces the heads to one map of softmax weights, [rows, cols]. The mean
// is accumulated in float64, so that it doesn't depend on the heads' order.
func (r ClassRow) Map(heads Heads) (Map, error) {
	n := r.Rows * r.Cols
	out := Map{Rows: r.Rows, Cols: r.Cols, Values: make([]float32, n)}
	if heads.kind == "head" {
		h, err := Index(heads.index, r.Heads, "head")
		if err != nil {
			return Map{}, err
		}
		copy(out.Values, r.Head(h).Values)
		return out, nil
	}
	for i := range n {
		sum, low, top := 0.0, r.Weights[i], float32(0)
		for h := range r.Heads {
			v := r.Weights[h*n+i]
			sum += float64(v)
			low, top = min(low, v), max(top, v)
		}
		switch heads.kind {
		case "max":
			out.Values[i] = top
		case "min":
			out.Values[i] = low
		default:
			out.Values[i] = float32(sum / float64(r.Heads))
		}
	}
	return out, nil
}

// OnPatches returns, for every head, the share of the [class] query's attention that is
// on patches; the rest, up to 1, is on other tokens.
func (r ClassRow) OnPatches() []float64 {
	out := make([]float64, r.Heads)
	for h := range out {
		out[h] = r.Head(h).Sum()
	}
	return out
}

// Entropies returns the entropy in bits of every head's map over the patches.
func (r ClassRow) Entropies() []float64 {
	out := make([]float64, r.Heads)
	for h := range out {
		out[h] = r.Head(h).Entropy()
	}
	return out
}

func sortDescending(v []float32) {
	slices.SortFunc(v, func(a, b float32) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
}
