// Package evaluate measures how good a classifier is and how certain that is: accuracy
// with confidence intervals, overall and by class, the confusion matrix, calibration, the
// pictures with the largest loss, and whether another classifier is better.
//
// It starts from [Predictions], which are logits and labels; [Predict] computes them from a
// model and a data set. [New] turns them into a [Report], which has numbers, to be written
// as JSON, and figures for package plots. The package doesn't know how a model was trained.
package evaluate
