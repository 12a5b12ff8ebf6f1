package plots

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEllipsisKeepsBothEnds(t *testing.T) {
	const name = "photographs_of_pets_from_the_garden_0042.jpg"
	st := textStyle{size: 12}
	full := textWidth(name, st)
	if got := ellipsis(name, full, st); got != name {
		t.Errorf("%q was shortened although it fits", got)
	}
	for _, share := range []float64{0.9, 0.5, 0.2} {
		got := ellipsis(name, full*share, st)
		before, after, cut := strings.Cut(got, "…")
		if !cut || !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after) || textWidth(got, st) > full*share {
			t.Errorf("at %v of the width: %q", share, got)
		}
	}
	if got := ellipsis(name, 0, st); got != "…" {
		t.Errorf("without any room: %q", got)
	}
}

func TestWrap(t *testing.T) {
	st := textStyle{size: 12}
	tests := []struct {
		text  string
		lines int
		want  string
	}{
		{"one two three", 3, "one two|three"},
		{"one two three four five six", 2, "one two|thre…six"},
		{"", 2, ""},
		{"  spaced\tout\n", 2, "spaced|out"},
	}
	for _, tt := range tests {
		lines := wrap(tt.text, 50, tt.lines, st)
		if got := strings.Join(lines, "|"); got != tt.want {
			t.Errorf("wrap(%q) = %q, want %q", tt.text, got, tt.want)
		}
		for _, s := range lines {
			if textWidth(s, st) > 50 {
				t.Errorf("%q is too wide", s)
			}
		}
	}
}

func TestFitLinesShrinksFirst(t *testing.T) {
	w := textWidth("a title", panelStyle)
	lines, st := fitLines("a title", w-1, 2, panelStyle, 11)
	if len(lines) != 1 || st.size >= panelStyle.size || st.size < 11 {
		t.Errorf("%q at %v", lines, st.size)
	}
	lines, st = fitLines("a title", w/2, 2, panelStyle, 11)
	if len(lines) != 2 || st.size != 11 {
		t.Errorf("%q at %v", lines, st.size)
	}
}

func TestTextThatTheFontLacks(t *testing.T) {
	tests := []struct{ in, clean, drawn string }{
		{"café", "café", "café"},
		{"a\x00b\x1b[1m\xff\u200b", "ab[1m", "ab[1m"},
		{"two\r\nlines\u2028three", "two lines three", "two lines three"},
		{"猫 → ≤", "猫 → ≤", "□ → ≤"},
		{"x\u20d7", "x\u20d7", "x"}, // a combining arrow
	}
	for _, tt := range tests {
		if got := clean(tt.in); got != tt.clean {
			t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.clean)
		}
		if got := drawable(clean(tt.in), false); got != tt.drawn {
			t.Errorf("drawable(%q) = %q, want %q", tt.in, got, tt.drawn)
		}
	}
	if f := face(false); f.backup.own('□') == false || f.own('□') {
		t.Error("the square should come from the backup font")
	}
}

// FuzzText draws any text. It must not panic, the document must be parsable, and the
// text must not exceed the width to which it was fitted.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "title", "猫 🐈", "\xff\xfe", "a\u0301", "]]>&<\x00", strings.Repeat("x", 300), "\u202eright to left"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		st := textStyle{size: 12}
		if short := ellipsis(s, 60, st); textWidth(short, st) > 60 || !utf8.ValidString(short) {
			t.Errorf("%q is %v wide", short, textWidth(short, st))
		}
		m := HeatMap{Values: [][]float64{{1}}, Title: s, XLabel: s, RowNames: []string{s}, Width: 60}
		doc, err := m.SVG()
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, doc)
		if _, err := m.Image(1); err != nil {
			t.Fatal(err)
		}
	})
}
