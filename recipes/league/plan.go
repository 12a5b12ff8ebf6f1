package main

// plan is how many pictures each measure looks at. Pictures are in an order in which breeds
// take turns, so the first 37 have one of each.
type plan struct {
	Localised  int // truth and localisation
	Singles    int // single deletion, random subsets
	Curves     int // curves of removal
	Costly     int // maps of methods that cost more than cheapest
	Sane       int // sanity
	Mosaics    int // GridPG
	Validation int // the choice of settings
	Seeds      int // of the models on drawn pets
	Photos     int // photographs of pets37: at most
	PhotoMaps  int // of them, for costly methods, curves and the rest
	PhotoSane  int
	Heads      int // training photographs whose heads are known: at most
	Saliency   int // photographs of the saliency model: at most
	Resamples  int
}

var (
	// full takes about 90 minutes on two cores.
	full = plan{Localised: 1110, Singles: 370, Curves: 185, Costly: 185, Sane: 37, Mosaics: 185, Validation: 185, Seeds: 3,
		Photos: 135, PhotoMaps: 64, PhotoSane: 13, Heads: 370, Saliency: 500, Resamples: 10000}
	small = plan{Localised: 37, Singles: 16, Curves: 16, Costly: 16, Sane: 4, Mosaics: 16, Validation: 16, Seeds: 2,
		Photos: 20, PhotoMaps: 8, PhotoSane: 2, Heads: 20, Saliency: 20, Resamples: 500}
)

// cheapest is the cost in forward passes up to which a method makes maps of all pictures.
const cheapest = 3

const seed = 1 // of ties, subsets, resamples

// subsets is the number of random subsets of cells for sensitivity-n and infidelity.
const subsets = 50

// erased is the greatest share of cells that the twin's training pictures lose.
const erased = 0.75
