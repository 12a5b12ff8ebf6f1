// Package nn is what Gaze's models are made of: linear layers, norms and attention as
// parts of a graph, a model's parameters and where a checkpoint keeps them, and the
// compiled programs that run on a backend. It knows how each of these is computed
// fastest: where the backend has Gaze's kernels ([backend.Kernels]) and numbers are
// float32, a layer and its gradient are one call of a kernel each; elsewhere GoMLX's
// operations compute the same, to rounding. It knows no model: architectures,
// checkpoint layouts and pictures belong to packages vit and caption.
//
// Functions that build graphs panic if shapes don't fit, as all of GoMLX's do.
package nn
