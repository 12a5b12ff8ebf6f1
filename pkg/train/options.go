package train

import (
	"errors"
	"fmt"
	"math"
)

// Options says how a network is trained.
type Options struct {
	Optimizer Optimizer
	Schedule  Schedule // learning rate by update of the trainer
	Rules     []Rule   // exceptions for some parameters; nil: all are treated alike

	// ClipNorm bounds the norm of all gradients together, as
	// torch.nn.utils.clip_grad_norm_ does; 0: no bound.
	ClipNorm float64
	// LabelSmoothing is the fraction of a target that is spread over all classes, from
	// 0 to 1, as torch.nn.CrossEntropyLoss has it. At 1 the labels play no part.
	LabelSmoothing float64
	// Accumulate is how many batches make one update; 0 and 1 mean each its own.
	// Every batch's mean loss counts alike, whatever its size.
	Accumulate int
	// DivideByAccumulate divides the gradients of an incomplete group too by
	// Accumulate, as loops do that scale each loss by 1/Accumulate. Without it they
	// are divided by the number of batches there were.
	DivideByAccumulate bool

	// Precision is that of the products of a step; the zero value is Float32.
	Precision Precision
	// Checkpointing keeps no more of each block than its input and computes the block
	// again where its gradients are: less memory for a forward pass more, and the
	// same numbers but for rounding. A process that made two steps of ViT-S/16 with
	// AdamW on 16 pictures of 224×224 by XLA on two shared cores had 1.67 and 1.76 GB
	// at most instead of 2.79 and 2.91; they and compiling took 27 and 22 s of the
	// processor's time instead of 19 and 20.
	Checkpointing bool

	Average *Average // nil: no average is kept
	Seed    uint64   // of stochastic depth
}

func (o Options) validate() error {
	switch {
	case o.Optimizer == nil:
		return errors.New("no optimiser is given")
	case o.Schedule == nil:
		return errors.New("no schedule is given")
	case !(o.ClipNorm >= 0) || math.IsInf(o.ClipNorm, 0):
		return fmt.Errorf("gradients can't be clipped to a norm of %g", o.ClipNorm)
	case !(o.LabelSmoothing >= 0 && o.LabelSmoothing <= 1):
		return fmt.Errorf("label smoothing of %g: it must lie between 0 and 1", o.LabelSmoothing)
	case o.Accumulate < 0:
		return fmt.Errorf("%d batches can't make an update", o.Accumulate)
	}
	return errors.Join(o.Optimizer.validate(), o.Average.validate())
}

// Metrics is what a step tells.
type Metrics struct {
	Loss    float64 // mean over the batch, smoothing included
	Correct int     // pictures whose greatest logit is that of the greatest target, before smoothing
	Answers int     // of how many: the pictures, or what the network's objective counts
	Batch   int     // pictures

	Updated  bool    // whether this step changed the weights
	Update   int     // number of updates so far
	GradNorm float64 // norm of all gradients before clipping, if updated
	Rate     float64 // learning rate of the update, if updated
}

// NotFiniteError says that training broke down: the loss or the gradients are
// NaN or infinite. The weights are then of no use; go back to a saved state.
type NotFiniteError struct{ Metrics }

func (e *NotFiniteError) Error() string {
	if e.Updated {
		return fmt.Sprintf("train: at update %d (learning rate %g) the loss is %g and the norm of the gradients %g: the learning rate is too high, or the pictures hold NaN", e.Update, e.Rate, e.Loss, e.GradNorm)
	}
	return fmt.Sprintf("train: after update %d the loss is %g: the learning rate is too high, or the pictures hold NaN", e.Update, e.Loss)
}
