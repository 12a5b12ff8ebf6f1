package plots

import (
	_ "embed" // for the fonts
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Text is set in Arimo (SIL Open Font License, see fonts/OFL.txt). It has the
// same letter widths as Arial and Liberation Sans, one of which nearly every
// viewer of SVG files has.
var (
	//go:embed fonts/Arimo-Regular.ttf
	arimoRegular []byte
	//go:embed fonts/Arimo-Bold.ttf
	arimoBold []byte
)

// typeface is one weight of the built-in font. Glyphs are loaded once at the
// size of the font's own units and scaled as outlines.
type typeface struct {
	font   *sfnt.Font
	backup *typeface  // font with arrows and mathematical symbols; may be nil
	mu     sync.Mutex // guards buf and glyphs, because sfnt's buffer isn't safe for concurrent use
	buf    sfnt.Buffer
	glyphs map[rune]glyph
}

// glyph is a character's outline in em units (y down, baseline at 0).
type glyph struct {
	face    *typeface // the glyph's font
	index   sfnt.GlyphIndex
	advance float64
	outline []segment
}

type segment struct {
	op  sfnt.SegmentOp
	pts [3]point
}

const emUnits = 2048

var (
	regularFace = sync.OnceValue(func() *typeface { return newTypeface(arimoRegular, newTypeface(goregular.TTF, nil)) })
	boldFace    = sync.OnceValue(func() *typeface { return newTypeface(arimoBold, newTypeface(gobold.TTF, nil)) })
)

func newTypeface(ttf []byte, backup *typeface) *typeface {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		panic("plots: the built-in font doesn't parse: " + err.Error()) // the font is part of the program
	}
	return &typeface{font: f, backup: backup, glyphs: map[rune]glyph{}}
}

func face(bold bool) *typeface {
	if bold {
		return boldFace()
	}
	return regularFace()
}

// has reports whether the font or its backup can draw the character.
func (f *typeface) has(r rune) bool {
	return f.own(r) || f.backup != nil && f.backup.own(r)
}

func (f *typeface) own(r rune) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.font.GlyphIndex(&f.buf, r)
	return err == nil && i != 0
}

// glyph returns the character's outline, or an empty box if the font doesn't have it.
func (f *typeface) glyph(r rune) glyph {
	if f.backup != nil && !f.own(r) && f.backup.own(r) {
		return f.backup.glyph(r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if g, ok := f.glyphs[r]; ok {
		return g
	}
	g := f.load(r)
	f.glyphs[r] = g
	return g
}

func (f *typeface) load(r rune) glyph {
	const ppem = fixed.Int26_6(emUnits << 6)
	g := glyph{face: f, advance: 0.5}
	i, err := f.font.GlyphIndex(&f.buf, r)
	if err != nil {
		return g
	}
	g.index = i
	adv, err := f.font.GlyphAdvance(&f.buf, i, ppem, font.HintingNone)
	if err != nil {
		return g
	}
	g.advance = em(adv)
	segs, err := f.font.LoadGlyph(&f.buf, i, ppem, nil)
	if err != nil {
		return g
	}
	for _, s := range segs {
		out := segment{op: s.Op}
		for k, a := range s.Args {
			out.pts[k] = point{em(a.X), em(a.Y)}
		}
		g.outline = append(g.outline, out)
	}
	return g
}

func em(v fixed.Int26_6) float64 { return float64(v) / 64 / emUnits }

// kern returns the kerning between a and b, in em.
func (f *typeface) kern(a, b glyph) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.face != f || b.face != f {
		return 0
	}
	k, err := f.font.Kern(&f.buf, a.index, b.index, emUnits<<6, font.HintingNone)
	if err != nil {
		return 0
	}
	return em(k)
}

// typeset calls put with every glyph of s and its position on the baseline in em,
// and returns the total width.
func (f *typeface) typeset(s string, put func(g glyph, x float64)) float64 {
	var x float64
	var prev glyph
	for i, r := range []rune(s) {
		g := f.glyph(r)
		if i > 0 {
			x += f.kern(prev, g)
		}
		if put != nil {
			put(g, x)
		}
		x += g.advance
		prev = g
	}
	return x
}

// textWidth measures s in CSS pixels.
func textWidth(s string, st textStyle) float64 {
	return face(st.bold).typeset(drawable(s, st.bold), nil) * st.size
}

// clean makes s a single line of printable text. Any white space becomes a blank;
// control characters and invalid UTF-8 are removed.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || r == 0xfffe || r == 0xffff || unicode.Is(unicode.C, r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// drawable replaces characters that the built-in font doesn't have: combining marks
// are dropped, others become a small white square.
func drawable(s string, bold bool) string {
	f := face(bold)
	return strings.Map(func(r rune) rune {
		switch {
		case f.has(r):
			return r
		case unicode.Is(unicode.M, r):
			return -1
		case f.has('\u25a1'):
			return '\u25a1'
		}
		return '?'
	}, s)
}
