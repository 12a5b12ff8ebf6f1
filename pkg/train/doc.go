// Package train fits networks to pictures: optimisers, clipping, schedules,
// accumulation and averaging to torch's and timm's definitions, proven against
// them.
//
// A [Trainer] takes a [Network] (for a Vision Transformer, [ViT]) and [Options]
// and is fed batches:
//
//	t, err := train.NewTrainer(backend, network, options)
//	for batch := range batches {
//		m, err := t.Step(batch.Images, batch.Labels)
//	}
//
// Weights, gradients and optimiser state stay on the device from step to step.
// [Fit] makes a run of it: a folder with checkpoints, metrics and the best
// weights, which resumes where it stopped. [FineTune] is such a run of a Vision
// Transformer on a data set, as 'gaze train' makes it: with pictures held out to
// validate on, in one stage or two, and to be extended. docs/training.md explains it.
//
// [Trainer.State] is everything as named tensors and [Trainer.Restore] takes it
// back: training goes on to the same bits. Whatever is random (stochastic depth)
// is drawn on the host from the seed and the number of the batch.
package train
