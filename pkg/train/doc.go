// Package train trains networks on pictures. Its optimisers, clipping, schedules,
// accumulation and averaging are torch's and timm's, tested against them.
//
// It has three layers:
//
//   - A [Trainer] takes a [Network], which is weights and a [Loss], and [Options], and
//     makes steps. It knows no model: [ViT], [Probe] and [Captioner] make networks of
//     models. Weights, gradients and the optimiser's state stay on the device.
//   - [Fit] is a run in a folder, with checkpoints, metrics and the best weights. It can
//     be resumed.
//   - [FineTune] is a run that trains a Vision Transformer on a data set, as 'gaze train'
//     does: with pictures held out for validation, in one stage or two. docs/training.md
//     describes it.
//
// The first layer in short:
//
//	t, err := train.NewTrainer(backend, network, options)
//	for batch := range batches {
//		m, err := t.Step(train.Batch{Images: batch.Images, Labels: batch.Labels})
//	}
//
// The same seed gives the same bits. [Trainer.State] returns everything that training
// needs to continue as named tensors, and [Trainer.Restore] takes it back. Random numbers
// are drawn on the host from the seed and the number of the batch.
package train
