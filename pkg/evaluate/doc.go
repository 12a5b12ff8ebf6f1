// Package evaluate measures a classifier: accuracy with an interval, overall and per
// class, the confusion of classes, calibration, the worst mistakes, and the comparison
// with another classifier. It knows logits and labels, not how a model computes them.
//
// [Predict] computes [Predictions] (logits and labels) from a model and a data set.
// [New] turns them into a [Report]: numbers, which can be written as JSON, and figures
// drawn by package plots.
package evaluate
