package plots

import "strings"

// wrap breaks s into at most maxLines lines no wider than width. A word that is too
// long, or a last line that is, is shortened in the middle.
func wrap(s string, width float64, maxLines int, st textStyle) []string {
	words := strings.Fields(clean(s))
	var lines []string
	for len(words) > 0 {
		if len(lines) == maxLines-1 {
			return append(lines, ellipsis(strings.Join(words, " "), width, st))
		}
		n := 1
		for n < len(words) && textWidth(strings.Join(words[:n+1], " "), st) <= width {
			n++
		}
		lines = append(lines, ellipsis(strings.Join(words[:n], " "), width, st))
		words = words[n:]
	}
	return lines
}

// ellipsis shortens s to width by omitting its middle, so that its start and its end
// stay readable, for example in a file name.
func ellipsis(s string, width float64, st textStyle) string {
	s = clean(s)
	if textWidth(s, st) <= width {
		return s
	}
	r := []rune(s)
	lo, hi := 0, len(r) // lo characters fit, hi don't
	cut := func(n int) string {
		return strings.TrimRight(string(r[:(n+1)/2]), " ") + "…" + strings.TrimLeft(string(r[len(r)-n/2:]), " ")
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; textWidth(cut(mid), st) <= width {
			lo = mid
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return "…"
	}
	return cut(lo)
}

// fitLines is like wrap, but first tries smaller font sizes, down to smallest, to fit
// the text on one line.
func fitLines(s string, width float64, maxLines int, st textStyle, smallest float64) ([]string, textStyle) {
	one := clean(s)
	for size := st.size; size >= smallest; size -= 0.5 {
		small := st
		small.size = size
		if textWidth(one, small) <= width {
			if one == "" {
				return nil, small
			}
			return []string{one}, small
		}
	}
	st.size = max(smallest, st.size-1)
	return wrap(s, width, maxLines, st), st
}

// longestWord returns the width of the widest word of s; wrap doesn't break words.
func longestWord(s string, st textStyle) float64 {
	var w float64
	for _, word := range strings.Fields(clean(s)) {
		w = max(w, textWidth(word, st))
	}
	return w
}
