package explain

import (
	"fmt"
	"strings"
)

// HeadKind says what a head mostly does, judged by where patches look in it.
type HeadKind uint8

// The kinds of heads, in the order in which they are judged.
const (
	ClassHead    HeadKind = iota // the patches look at the class token
	RegisterHead                 // the patches look at distillation or register tokens
	LocalHead                    // patches look at their neighbours
	GlobalHead                   // patches look at the whole picture
	OtherHead                    // anything else
)

var headKindNames = [...]string{"class-focused", "register-focused", "local", "global", "other"}

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

// kinds lists the kinds of heads that the model can have.
func (g *Geometry) kinds() []HeadKind {
	var out []HeadKind
	if g.HasClass {
		out = append(out, ClassHead)
	}
	if g.Others > 0 {
		out = append(out, RegisterHead)
	}
	return append(out, LocalHead, GlobalHead, OtherHead)
}

// limits says the thresholds in words, and in the units of the geometry.
func (g *Geometry) limits(t HeadThresholds) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if g.HasClass {
		add("class-focused: %.0f %% of the attention or more on the class token", 100*t.Prefix)
	}
	if g.Others > 0 {
		add("register-focused: %.0f %% or more on distillation or register tokens", 100*t.Prefix)
	}
	far, wide := g.UniformDistance(), maxEntropy(g.Grid[0]*g.Grid[1])
	add("local: at most %.0f pixels (%.0f %% of equal attention)", t.Local*far, 100*t.Local)
	add("global: at least %.0f pixels (%.0f %%) and an entropy of %.1f bits (%.0f %%)", t.Global*far, 100*t.Global, t.Entropy*wide, 100*t.Entropy)
	return strings.Join(parts, "; ")
}

// Kind judges a head. Shares on tokens come first: the distances of a head that hardly
// looks at patches mean little.
func (g *Geometry) Kind(layer, head int, t HeadThresholds) HeadKind {
	h := g.Layers[layer][head]
	far := h.Distance / g.UniformDistance()
	wide := h.Entropy / maxEntropy(g.Grid[0]*g.Grid[1])
	switch {
	case g.HasClass && h.Class >= t.Prefix:
		return ClassHead
	case g.Others > 0 && h.Others >= t.Prefix:
		return RegisterHead
	case far <= t.Local:
		return LocalHead
	case far >= t.Global && wide >= t.Entropy:
		return GlobalHead
	}
	return OtherHead
}
