package explain

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/vit"
)

// pass is a forward pass while its graph is built, with what a method explains.
type pass struct {
	*vit.Explained
	cfg      vit.Config
	settings Settings
	start    *Node // [batch, tokens]: weights of the tokens that the answer is read from, or of the query
	classes  *Node // int32 [batch, 2]: the class and the one it is held against; -1: the predicted one, none
	weights  *Node // [batch, classes]: the score is the sum of the logits, weighted by these; nil without a head

	checks []check
}

// check is something that must be finite in every picture, and mustn't be all zero.
type check struct {
	what    string
	max     *Node // [batch]: the greatest magnitude
	nonzero bool
}

// score is the sum over the pictures of the logit of the class, less that of the one it is
// held against. A sum, so that pictures don't share a gradient's scale.
func (p *pass) score(logits *Node) *Node { return ReduceAllSum(Mul(logits, p.weights)) }

// choose makes the weights of the classes.
func (p *pass) choose() {
	if p.Logits == nil {
		return
	}
	n := p.Logits.Shape().Dim(-1)
	g := p.Logits.Graph()
	predicted := ArgMax(StopGradient(p.Logits), -1, dtypes.Int32)
	class, against := Squeeze(SliceAxis(p.classes, 1, AxisRange(0, 1)), 1), Squeeze(SliceAxis(p.classes, 1, AxisRange(1, 2)), 1)
	class = Where(LessThan(class, ScalarZero(g, dtypes.Int32)), predicted, class)
	all := Iota(g, shapes.Make(dtypes.Int32, 1, n), 1)
	hot := func(c *Node) *Node {
		return ConvertDType(Equal(ExpandAxes(c, -1), all), dtypes.Float32) // -1 is no class's number
	}
	p.weights = Sub(hot(class), hot(against))
}

// gradients are those of the class's score with respect to nodes, which it must depend
// on. what names them in errors, with the block's number.
func (p *pass) gradients(what string, of ...*Node) []*Node {
	return p.gradientsOf(p.score(p.Logits), what, of...)
}

// gradientsOf are the gradients of a scalar.
func (p *pass) gradientsOf(score *Node, what string, of ...*Node) []*Node {
	g := Gradient(score, of...)
	for i, n := range g {
		name := what
		if len(g) > 1 {
			name = fmt.Sprintf("%s of layer %d", what, i)
		}
		p.checks = append(p.checks, check{"the gradient of " + name, magnitude(n), true})
	}
	return g
}

// probabilities are the attention probabilities of every block.
func (p *pass) probabilities() []*Node {
	var all []*Node
	for _, b := range p.Blocks {
		all = append(all, b.Probabilities)
	}
	return all
}

// patches is the part of x, [batch, tokens, ...], that belongs to patches.
func (p *pass) patches(x *Node) *Node { return SliceAxis(x, 1, AxisRangeToEnd(p.cfg.Prefix())) }

// through passes weights of tokens, [batch, tokens], through a matrix between tokens,
// [batch, queries, keys]. A map of one query needs no product of two such matrices.
func through(v, matrix *Node) *Node { return Einsum("bq,bqk->bk", v, matrix) }

// meanHeads is the mean over the heads of x, [batch, heads, ...].
func meanHeads(x *Node) *Node { return ReduceMean(x, 1) }

// positive is x where it is positive, else zero.
func positive(x *Node) *Node { return Max(x, ZerosLike(x)) }

// magnitude is the greatest absolute value of each picture, [batch].
func magnitude(x *Node) *Node {
	return ReduceMax(Abs(Reshape(x, x.Shape().Dim(0), -1)), 1)
}

// heads combines the heads of x, [batch, heads, ...], as the settings say.
func (p *pass) heads(x *Node) *Node {
	switch h := p.settings.Heads; h.kind {
	case "mean":
		return meanHeads(x)
	case "max":
		return ReduceMax(x, 1)
	case "min":
		return Neg(ReduceMax(Neg(x), 1))
	case "head":
		i, err := Index(h.index, x.Shape().Dim(1), "head")
		if err != nil {
			panic(err)
		}
		return Squeeze(SliceAxis(x, 1, AxisElem(i)), 1)
	}
	exceptions.Panicf("explain: heads %v", p.settings.Heads)
	return nil
}

// results are a program's results, in the order in which [job.pass] reads them: what was
// made, the logits if there is a head, what is checked.
func (p *pass) results(made *Node) ([]*Node, []check) {
	var checks []check
	for i, b := range p.Blocks {
		checks = append(checks, check{what: fmt.Sprintf("the output of layer %d", i), max: magnitude(b.Tokens)})
	}
	checks = append(checks, p.checks...)
	out := []*Node{made}
	if p.Logits != nil {
		out = append(out, Identity(p.Logits))
	}
	var maxima []*Node
	for _, c := range checks {
		maxima = append(maxima, c.max)
	}
	return append(out, Stack(maxima, 1)), checks
}

// verify reports the first thing of a picture that isn't finite, or that is all zero.
// maxima are what the checks found for this picture.
func verify(checks []check, maxima []float32) error {
	for i, c := range checks {
		switch v := float64(maxima[i]); {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return fmt.Errorf("%s isn't finite (%g): look for weights or pixels that are far too large", c.what, v)
		case c.nonzero && v == 0:
			return fmt.Errorf("%s is zero everywhere, so there is nothing to show: the score doesn't depend on it", c.what)
		}
	}
	return nil
}
