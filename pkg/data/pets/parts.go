package pets

import "gaze/pkg/data/internal/draw"

// What a sample of the canvas shows.
const (
	scenery draw.Label = iota // background, and what stands in front of the animal
	tail
	farLeg
	body
	haunch
	nearLeg
	chest
	bodyLine // outlines and trimmings of the body
	head
	ear
	muzzle
	face // eyes, nose, mouth, whiskers, outlines and trimmings of the head
)

// headParts and animalParts are what the two masks are made of.
var (
	headParts   = draw.On(head, ear, muzzle, face)
	animalParts = headParts | draw.On(tail, farLeg, body, haunch, nearLeg, chest, bodyLine)
)
