package train

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gaze/pkg/transform"
)

// Settings decide how a run trains. [ParseSettings] reads them from a line of text, whose
// names for them are in brackets.
type Settings struct {
	Rate       float64 // [lr] learning rate
	Epochs     int     // [epochs]
	Batch      int     // [batch] pictures in a batch
	Accumulate int     // [accumulate] batches in an update
	Divide     bool    // [divide] Options.DivideByAccumulate
	Seed       uint64  // [seed] of everything random: head, order, transforms, mixing, stochastic depth

	Optimizer   string  // [optimizer] adam, adamw or sgd
	WeightDecay float64 // [weight_decay] adamw's is decoupled
	NoDecay     bool    // [no_decay] biases, norms, tokens and positions have no weight decay
	Momentum    float64 // [momentum] sgd's
	Nesterov    bool    // [nesterov] sgd's
	Beta1       float64 // [beta1] adam's and adamw's, like the next two
	Beta2       float64 // [beta2]
	Eps         float64 // [eps]

	Schedule  string  // [schedule] constant, cosine or linear
	Floor     float64 // [floor] learning rate that cosine and linear end at
	Warmup    float64 // [warmup] epochs, also fractions, in which the rate rises from 0
	Clip      float64 // [clip] largest norm of the gradients; 0: no limit
	Smoothing float64 // [smoothing] of labels
	EMA       float64 // [ema] decay of the weights' moving average, with warm-up; 0: none

	DropPath   float64 // [droppath] stochastic depth of the last block
	LayerDecay float64 // [layerdecay] factor of the rate from layer to layer; 1: none
	Freeze     string  // [freeze] none; stem: a hybrid's convolutional network stays as it is; backbone: only the head learns; blocks:N: the last N blocks, the last norm and the head learn
	Probe      bool    // [probe] like freeze=backbone, on features that are computed once
	Mixup      float64 // [mixup] alpha of Mixup; 0: none
	CutMix     float64 // [cutmix] alpha of CutMix; 0: none

	Precision  string // [precision] float32 or bfloat16; "" is float32; see Options.Precision
	Checkpoint bool   // [checkpoint] Options.Checkpointing

	// Valid is the fraction of the training pictures that is held out for validation if
	// there are no other pictures for it; 0: none. [valid]
	Valid float64
	// HeadEpochs is the number of epochs, the first ones, that train only the head before
	// the rest train everything: linear probing, then fine-tuning (Kumar et al. 2022).
	// [head_epochs]
	HeadEpochs int
	HeadRate   float64 // [head_lr] constant learning rate of those epochs; 0: as lr
}

// DefaultSettings are the defaults; the optimiser is torch's Adam.
func DefaultSettings() Settings {
	return Settings{
		Rate: 1e-4, Epochs: 5, Batch: 16, Accumulate: 1, Seed: 1,
		Optimizer: "adam", Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
		Schedule: "constant", LayerDecay: 1, Freeze: "none", Precision: Float32.String(), Valid: 0.2,
	}
}

// check makes sure that the settings agree with each other.
func (s Settings) check() error {
	switch {
	case s.Optimizer == "sgd" && s.Nesterov && s.Momentum == 0:
		return fmt.Errorf("nesterov needs a momentum: add momentum=0.9")
	case s.Optimizer != "sgd" && (s.Momentum != 0 || s.Nesterov):
		return fmt.Errorf("momentum and nesterov belong to optimizer=sgd, this is %s: leave them out, or change the optimizer", s.Optimizer)
	case s.Floor > s.Rate:
		return fmt.Errorf("floor %g is above the learning rate %g: lower floor or raise lr", s.Floor, s.Rate)
	case s.Floor != 0 && s.Schedule == "constant":
		return fmt.Errorf("floor belongs to schedule=cosine and schedule=linear: add one of them, or leave floor out")
	case s.HeadEpochs > 0 && (s.Probe || s.Freeze == "backbone"):
		return fmt.Errorf("head_epochs is for runs that train everything after the head: leave it out, as only the head learns here")
	case s.HeadEpochs > 0 && s.HeadEpochs >= s.Epochs:
		return fmt.Errorf("head_epochs=%d leaves none of the %d epochs to train everything: choose more epochs, or freeze=backbone to train the head alone", s.HeadEpochs, s.Epochs)
	case s.HeadRate != 0 && s.HeadEpochs == 0:
		return fmt.Errorf("head_lr is the learning rate of head_epochs: add head_epochs=1")
	case s.Warmup > float64(s.Epochs-s.HeadEpochs):
		return fmt.Errorf("warmup of %g epochs is longer than the %d epochs there are: shorten it, or add epochs", s.Warmup, s.Epochs-s.HeadEpochs)
	case s.Probe && (s.Mixup > 0 || s.CutMix > 0):
		return fmt.Errorf("a probe learns from features that were computed once: pictures can't be mixed, so leave mixup and cutmix out")
	case (s.Probe || s.Freeze == "backbone") && (s.LayerDecay != 1 || s.DropPath != 0):
		return fmt.Errorf("droppath and layerdecay change nothing where only the head learns: leave them out")
	case s.Probe && s.lastBlocks() > 0:
		return fmt.Errorf("freeze=%s trains blocks, and a probe only the head: leave one of them out", s.Freeze)
	case s.Precision != "" && s.Precision != Float32.String() && s.Precision != BFloat16.String():
		return fmt.Errorf("precision is float32 or bfloat16, not %q", s.Precision)
	case s.Probe && (s.Precision == BFloat16.String() || s.Checkpoint):
		return fmt.Errorf("precision and checkpoint change nothing in a probe, which trains no block: leave them out")
	}
	return nil
}

// Updates is the number of updates in an epoch of the given number of batches.
func (s Settings) Updates(batches int) int {
	return (batches + s.Accumulate - 1) / s.Accumulate
}

// Options are the settings for a trainer of a network of depth blocks, with epochs of the
// given number of batches. With HeadEpochs they are those for the epochs after these.
// Smoothing and DropPath belong to the network; see [ViT].
func (s Settings) Options(batches, depth int) Options {
	o := Options{
		Optimizer: s.optimizer(), Schedule: s.schedule(batches),
		ClipNorm: s.Clip, Accumulate: s.Accumulate, DivideByAccumulate: s.Divide,
		Seed: s.Seed, Checkpointing: s.Checkpoint,
	}
	if s.NoDecay {
		o.Rules = append(o.Rules, NoDecay())
	}
	if s.LayerDecay != 1 {
		o.Rules = append(o.Rules, LayerDecay(depth, s.LayerDecay))
	}
	switch s.Freeze {
	case "stem":
		o.Rules = append(o.Rules, FreezeStem())
	case "backbone":
		o.Rules = append(o.Rules, FreezeBackbone())
	}
	if n := s.lastBlocks(); n > 0 {
		o.Rules = append(o.Rules, FreezeExceptLast(depth, n))
	}
	if s.Precision == BFloat16.String() {
		o.Precision = BFloat16
	}
	if s.EMA > 0 {
		o.Average = &Average{Decay: s.EMA, Warmup: true}
	}
	return o
}

// blocksPrefix is what Freeze begins with where some blocks learn.
const blocksPrefix = "blocks:"

// lastBlocks is the number of blocks that freeze=blocks:N trains; 0 for other values.
func (s Settings) lastBlocks() int {
	number, ok := strings.CutPrefix(s.Freeze, blocksPrefix)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return n
}

// Cost is about how much a training step costs, in forward passes, in a model of depth
// blocks: three where everything learns, one where only the head does, between them with
// freeze=blocks:N; a fourth for the blocks that checkpointing computes again.
func (s Settings) Cost(depth int) float64 {
	learns := 1.0
	if n := s.lastBlocks(); n > 0 {
		learns = float64(min(n, depth)) / float64(max(depth, 1))
	} else if s.Probe || s.Freeze == "backbone" {
		learns = 0
	}
	again := 0.0
	if s.Checkpoint {
		again = learns
	}
	return 1 + 2*learns + again
}

// checkDepth makes sure that the settings fit a model of depth blocks.
func (s Settings) checkDepth(depth int) error {
	if n := s.lastBlocks(); n > depth {
		return fmt.Errorf("freeze=%s: the model has only %d blocks; freeze=none trains everything", s.Freeze, depth)
	}
	return nil
}

func (s Settings) optimizer() Optimizer {
	if s.Optimizer == "sgd" {
		return SGD{Momentum: s.Momentum, Nesterov: s.Nesterov, WeightDecay: s.WeightDecay}
	}
	return Adam{Beta1: s.Beta1, Beta2: s.Beta2, Eps: s.Eps, WeightDecay: s.WeightDecay, Decoupled: s.Optimizer == "adamw"}
}

// headSettings are the settings of the epochs that train only the head.
func (s Settings) headSettings() Settings {
	if s.HeadRate != 0 {
		s.Rate = s.HeadRate
	}
	s.Freeze, s.Schedule, s.Floor, s.Warmup, s.DropPath, s.LayerDecay, s.HeadEpochs, s.HeadRate = "backbone", "constant", 0, 0, 0, 1, 0, 0
	return s
}

// schedule is the learning rate from the beginning of a run, or from the end of HeadEpochs.
func (s Settings) schedule(batches int) Schedule {
	warmup := int(math.Round(s.Warmup * float64(s.Updates(batches))))
	schedule := s.within((s.Epochs-s.HeadEpochs)*s.Updates(batches) - warmup)
	if warmup > 0 {
		schedule = Warmup(warmup, 1/float64(warmup+1), schedule)
	}
	return schedule
}

// within is the learning rate over the given number of updates, without warm-up.
func (s Settings) within(updates int) Schedule {
	switch s.Schedule {
	case "cosine":
		return Cosine(s.Rate, s.Floor, updates)
	case "linear":
		return Linear(s.Rate, s.Floor, updates)
	}
	return Constant(s.Rate)
}

// Mix is how batches are mixed, nil if they aren't. Every batch is mixed; if both Mixup and
// CutMix are set one of them is drawn for each batch, as in timm.
func (s Settings) Mix() *transform.Mix {
	if s.Mixup == 0 && s.CutMix == 0 {
		return nil
	}
	return &transform.Mix{MixupAlpha: s.Mixup, CutMixAlpha: s.CutMix, P: 1, Switch: 0.5}
}
