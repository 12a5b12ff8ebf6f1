package explain

import (
	"fmt"
	"math"
)

// HeadKind says what a head mostly does, judged by where patches look in it.
type HeadKind uint8

// The kinds of heads, in the order in which they are judged.
const (
	ClassHead HeadKind = iota // the patches look at the class token
	OtherHead                 // the patches look at distillation or register tokens
	LocalHead                 // patches look at their neighbours
	GlobalHead                // patches look at the whole picture
	MixedHead                 // anything in between
)

var headKindNames = [...]string{"class-focused", "register-focused", "local", "global", "in between"}

func (k HeadKind) String() string {
	if int(k) < len(headKindNames) {
		return headKindNames[k]
	}
	return fmt.Sprintf("unknown(%d)", k)
}

// HeadThresholds are the limits between the kinds of heads.
type HeadThresholds struct {
	Prefix  float64 // class-focused, register-focused: at least this share of the patches' attention is on the token
	Local   float64 // local: at most this share of the distance of equal attention to all patches
	Global  float64 // global: at least this share of that distance …
	Entropy float64 // … and of the entropy of equal attention
}

// DefaultHeadThresholds are the limits that figures use.
var DefaultHeadThresholds = HeadThresholds{Prefix: 0.5, Local: 0.5, Global: 0.8, Entropy: 0.8}

// String says the limits in words.
func (t HeadThresholds) String() string {
	return fmt.Sprintf("class-focused, register-focused: at least %.0f %% of the attention on such tokens · local: distance at most %.0f %% of equal attention's · global: distance at least %.0f %% and entropy at least %.0f %% of equal attention's",
		100*t.Prefix, 100*t.Local, 100*t.Global, 100*t.Entropy)
}

// Kind judges a head. Shares on tokens come first: the distances of a head that hardly
// looks at patches mean little.
func (g *Geometry) Kind(layer, head int, t HeadThresholds) HeadKind {
	h := g.Layers[layer][head]
	far := h.Distance / g.UniformDistance()
	wide := h.Entropy / math.Log2(float64(g.Grid[0]*g.Grid[1]))
	switch {
	case g.ClassTok && h.Class >= t.Prefix:
		return ClassHead
	case g.Others > 0 && h.Others >= t.Prefix:
		return OtherHead
	case far <= t.Local:
		return LocalHead
	case far >= t.Global && wide >= t.Entropy:
		return GlobalHead
	}
	return MixedHead
}
