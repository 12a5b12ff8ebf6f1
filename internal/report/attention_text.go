package report

import (
	"fmt"
	"math"

	"gaze/pkg/explain"
)

// DiscussAttention is the text under the figures of the [class] token's attention.
func DiscussAttention(all ...*explain.Attention) string {
	if len(all) == 0 {
		return "There is no attention to discuss."
	}
	var entropies, tenths, offs []float64
	for _, a := range all {
		s := a.Summary()
		entropies, tenths, offs = append(entropies, s.Entropy), append(tenths, s.TopTenth), append(offs, s.OffPatches)
	}
	entropy, most := mean(entropies), all[0].Summary().MostEntropy
	text := fmt.Sprintf("In the last layer the tenth of the patches with the most weight holds **%.0f %%** of it (in a uniform map: 10 %%). The entropy is %.2f bits of at most %.2f, as if the token looked at %.0f of %.0f patches evenly. ",
		100*mean(tenths), entropy, most, math.Exp2(entropy), math.Exp2(most))
	text += fmt.Sprintf("%.0f %% of the weight is not on patches, but mostly on the [class] token itself.\n\n", 100*mean(offs))

	layers := len(all[0].Layers)
	low, high := extremeHeads(all)
	widths := make([]float64, layers)
	for l := range widths {
		widths[l] = mean(explain.HeadEntropies(l, all...))
	}
	text += widthCourse(widths) + " "
	text += fmt.Sprintf("The heads differ: the narrowest is head %d of layer %d (%.2f bits), the widest head %d of layer %d (%.2f bits).",
		low.head, low.layer, low.entropy, high.head, high.layer, high.entropy)
	return text
}

// turn is the number of bits from which on a layer counts as wider or narrower than another.
const turn = 0.2

// widthCourse says how the mean width of the heads' maps, in bits, changes from layer to layer:
// as the chart's line does, with the layer where it turns.
func widthCourse(widths []float64) string {
	n := len(widths) - 1
	first, last := widths[0], widths[n]
	widest, narrowest := 0, 0
	for l, w := range widths {
		if w > widths[widest] {
			widest = l
		}
		if w < widths[narrowest] {
			narrowest = l
		}
	}
	up, down := widths[widest]-max(first, last), min(first, last)-widths[narrowest]
	switch {
	case up > turn && up >= down:
		return fmt.Sprintf("The attention %s up to layer %d and %s after it: the mean head has %.2f bits in layer 0, %.2f in layer %d, %.2f in the last.",
			mostly("widens", widths[:widest+1], 1), widest, mostly("narrows", widths[widest:], -1), first, widths[widest], widest, last)
	case down > turn:
		return fmt.Sprintf("The attention %s up to layer %d and %s after it: the mean head has %.2f bits in layer 0, %.2f in layer %d, %.2f in the last.",
			mostly("narrows", widths[:narrowest+1], -1), narrowest, mostly("widens", widths[narrowest:], 1), first, widths[narrowest], narrowest, last)
	case last-first > turn:
		return fmt.Sprintf("From the first layer to the last the attention %s: the mean head goes from %.2f to %.2f bits.", mostly("widens", widths, 1), first, last)
	case first-last > turn:
		return fmt.Sprintf("From the first layer to the last the attention %s: the mean head goes from %.2f to %.2f bits.", mostly("narrows", widths, -1), first, last)
	}
	return fmt.Sprintf("From the first layer to the last the attention stays about as wide: the mean head has %.2f bits in layer 0 and %.2f in the last.", first, last)
}

// mostly is a verb for a change in the given direction, qualified if some layers go the
// other way.
func mostly(verb string, widths []float64, sign float64) string {
	for l := 1; l < len(widths); l++ {
		if sign*(widths[l]-widths[l-1]) < -turn/4 {
			return "mostly " + verb
		}
	}
	return verb
}

// headEntropy is a head's layer, number and entropy.
type headEntropy struct {
	layer, head int
	entropy     float64
}

// extremeHeads finds the heads with the lowest and the highest entropy.
func extremeHeads(all []*explain.Attention) (low, high headEntropy) {
	low.entropy, high.entropy = math.Inf(1), math.Inf(-1)
	for l := range all[0].Layers {
		for h, e := range explain.HeadEntropies(l, all...) {
			if e < low.entropy {
				low = headEntropy{l, h, e}
			}
			if e > high.entropy {
				high = headEntropy{l, h, e}
			}
		}
	}
	return low, high
}
