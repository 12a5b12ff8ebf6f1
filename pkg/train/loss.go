package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
)

// Loss is what training minimises, and how the result is evaluated. [Classification]
// makes the usual one; [CustomLoss] makes one of any graph.
type Loss struct {
	// inputs are the values that graph takes from a batch of pictures beside the images.
	inputs func(b Batch, pictures int) ([]Values, error)
	// graph builds the loss of a batch in training.
	graph func(scope *model.Scope, images *Node, inputs []*Node, how nn.Training) Score
	// outputs builds what evaluate needs from the network. Its inputs are Batch.Inputs.
	outputs func(scope *model.Scope, images *Node, inputs []*Node) *Node
	// evaluate adds the outputs for a batch to a total.
	evaluate func(b Batch, outputs []float32, total *sums) error
	// fixed means that graph can't be built in another way than it is, as nn.Training
	// asks for.
	fixed bool
	// divisible means that the loss is a mean over pictures, that pictures whose inputs are
	// their fill add nothing to it, and that outputs has a row for each picture: so a batch
	// can be divided among devices.
	divisible bool
}

// Score is how well a network does on a batch. All three are scalars.
type Score struct {
	Loss    *Node // to be minimised: a mean, so that the size of a batch doesn't matter
	Correct *Node // how many answers are right
	Answers *Node // how many answers there are
}

// CustomLoss is the loss that a graph computes from a batch's images and its
// Batch.Inputs. Evaluation computes the same. The graph has no stochastic depth, is
// always in float32 and is never checkpointed.
func CustomLoss(graph func(scope *model.Scope, images *Node, inputs []*Node) Score) Loss {
	return Loss{
		fixed: true,
		inputs: func(b Batch, _ int) ([]Values, error) {
			if b.Labels != nil || b.Targets != nil {
				return nil, errors.New("the network doesn't classify: give its loss Batch.Inputs, not labels or targets")
			}
			return b.Inputs, b.checkInputs()
		},
		graph: func(scope *model.Scope, images *Node, inputs []*Node, _ nn.Training) Score {
			return graph(scope, images, inputs)
		},
		outputs: func(scope *model.Scope, images *Node, inputs []*Node) *Node {
			s := graph(scope, images, inputs)
			return Stack([]*Node{s.Loss, s.Correct, s.Answers}, 0)
		},
		evaluate: func(_ Batch, outputs []float32, total *sums) error {
			total.loss += float64(outputs[0]) * float64(outputs[2])
			total.correct += int(outputs[1])
			total.answers += int(outputs[2])
			return nil
		},
	}
}

// Classification is the cross entropy of logits, [batch, classes], with a batch's
// labels or targets. smoothing is the share of each target that is spread over all
// classes, from 0 to 1, as torch.nn.CrossEntropyLoss has it; at 1 the labels have no
// effect. Evaluation doesn't smooth. logits builds the graph for images [batch,
// channels, height, width]; the zero nn.Training is the one for inference.
func Classification(classes int, smoothing float64, logits func(scope *model.Scope, images *Node, how nn.Training) *Node) (Loss, error) {
	switch {
	case logits == nil:
		return Loss{}, errors.New("train: there is no network to train: it needs logits")
	case classes < 1:
		return Loss{}, errors.New("train: the network has no head: give it classes first")
	case !(smoothing >= 0 && smoothing <= 1):
		return Loss{}, fmt.Errorf("train: label smoothing of %g: it must lie between 0 and 1", smoothing)
	}
	return Loss{
		divisible: true,
		inputs:    func(b Batch, pictures int) ([]Values, error) { return classInputs(b, pictures, classes, smoothing) },
		graph: func(scope *model.Scope, images *Node, inputs []*Node, how nn.Training) Score {
			l := logits(scope, images, how)
			loss, correct := crossEntropy(l, inputs[0], inputs[1])
			return Score{loss, correct, Scalar(l.Graph(), l.DType(), l.Shape().Dim(0))}
		},
		outputs: func(scope *model.Scope, images *Node, _ []*Node) *Node { return logits(scope, images, nn.Training{}) },
		evaluate: func(b Batch, outputs []float32, total *sums) error {
			return evaluateClasses(outputs, b.Labels, classes, total)
		},
	}, nil
}

// classInputs are the smoothed targets, [batch, classes], and the class that counts as
// right, [batch]. Smoothed targets alone don't tell the class: at 1 they are all equal.
func classInputs(b Batch, pictures, classes int, smoothing float64) ([]Values, error) {
	if len(b.Inputs) > 0 {
		return nil, errors.New("the network classifies: give it labels or targets, not Batch.Inputs")
	}
	targets := b.Targets
	if targets == nil {
		var err error
		if targets, err = oneHot(b.Labels, classes); err != nil {
			return nil, err
		}
	}
	if len(targets) != pictures*classes {
		return nil, fmt.Errorf("%d target values for %d pictures of %d classes", len(targets), pictures, classes)
	}
	return []Values{
		{Shape: []int{pictures, classes}, Floats: smooth(targets, classes, smoothing)},
		{Shape: []int{pictures}, Floats: greatest(targets, classes), fill: -1}, // the class of none
	}, nil
}

// oneHot turns labels into targets [batch, classes].
func oneHot(labels []int, classes int) ([]float32, error) {
	targets := make([]float32, len(labels)*classes)
	for i, label := range labels {
		if label < 0 || label >= classes {
			return nil, fmt.Errorf("picture %d of the batch has label %d, the network has classes 0 to %d", i, label, classes-1)
		}
		targets[i*classes+label] = 1
	}
	return targets, nil
}

// smooth is label smoothing (Szegedy et al. 2016) as torch.nn.CrossEntropyLoss does it:
// the fraction of each target that is spread over all classes.
func smooth(targets []float32, classes int, fraction float64) []float32 {
	if fraction == 0 {
		return targets
	}
	out := make([]float32, len(targets))
	for i, v := range targets {
		out[i] = float32(float64(v)*(1-fraction) + fraction/float64(classes))
	}
	return out
}

// greatest is the class with the greatest target of each picture, the first among
// equals, as a float32: [batch].
func greatest(targets []float32, classes int) []float32 {
	best := make([]float32, len(targets)/classes)
	for i := range best {
		row := targets[i*classes : (i+1)*classes]
		k := 0
		for c, v := range row {
			if v > row[k] {
				k = c
			}
		}
		best[i] = float32(k)
	}
	return best
}

// crossEntropy builds the mean cross entropy over the batch, and the number of pictures
// whose greatest logit is that of their class. logits and targets: [batch, classes];
// classes: [batch].
func crossEntropy(logits, targets, classes *Node) (loss, correct *Node) {
	each := Neg(ReduceSum(Mul(targets, LogSoftmax(logits, -1)), -1))
	hits := Equal(ConvertDType(ArgMax(logits, -1), classes.DType()), classes)
	return ReduceAllMean(each), ReduceAllSum(ConvertDType(hits, logits.DType()))
}

// evaluateClasses adds logits, [batch, classes], to a total.
func evaluateClasses(logits []float32, labels []int, classes int, total *sums) error {
	if len(labels)*classes != len(logits) {
		return fmt.Errorf("a batch of %d pictures has %d labels", len(logits)/classes, len(labels))
	}
	for i, label := range labels {
		if label < 0 || label >= classes {
			return fmt.Errorf("label %d, the network has classes 0 to %d", label, classes-1)
		}
		loss, right := classify(logits[i*classes:(i+1)*classes], label)
		total.loss += loss
		if total.answers++; right {
			total.correct++
		}
	}
	return nil
}

// classify is the cross entropy of one picture's logits in float64, and whether the
// greatest logit, the first among equals, is the label's.
func classify(logits []float32, label int) (loss float64, right bool) {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	top, sum := float64(logits[best]), 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - top)
	}
	return math.Log(sum) + top - float64(logits[label]), best == label
}

// dropPathMask draws the mask of stochastic depth, [branches, batch]: 0 for a branch
// that a picture skips, otherwise 1 over the probability that it doesn't skip it. The
// seed and the number of the batch decide it.
func dropPathMask(rates []float64, batch int, seed, number uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, number))
	mask := make([]float32, len(rates)*batch)
	for b, rate := range rates {
		for i := range batch {
			if u := r.Float64(); u >= rate {
				mask[b*batch+i] = float32(1 / (1 - rate))
			}
		}
	}
	return mask
}
