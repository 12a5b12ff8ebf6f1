package train

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// Optimizer turns gradients into new weights, to torch's definition: [SGD] or
// [Adam].
//
// What changes from update to update is computed on the host in float64, as torch
// does, and enters the graph as scalars, so that no schedule compiles a program twice.
type Optimizer interface {
	validate() error
	// slots names the state that is kept for each weight, which has the weight's shape
	// and starts at zero.
	slots() []string
	// scalars are the values that update needs at the step-th update, counted from 1;
	// their number is always the same.
	scalars(step int, rate, decayScale float64) []float64
	// update builds the new value and the new slots of one weight.
	update(s, slots []*Node, weight, gradient *Node) (*Node, []*Node)
}

// SGD is stochastic gradient descent as in torch.optim.SGD: the momentum buffer starts
// as the first gradient, the learning rate multiplies the buffer and not the gradient,
// and weight decay is added to the gradient.
type SGD struct {
	Momentum    float64 // 0: none
	Dampening   float64 // the gradient enters the buffer multiplied by 1-Dampening
	Nesterov    bool    // needs momentum and no dampening
	WeightDecay float64
}

func (o SGD) validate() error {
	switch {
	case !(o.Momentum >= 0) || !(o.WeightDecay >= 0) || math.IsInf(o.Momentum+o.WeightDecay+o.Dampening, 0) || math.IsNaN(o.Dampening):
		return fmt.Errorf("SGD with momentum %g, dampening %g and weight decay %g: momentum and decay can't be negative, and all must be finite", o.Momentum, o.Dampening, o.WeightDecay)
	case o.Nesterov && (o.Momentum == 0 || o.Dampening != 0):
		return fmt.Errorf("nesterov needs a momentum and no dampening, not momentum %g and dampening %g", o.Momentum, o.Dampening)
	}
	return nil
}

func (o SGD) slots() []string {
	if o.Momentum == 0 {
		return nil
	}
	return []string{"momentum_buffer"}
}

// scalars: the learning rate, the weight decay, and the gradient's factor in the buffer.
func (o SGD) scalars(step int, rate, decayScale float64) []float64 {
	enters := 1 - o.Dampening
	if step == 1 {
		enters = 1
	}
	return []float64{rate, o.WeightDecay * decayScale, enters}
}

func (o SGD) update(s, slots []*Node, weight, gradient *Node) (*Node, []*Node) {
	rate, decay, enters := s[0], s[1], s[2]
	if o.WeightDecay != 0 {
		gradient = Add(gradient, Mul(weight, decay))
	}
	var kept []*Node
	if o.Momentum != 0 {
		buffer := Add(MulScalar(slots[0], o.Momentum), Mul(gradient, enters))
		kept = []*Node{buffer}
		if o.Nesterov {
			gradient = Add(gradient, MulScalar(buffer, o.Momentum))
		} else {
			gradient = buffer
		}
	}
	return Sub(weight, Mul(gradient, rate)), kept
}

// Adam is Adam (Kingma and Ba 2014) as in torch.optim.Adam or, if Decoupled, AdamW
// (Loshchilov and Hutter 2017) as in torch.optim.AdamW. Eps is added to the root of the
// second moment after its bias is corrected. Start from [NewAdam] or [NewAdamW].
type Adam struct {
	Beta1, Beta2 float64
	Eps          float64
	WeightDecay  float64
	// Decoupled multiplies the weight by 1-rate·WeightDecay, which the moments don't
	// see. Otherwise the decay is added to the gradient.
	Decoupled bool
}

// NewAdam is Adam with torch's defaults: betas 0.9 and 0.999, epsilon 1e-8, no
// weight decay.
func NewAdam() Adam { return Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

// NewAdamW is AdamW with torch's defaults: Adam's, and a weight decay of 0.01.
func NewAdamW() Adam {
	return Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01, Decoupled: true}
}

func (o Adam) validate() error {
	for _, beta := range []float64{o.Beta1, o.Beta2} {
		if !(beta >= 0 && beta < 1) {
			return fmt.Errorf("an Adam with betas %g and %g: each must be at least 0 and less than 1", o.Beta1, o.Beta2)
		}
	}
	if !(o.Eps > 0) || !(o.WeightDecay >= 0) || math.IsInf(o.Eps+o.WeightDecay, 0) {
		return fmt.Errorf("an Adam with epsilon %g and weight decay %g: epsilon must be positive, the decay not negative", o.Eps, o.WeightDecay)
	}
	return nil
}

func (o Adam) slots() []string { return []string{"exp_avg", "exp_avg_sq"} }

// scalars: the learning rate divided by the first moment's bias correction, the root of
// the second's, and the decay: the factor of the weight if it is decoupled, otherwise
// that of the weight in the gradient.
func (o Adam) scalars(step int, rate, decayScale float64) []float64 {
	bias1 := 1 - math.Pow(o.Beta1, float64(step))
	bias2 := 1 - math.Pow(o.Beta2, float64(step))
	decay := o.WeightDecay * decayScale
	if o.Decoupled {
		decay = 1 - rate*decay
	}
	return []float64{rate / bias1, math.Sqrt(bias2), decay}
}

func (o Adam) update(s, slots []*Node, weight, gradient *Node) (*Node, []*Node) {
	rate, root2, decay := s[0], s[1], s[2]
	switch {
	case o.WeightDecay == 0:
	case o.Decoupled:
		weight = Mul(weight, decay)
	default:
		gradient = Add(gradient, Mul(weight, decay))
	}
	first := Add(slots[0], MulScalar(Sub(gradient, slots[0]), 1-o.Beta1))
	second := Add(MulScalar(slots[1], o.Beta2), MulScalar(Square(gradient), 1-o.Beta2))
	size := AddScalar(Div(Sqrt(second), root2), o.Eps)
	return Sub(weight, Mul(Div(first, size), rate)), []*Node{first, second}
}

// Average keeps an exponential moving average of the weights beside them, as
// timm's ModelEma: after each update average = decay·average + (1-decay)·weight.
type Average struct {
	Decay float64 // at least 0, less than 1; 0.9999 is usual for long runs
	// Warmup lets the decay grow to Decay, so that the average soon forgets the random
	// start (timm's ModelEmaV3 with use_warmup, gamma 1, power 2/3): after n updates it
	// is at most 1-n^(-2/3), which is 0 after the first.
	Warmup bool
}

func (a *Average) validate() error {
	if a != nil && !(a.Decay >= 0 && a.Decay < 1) {
		return fmt.Errorf("an average of decay %g: it must be at least 0 and less than 1", a.Decay)
	}
	return nil
}

// decay is the decay after the given number of updates.
func (a *Average) decay(updates int) float64 {
	if !a.Warmup {
		return a.Decay
	}
	return min(a.Decay, 1-math.Pow(float64(updates), -2.0/3))
}
