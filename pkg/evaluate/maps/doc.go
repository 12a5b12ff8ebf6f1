// Package maps measures whether maps over photographs lie on what they should show: the
// pet's mask, or the box around its head. It scores the pointing game, the map's energy
// inside, and the intersection over union, on the pixels that the model saw, with
// intervals, beside what chance, a Gaussian in the middle and the mask itself get.
//
// Start with [Evaluate] on the pictures of a [data.Truth]; [Areas.Score] scores one map.
// It knows maps as numbers on a grid; how they are made, a [Mapper] knows.
//
// A [Judge] scores the maps of a league's entrants by one family of metrics. What a metric
// of faithfulness says depends on how parts of a picture are removed ([Operator]): gaps of
// one colour are read as objects, a gap's shape tells something of the class, and a
// saturated probability hides what is lost. Hence several operators, and losses in logit
// beside probabilities. Similarities of magnitudes are higher than those of signed maps.
package maps
