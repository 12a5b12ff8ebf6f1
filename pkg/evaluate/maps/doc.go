// Package maps measures whether maps over photographs lie on what they should show: the
// pet's mask, or the box around its head. It scores the pointing game, the map's energy
// inside, and the intersection over union, on the pixels that the model saw, with
// intervals, beside what chance, a Gaussian in the middle and the mask itself get.
//
// Start with [Evaluate] on the pictures of a [data.Truth]; [Areas.Score] scores one map.
// It knows maps as numbers on a grid; how they are made, a [Mapper] knows.
package maps
