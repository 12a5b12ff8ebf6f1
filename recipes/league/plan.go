package main

// plan is how many pictures each measure looks at. Pictures are in an order in which breeds
// take turns, so the first 37 have one of each.
type plan struct {
	Localised   int // truth and localisation
	Singles     int // single deletion, random subsets
	Curves      int // curves of removal
	Costly      int // maps of methods that cost more than cheapest
	Sane        int // sanity
	Mosaics     int // GridPG
	Validation  int // the choice of settings
	Seeds       int // of the models on drawn pets
	Photos      int // photographs of pets37: at most
	PhotoMaps   int // of them, for costly methods, single deletion and random subsets
	PhotoCurves int
	PhotoSane   int
	Heads       int // training photographs whose heads are known: at most
	Saliency    int // photographs of the saliency model: at most
	Resamples   int
}

var (
	// full takes about an hour on two cores: most of it for the curves, the costly methods and
	// sanity, whose intervals are therefore wider than the others'.
	full = plan{Localised: 555, Singles: 64, Curves: 96, Costly: 64, Sane: 8, Mosaics: 64, Validation: 74, Seeds: 3,
		Photos: 135, PhotoMaps: 8, PhotoCurves: 16, PhotoSane: 0, Heads: 185, Saliency: 185, Resamples: 10000}
	small = plan{Localised: 37, Singles: 16, Curves: 16, Costly: 16, Sane: 4, Mosaics: 16, Validation: 16, Seeds: 2,
		Photos: 20, PhotoMaps: 8, PhotoCurves: 8, PhotoSane: 2, Heads: 20, Saliency: 20, Resamples: 500}
)

// cheapest is the cost in forward passes up to which a method makes maps of all pictures.
const cheapest = 3

const seed = 1 // of ties, subsets, resamples

// subsets is the number of random subsets of cells for sensitivity-n and infidelity.
const subsets = 50

// erased is the greatest share of cells that the twin's training pictures lose.
const erased = 0.75

// fractions are the shares of cells that curves remove.
var fractions = []float64{0, 0.2, 0.5, 0.8, 1}
