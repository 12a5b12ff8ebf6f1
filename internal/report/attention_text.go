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
	first, last := explain.Median(explain.HeadEntropies(0, all...)), explain.Median(explain.HeadEntropies(layers-1, all...))
	verb := "narrows"
	if last > first {
		verb = "widens"
	}
	text += fmt.Sprintf("From the first layer to the last the attention %s: the median head goes from %.2f to %.2f bits. ", verb, first, last)
	text += fmt.Sprintf("The heads differ: the narrowest is head %d of layer %d (%.2f bits), the widest head %d of layer %d (%.2f bits).",
		low.head, low.layer, low.entropy, high.head, high.layer, high.entropy)
	return text
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
