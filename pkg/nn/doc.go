// Package nn holds what the models in pkg/vit and pkg/caption share, so far how a
// graph for training differs from one for inference.
package nn
