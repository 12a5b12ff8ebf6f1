package explain

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/caption"
)

// WordMethod is a way of explaining a word of a caption by a map over the picture.
type WordMethod struct {
	Name   string // as in flags: "chefer"
	Title  string // as in figures: "Chefer et al."
	Source string // the paper that the formula follows
	Advice string // when to use it, in one sentence
	Unit   string // what a cell's value is, as in a scale's label

	// OfWord says that the map explains the word's logit; the maps of other methods are of
	// the attention of the step, whatever the word.
	OfWord bool

	graph func(p *wordPass) *Node // a value for each cell, [rows, cells]
}

// WordMethods lists the methods, the cheapest first.
func WordMethods() []*WordMethod { return slices.Clone(wordMethods) }

// FindWordMethod returns the method of a name.
func FindWordMethod(name string) (*WordMethod, error) {
	var names []string
	for _, m := range wordMethods {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("there is no method %q for words: choose of %s", name, strings.Join(names, ", "))
}

var wordMethods = []*WordMethod{
	{Name: "attention", Title: "Attention", Unit: "attention weight of a cell", graph: wordAttention,
		Source: "the softmax weights of one decoder layer",
		Advice: "Shows which cells one layer reads; it isn't evidence for the word."},
	{Name: "rollout", Title: "Rollout", Unit: "share of the flow from a cell", graph: wordRollout,
		Source: "Abnar & Zuidema, Quantifying Attention Flow in Transformers, 2020, over encoder and decoder",
		Advice: "Follows attention through all layers; the same map whatever the word."},
	{Name: "gradcam", Title: "Attention Grad-CAM", OfWord: true, Unit: "weighted attention", graph: wordGradCAM,
		Source: "Selvaraju et al., Grad-CAM, 2017, on the last layer's attention to the picture",
		Advice: "Heads of the last layer, weighted by their mean gradient."},
	{Name: "chefer", Title: "Chefer et al.", OfWord: true, Unit: "relevance", graph: wordChefer,
		Source: "Chefer, Gur & Wolf, Generic Attention-model Explainability, 2021",
		Advice: "Attention weighted by its gradient, through encoder and decoder."},
	{Name: "chefer-decoder", Title: "Chefer et al., decoder alone", OfWord: true, Unit: "relevance", graph: wordCheferDecoder,
		Source: "Chefer, Gur & Wolf, 2021, with R_ii = I: the relevance of the encoder's outputs",
		Advice: "As chefer, but not spread by the encoder, so that maps stay sharp; a cell's output may hold what its neighbours showed."},
}

// wordPass is a pass over captions while its graph is built. Each row explains one word.
type wordPass struct {
	*caption.Explained
	settings Settings
	target   *Node // [rows, vocab]: 1 at the word's token, else 0
	checks   []check
}

// row is the row of the explained step of x, [rows, tokens, cells].
func (p *wordPass) row(x *Node) *Node { return Einsum("rtc,rt->rc", x, p.Step) }

// heads combines the heads of x, [rows, heads, ...], as the settings say.
func (p *wordPass) heads(x *Node) *Node { return (&pass{settings: p.settings}).heads(x) }

// score is the sum over the rows of the logit of each one's word. A sum, so that rows don't
// share a gradient's scale.
func (p *wordPass) score() *Node { return ReduceAllSum(Mul(p.Logits, p.target)) }

// gradients are those of the score with respect to lists of nodes, which it must depend on.
// what names each list in errors, with the layer's number.
func (p *wordPass) gradients(what []string, of ...[]*Node) [][]*Node {
	all := Gradient(p.score(), slices.Concat(of...)...)
	var out [][]*Node
	for i, list := range of {
		for layer, g := range all[:len(list)] {
			p.checks = append(p.checks, check{fmt.Sprintf("the gradient of %s in layer %d", what[i], layer), magnitude(g), true})
		}
		out, all = append(out, all[:len(list)]), all[len(list):]
	}
	return out
}

// results are what is checked, [rows, checks]: the outputs of all layers must be finite
// too.
func (p *wordPass) results() (*Node, []check) {
	var checks []check
	for i, b := range p.Memory.Encoder {
		checks = append(checks, check{what: fmt.Sprintf("the output of encoder layer %d", i), max: magnitude(b.Tokens)})
	}
	for i, l := range p.Decoder.Layers {
		checks = append(checks, check{what: fmt.Sprintf("the output of decoder layer %d", i), max: magnitude(l.Tokens)})
	}
	checks = append(checks, p.checks...)
	var maxima []*Node
	for _, c := range checks {
		maxima = append(maxima, c.max)
	}
	return Stack(maxima, 1), checks
}

// wordAttention is a decoder layer's softmax weights at the step, heads combined.
func wordAttention(p *wordPass) *Node {
	cross := p.Cross()
	layer, err := Index(*p.settings.Layer, len(cross), "decoder layer")
	if err != nil {
		panic(err)
	}
	return p.row(p.heads(cross[layer]))
}

// wordGradCAM is (E_h[w_h A_h])⁺ with A the last layer's attention to the picture at the
// step and w_h the mean over the cells of its gradient (Selvaraju et al., 2017).
func wordGradCAM(p *wordPass) *Node {
	cross := p.Cross()
	a := cross[len(cross)-1]
	g := p.gradients([]string{"the last attention to the picture"}, []*Node{a})[0][0]
	at := func(x *Node) *Node { return Einsum("rhtc,rt->rhc", x, p.Step) }
	weights := ReduceAndKeep(at(g), ReduceMean, -1)
	return positive(meanHeads(Mul(weights, at(a))))
}

// wordRollout follows attention through decoder and encoder (Abnar & Zuidema, 2020). Each
// attention is averaged with the identity for its residual connection. With C the flow from
// the encoder's inputs to its outputs and R that from the cells to the decoder's tokens,
// R ← ½(A+I)R at the decoder's self-attention and R ← ½R + ½AC at its attention to the
// picture. A row's sum is the share of the flow that comes from the picture.
func wordRollout(p *wordPass) *Node {
	v := p.Step // flow from the step's token down to the tokens of the layer below
	var cells *Node
	self, cross := p.Self(), p.Cross()
	for i := len(cross) - 1; i >= 0; i-- {
		half := MulScalar(v, 0.5)
		seen := through(half, normalised(p.heads(cross[i])))
		if cells == nil {
			cells = seen
		} else {
			cells = Add(cells, seen)
		}
		v = residual(half, p.heads(self[i]))
	}
	enc := p.Encoder()
	for i := len(enc) - 1; i >= 0; i-- {
		cells = residual(cells, p.heads(enc[i]))
	}
	return cells
}

// residual passes weights v through ½(A+I), its rows normalised.
func residual(v, a *Node) *Node {
	v = Div(v, AddScalar(ReduceSum(a, -1), 1))
	return Add(v, through(v, a))
}

// normalised divides each row by its sum; rows of zeros stay zero.
func normalised(a *Node) *Node {
	sum := ReduceAndKeep(a, ReduceSum, -1)
	return Div(a, Where(Equal(sum, ZerosLike(sum)), OnesLike(sum), sum))
}

// wordChefer is the generic relevance of Chefer, Gur & Wolf (ICCV 2021) for encoder and
// decoder, with Ā = E_h[(∇A⊙A)⁺] of each attention. From R_ii = I, R_qq = I, R_qi = 0:
//
//	encoder:          R_ii += Ā·R_ii
//	decoder, self:    R_qi += Ā·R_qi, R_qq += Ā·R_qq
//	decoder, picture: R_qi += R̄_qqᵀ·(Ā·R̄_ii)
//
// where R̄ is I plus R-I with its rows normalised. The map is R_qi's row of the step. R-I is
// computed in place of R: small values beside 1 would be lost.
func wordChefer(p *wordPass) *Node { return relevance(p, true) }

// wordCheferDecoder is [wordChefer] with R_ii = I.
func wordCheferDecoder(p *wordPass) *Node { return relevance(p, false) }

// relevance is R_qi's row of the step, with the encoder's part or without.
func relevance(p *wordPass, encoder bool) *Node {
	names := []string{"the decoder's attention to its tokens", "the decoder's attention to the picture", "the encoder's attention"}
	nodes := [][]*Node{p.Self(), p.Cross()}
	if encoder {
		nodes = append(nodes, p.Encoder())
	}
	gradients := p.gradients(names, nodes...)
	evidence := func(kind, layer int) *Node {
		return meanHeads(positive(Mul(nodes[kind][layer], gradients[kind][layer])))
	}
	var image, tokens, reached *Node // R_ii-I, R_qq-I, R_qi; nil: zero
	if encoder {
		for i := range nodes[2] {
			image = plusProduct(image, evidence(2, i))
		}
	}
	if image != nil { // there are encoder layers
		image = normalised(image)
	}
	for i := range nodes[0] {
		self := evidence(0, i)
		if reached != nil {
			reached = Add(reached, product(self, reached))
		}
		tokens = plusProduct(tokens, self)
		seen := evidence(1, i)
		if image != nil {
			seen = Add(seen, product(seen, image))
		}
		seen = Add(seen, Einsum("rst,rsc->rtc", normalised(tokens), seen))
		if reached == nil {
			reached = seen
		} else {
			reached = Add(reached, seen)
		}
	}
	return p.row(reached)
}

// plusProduct is (I+d) + a(I+d) - I, where d may be nil for zero.
func plusProduct(d, a *Node) *Node {
	if d == nil {
		return a
	}
	return Add(Add(d, a), product(a, d))
}

// product is the product of two matrices in each row.
func product(a, b *Node) *Node { return Einsum("rij,rjk->rik", a, b) }
