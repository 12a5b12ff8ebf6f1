package train

import (
	"math"
	"strconv"
	"strings"
)

// Treatment is how one parameter is trained.
type Treatment struct {
	RateScale  float64 // multiplies the learning rate; 1 unless a rule says otherwise
	DecayScale float64 // multiplies the optimiser's weight decay; 1 unless a rule says otherwise
	Frozen     bool    // not trained at all: it gets no gradient and no optimiser state
}

// Rule changes the treatment of parameters by name and shape. Rules are applied in
// order.
type Rule func(name string, shape []int, t *Treatment)

// NoDecay exempts all that isn't a matrix from weight decay: biases, norms, layer
// scales, and the position embeddings and extra tokens of a Vision Transformer, as timm
// does.
func NoDecay() Rule {
	return func(name string, shape []int, t *Treatment) {
		if len(shape) <= 1 || isToken(name) {
			t.DecayScale = 0
		}
	}
}

// isToken reports whether a parameter is a learned token of a Vision Transformer, or its
// position embeddings.
func isToken(name string) bool {
	switch name {
	case "class_token", "dist_token", "registers", "positions":
		return true
	}
	return false
}

// LayerDecay multiplies the learning rate by factor once for each layer between a
// parameter and the head of a Vision Transformer of the given depth, as BEiT and timm
// do: the head learns at the full rate, the last block and the norm after it at factor
// times that, the embeddings at factor^(depth+1). A hybrid's stem is with the embeddings.
func LayerDecay(depth int, factor float64) Rule {
	return func(name string, _ []int, t *Treatment) {
		t.RateScale *= math.Pow(factor, float64(depth+1-layerOf(name, depth)))
	}
}

// stemModule begins the names of a hybrid's convolutional network.
const stemModule = "stem"

// layerOf numbers the layers: embeddings 0, block i is i+1, the head depth+1.
func layerOf(name string, depth int) int {
	first, _, _ := strings.Cut(name, "/")
	if index, ok := strings.CutPrefix(first, "block_"); ok {
		if i, err := strconv.Atoi(index); err == nil {
			return min(i+1, depth)
		}
	}
	switch {
	case first == "patch", first == "pre_norm", isToken(first), first == stemModule:
		return 0
	case first == "norm":
		return depth
	}
	return depth + 1
}

// Freeze freezes the parameters for which frozen is true.
func Freeze(frozen func(name string) bool) Rule {
	return func(name string, _ []int, t *Treatment) {
		t.Frozen = t.Frozen || frozen(name)
	}
}

// FreezeStem freezes the convolutional network of a hybrid Vision Transformer.
func FreezeStem() Rule {
	return Freeze(func(name string) bool { return strings.HasPrefix(name, stemModule+"/") })
}

// FreezeBackbone freezes everything except the heads, which makes a linear probe.
func FreezeBackbone() Rule {
	return Freeze(func(name string) bool {
		return !strings.HasPrefix(name, "head/") && !strings.HasPrefix(name, "head_dist/")
	})
}

// FreezeExceptLast freezes a Vision Transformer of the given depth except for its last n
// blocks, the norms after them, the pre-logits and the heads. Gradients end at the first
// block that learns, so that a step costs little more than a forward pass where n is small.
func FreezeExceptLast(depth, n int) Rule {
	return Freeze(func(name string) bool {
		first, _, _ := strings.Cut(name, "/")
		if index, ok := strings.CutPrefix(first, "block_"); ok {
			i, err := strconv.Atoi(index)
			return err == nil && i < depth-n
		}
		switch first {
		case "norm", "pool_norm", "pre_logits", "head", "head_dist":
			return false
		}
		return true
	})
}
