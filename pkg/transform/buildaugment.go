package transform

// maxBins bounds how finely magnitudes are told apart.
const maxBins = 1000

var augmentMakers = map[string]maker{
	"randaugment": {"randaugment[(steps=2[,magnitude=9][,bins=31])]", func(c *call) Op {
		o := RandAugment{Count: c.whole("steps", 2, 0, 100), Magnitude: c.whole("magnitude", 9, 0, maxBins-1), Bins: c.whole("bins", 31, 2, maxBins)}
		if o.Magnitude >= o.Bins {
			c.fail(c.at, "a magnitude of %d needs more than %d bins", o.Magnitude, o.Bins)
		}
		return o
	}},
	"trivialaugmentwide": {"trivialaugmentwide[(bins=31)]", func(c *call) Op { return TrivialAugment{c.whole("bins", 31, 2, maxBins)} }},
	"3augment":           {"3augment", func(*call) Op { return ThreeAugment{} }},
}
