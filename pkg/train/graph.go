package train

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
)

// The scalars of an update: these, then the optimiser's of every group.
const (
	scalarShare   = iota // what the accumulated gradients are multiplied by
	scalarDecay          // of the average
	scalarEnters         // 1 less that
	commonScalars        // their number
)

// stepGraph is a step that updates at once. Inputs: backward's, scalars. Output:
// loss, correct, answers, norm of the gradients.
func (t *Trainer) stepGraph(_ *model.Scope, inputs []*Node) []*Node {
	last := len(inputs) - 1
	o, gradients := t.backward(inputs[:last])
	norm := t.update(inputs[last], gradients)
	return []*Node{Stack([]*Node{o.Loss, o.Correct, o.Answers, norm}, 0)}
}

// accumulateGraph adds a batch's gradients to those that wait. Inputs: backward's, and
// whether any wait: what they are when none do is of no account. Output: loss, correct,
// answers.
func (t *Trainer) accumulateGraph(_ *model.Scope, inputs []*Node) []*Node {
	last := len(inputs) - 1
	o, gradients := t.backward(inputs[:last])
	waits := element(inputs[last], 0)
	for i, p := range t.trained() {
		waiting := p.gradient.NodeValue(o.Loss)
		waiting = Where(GreaterThan(waits, ScalarZero(waits.Graph(), waits.DType())), waiting, ZerosLike(waiting))
		p.gradient.SetNodeValue(Add(waiting, gradients[i]))
	}
	return []*Node{Stack([]*Node{o.Loss, o.Correct, o.Answers}, 0)}
}

// applyGraph updates with the gradients that wait. Input: scalars. Output: norm of the
// gradients.
func (t *Trainer) applyGraph(_ *model.Scope, inputs []*Node) []*Node {
	scalars := inputs[0]
	share := element(scalars, scalarShare)
	var gradients []*Node
	for _, p := range t.trained() {
		gradients = append(gradients, Mul(p.gradient.NodeValue(scalars), share))
	}
	return []*Node{Reshape(t.update(scalars, gradients), 1)}
}

// logitsGraph runs the network with the weights in a scope; nothing is dropped.
// Of a network with an objective the output is loss, correct, answers.
func (t *Trainer) logitsGraph(scope string) func(*model.Scope, []*Node) []*Node {
	return func(_ *model.Scope, inputs []*Node) []*Node {
		if t.net.Objective != nil {
			o := t.objective(t.store.Scope("/"+scope), inputs, nn.Training{})
			return []*Node{Stack([]*Node{o.Loss, o.Correct, o.Answers}, 0)}
		}
		return []*Node{t.net.Logits(t.store.Scope("/"+scope), inputs[0], nn.Training{})}
	}
}

// backward runs the network on a batch and differentiates the mean loss by the
// trained weights. Inputs: images; targets, classes, and factors if branches are
// dropped, or those of the network's objective.
func (t *Trainer) backward(inputs []*Node) (o Objective, gradients []*Node) {
	how := nn.Training{BFloat16: t.opt.Precision == BFloat16, Checkpoint: t.opt.Checkpointing}
	o = t.objective(t.store.Scope("/"+weightScope), inputs, how)
	var by []*Node
	for _, p := range t.trained() {
		by = append(by, p.weight.NodeValue(o.Loss))
	}
	return o, Gradient(o.Loss, by...)
}

// objective runs the network with the weights of a scope. Inputs as backward's.
func (t *Trainer) objective(scope *model.Scope, inputs []*Node, how nn.Training) Objective {
	if t.net.Objective != nil {
		return t.net.Objective(scope, inputs[0], inputs[1:], how)
	}
	if len(inputs) > 3 {
		how.DropPath = inputs[3]
	}
	logits := t.net.Logits(scope, inputs[0], how)
	loss, correct := lossAndCorrect(logits, inputs[1], inputs[2])
	return Objective{loss, correct, Scalar(logits.Graph(), logits.DType(), logits.Shape().Dim(0))}
}

// update clips the gradients, sets every trained weight, its slots and its
// average, and returns the norm of all gradients before clipping.
func (t *Trainer) update(scalars *Node, gradients []*Node) (norm *Node) {
	norm = globalNorm(gradients)
	if t.opt.ClipNorm > 0 {
		gradients = clip(gradients, norm, t.opt.ClipNorm)
	}
	for i, p := range t.trained() {
		var slots []*Node
		for _, v := range p.slots {
			slots = append(slots, v.NodeValue(scalars))
		}
		weight, slots := t.opt.Optimizer.update(t.groupScalars(scalars, p.group), slots, p.weight.NodeValue(scalars), gradients[i])
		p.weight.SetNodeValue(weight)
		for k, v := range p.slots {
			v.SetNodeValue(slots[k])
		}
		if p.average != nil {
			old := Mul(p.average.NodeValue(scalars), element(scalars, scalarDecay))
			p.average.SetNodeValue(Add(old, Mul(weight, element(scalars, scalarEnters))))
		}
	}
	return norm
}

// globalNorm is the Euclidean norm of all gradients together.
func globalNorm(gradients []*Node) *Node {
	var sum *Node
	for _, g := range gradients {
		s := ReduceAllSum(Square(g))
		if sum == nil {
			sum = s
		} else {
			sum = Add(sum, s)
		}
	}
	return Sqrt(sum)
}

// clip scales the gradients to a norm of at most bound, as
// torch.nn.utils.clip_grad_norm_ does: by bound/(norm+1e-6), never up.
func clip(gradients []*Node, norm *Node, bound float64) []*Node {
	factor := MinScalar(Div(Scalar(norm.Graph(), norm.DType(), bound), AddScalar(norm, 1e-6)), 1.0)
	clipped := make([]*Node, len(gradients))
	for i, g := range gradients {
		clipped[i] = Mul(g, factor)
	}
	return clipped
}

// trained is the parameters that aren't frozen.
func (t *Trainer) trained() []*parameter {
	var list []*parameter
	for _, p := range t.params {
		if !p.frozen {
			list = append(list, p)
		}
	}
	return list
}

// element is one value of a vector, as a scalar.
func element(vector *Node, i int) *Node {
	return Reshape(Slice(vector, AxisElem(i)))
}

// groupScalars is the optimiser's scalars for a group.
func (t *Trainer) groupScalars(scalars *Node, group int) []*Node {
	n := (scalars.Shape().Dim(0) - commonScalars) / len(t.groups)
	list := make([]*Node, n)
	for i := range list {
		list[i] = element(scalars, commonScalars+group*n+i)
	}
	return list
}
