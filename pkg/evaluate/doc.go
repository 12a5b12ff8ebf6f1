// Package evaluate tells how well a classifier does, and how sure that is: its
// accuracy with an interval, in all and for each class, which classes it takes for
// which, whether its probabilities can be believed (calibration), where it is most
// wrong, and whether another one is better.
//
// It begins with [Predictions], logits and labels, which [Predict] makes of a model
// and a data set. [New] makes a [Report] of them: numbers, to be written as JSON,
// and figures of package plots.
package evaluate
