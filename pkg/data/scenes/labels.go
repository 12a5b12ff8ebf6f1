package scenes

import "gaze/pkg/data/internal/draw"

// What a sample of the canvas shows: a kind of scenery, or a part of a person,
// an animal or a thing.
const (
	sky draw.Label = iota
	ground
	far // mountains, sea, houses
	trees
	road
	table
	room     // walls, cupboards and floor of a kitchen
	firstOwn // of the labels that persons, animals and things are given
)
