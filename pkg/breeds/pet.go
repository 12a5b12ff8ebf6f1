package breeds

import "math"

// imageNetClasses is the number of classes of ImageNet-1k.
const imageNetClasses = 1000

// isPet says whether a class of ImageNet-1k is a breed of dog (151, Chihuahua, to 268,
// Mexican hairless) or of cat (281, tabby, to 285, Egyptian).
func isPet(class int) bool { return class >= 151 && class <= 268 || class >= 281 && class <= 285 }

// PetMass is the probability of ImageNet's dogs and cats together, from logits of its 1,000
// classes.
func PetMass(logits []float32) float64 {
	wide := make([]float64, len(logits))
	for i, v := range logits {
		wide[i] = float64(v)
	}
	return petMass(wide)
}

func petMass(logits []float64) float64 {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, v)
	}
	pets, all := 0.0, 0.0
	for class, v := range logits {
		p := math.Exp(v - top)
		all += p
		if isPet(class) {
			pets += p
		}
	}
	return pets / all
}
