package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// Options says how a network is trained.
type Options struct {
	Optimizer Optimizer
	Schedule  Schedule // learning rate by update of the trainer
	Rules     []Rule   // exceptions for some parameters; nil: all are treated alike

	// ClipNorm is the largest norm of all gradients together, as in
	// torch.nn.utils.clip_grad_norm_; 0 means no limit.
	ClipNorm float64
	// Accumulate is the number of batches in an update; 0 and 1 both mean one. The mean
	// loss of every batch has the same weight, whatever the batch's size.
	Accumulate int
	// DivideByAccumulate divides the gradients of an incomplete group by Accumulate too,
	// as loops do that scale each loss by 1/Accumulate. Without it they are divided by
	// the number of batches in the group.
	DivideByAccumulate bool

	// Precision is that of the matrix products in a step; the zero value is Float32.
	Precision Precision
	// Checkpointing keeps only the input of each block and computes the block again for
	// its gradients: less memory for one more forward pass, and the same numbers except
	// for rounding. Two steps of ViT-S/16 with AdamW on 16 pictures of 224×224, with XLA
	// on two shared cores, peaked at 1.67 and 1.76 GB instead of 2.79 and 2.91; with
	// compilation they took 27 and 22 s of processor time instead of 19 and 20.
	Checkpointing bool

	Average *Average // nil: no average is kept
	Seed    uint64   // of stochastic depth

	// Devices is the number of devices that share each batch, in equal parts; 0 and 1 both
	// mean one. Each holds the weights and the optimiser's state. The updates are those of
	// one device up to the rounding of sums, and have the same bits for the same number of
	// devices.
	Devices int

	// Peers are the processes that share each batch; nil: this one alone. All train with the
	// same network, options and batches, each on its part.
	Peers Peers
}

func (o Options) validate() error {
	switch {
	case o.Optimizer == nil:
		return errors.New("no optimiser is given")
	case o.Schedule == nil:
		return errors.New("no schedule is given")
	case !(o.ClipNorm >= 0) || math.IsInf(o.ClipNorm, 0):
		return fmt.Errorf("gradients can't be clipped to a norm of %g: it must be finite and not negative", o.ClipNorm)
	case o.Accumulate < 0:
		return fmt.Errorf("%d batches can't make an update: give at least 1", o.Accumulate)
	}
	return errors.Join(o.Optimizer.validate(), o.Average.validate())
}

// Precision is the precision of the matrix products in a training step. Everything else
// is float32 in any case: weights, the optimiser's state, what is saved, validation and
// [Trainer.Outputs].
type Precision uint8

const (
	// Float32 computes everything in float32.
	Float32 Precision = iota
	// BFloat16 rounds the factors and the results of matrix products to bfloat16, as
	// torch.autocast(dtype=torch.bfloat16) does: 8 significant bits instead of 24 with
	// the same range, so that the loss needs no scaling. It is faster on cards with
	// bfloat16 units and slower on XLA's CPU backend.
	BFloat16
)

// String is the name that [ParseSettings] knows.
func (p Precision) String() string {
	switch p {
	case Float32:
		return "float32"
	case BFloat16:
		return "bfloat16"
	}
	return fmt.Sprintf("Precision(%d)", uint8(p))
}

// check makes sure that the backend has the precision.
func (p Precision) check(backend compute.Backend) error {
	switch {
	case p > BFloat16:
		return fmt.Errorf("there is no %s: choose Float32 or BFloat16", p)
	case p == BFloat16 && !backend.Capabilities().DTypes[dtypes.BFloat16]:
		return fmt.Errorf("%s has no bfloat16: train in float32", backend.Description())
	}
	return nil
}

// Metrics is the result of a step.
type Metrics struct {
	Loss    float64 // mean over the batch, smoothing included
	Correct int     // right answers; of a classifier, pictures whose greatest logit is that of the greatest target before smoothing
	Answers int     // number of answers: the pictures, or what the network's loss counts
	Batch   int     // pictures

	Updated  bool    // whether this step changed the weights
	Update   int     // number of updates so far
	GradNorm float64 // norm of all gradients before clipping, if updated
	Rate     float64 // learning rate of the update, if updated
}

// add takes the loss, the right answers and the number of answers from a step's results on
// each of the devices. Parts that are filled up count more answers than there are pictures.
func (m *Metrics) add(out []float32, devices int) {
	each := len(out) / devices
	for d := range devices {
		of := out[d*each:]
		m.Loss += float64(of[0])
		m.Correct += int(of[1])
		m.Answers += int(of[2])
	}
	if devices > 1 {
		m.Answers = m.Batch
	}
}

// check returns an error for metrics that aren't finite.
func (m Metrics) check() error {
	if sum := m.Loss + m.GradNorm; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return &NotFiniteError{m}
	}
	return nil
}

// NotFiniteError says that training broke down: the loss or the gradients are NaN or
// infinite. The weights are useless then; go back to a saved state.
type NotFiniteError struct{ Metrics }

// ErrNotFinite is every error that says that training broke down: a [*NotFiniteError], or
// answers that are NaN when the network is evaluated.
var ErrNotFinite = errors.New("train: training broke down")

// Is reports that the error is an ErrNotFinite.
func (e *NotFiniteError) Is(target error) bool { return target == ErrNotFinite }

// brokeDown makes an error an ErrNotFinite.
type brokeDown struct{ error }

func (brokeDown) Is(target error) bool { return target == ErrNotFinite }

func (e *NotFiniteError) Error() string {
	if e.Updated {
		return fmt.Sprintf("train: at update %d (learning rate %g) the loss is %g and the norm of the gradients %g: the learning rate is too high, or the pictures hold NaN", e.Update, e.Rate, e.Loss, e.GradNorm)
	}
	return fmt.Sprintf("train: after update %d the loss is %g: the learning rate is too high, or the pictures hold NaN", e.Update, e.Loss)
}
