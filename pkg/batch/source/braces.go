package source

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"gaze/pkg/batch/store"
)

// maxBraces bounds the names that one source stands for.
const maxBraces = 10_000_000

// expandSource yields the names that a source with braces stands for. A path that exists as
// it is stands for itself.
func expandSource(source string) iter.Seq2[string, error] {
	if !store.IsURL(source) && exists(source) {
		return func(yield func(string, error) bool) { yield(source, nil) }
	}
	return expand(source)
}

// expand yields the names that a pattern stands for, as the shell and WebDataset understand
// it: {000..012} is a range of numbers with as many digits (downwards, too), {a,b} a choice.
// Later braces change fastest. Braces of another form stand for themselves.
func expand(pattern string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var parts []brace
		total := 1
		for rest := pattern; rest != ""; {
			var b brace
			b, rest = nextBrace(rest)
			if total > maxBraces/max(b.n, 1) {
				yield("", fmt.Errorf("%s: the ranges in braces stand for more than %d names", store.Redact(pattern), maxBraces))
				return
			}
			total *= b.n
			parts = append(parts, b)
		}
		for i := range total {
			if !yield(join(parts, total, i), nil) {
				return
			}
		}
	}
}

// join is name i of the total that the parts stand for.
func join(parts []brace, total, i int) string {
	var name strings.Builder
	for _, p := range parts {
		total /= p.n
		name.WriteString(p.at(i / total % p.n))
	}
	return name.String()
}

// brace is a part of a pattern that stands for n texts.
type brace struct {
	n  int
	at func(i int) string
}

func literal(text string) brace { return brace{1, func(int) string { return text }} }

// nextBrace takes the first part off a pattern.
func nextBrace(pattern string) (b brace, rest string) {
	open := strings.IndexByte(pattern, '{')
	if open > 0 {
		return literal(pattern[:open]), pattern[open:]
	}
	length := strings.IndexByte(pattern, '}')
	if open < 0 {
		return literal(pattern), ""
	}
	if length < 0 {
		return literal(pattern), ""
	}
	inside, rest := pattern[1:length], pattern[length+1:]
	if from, to, ok := strings.Cut(inside, ".."); ok {
		if b, ok := numbers(from, to); ok {
			return b, rest
		}
	} else if choices := strings.Split(inside, ","); len(choices) > 1 && !strings.Contains(inside, "{") {
		return brace{len(choices), func(i int) string { return choices[i] }}, rest
	}
	return literal("{"), pattern[1:]
}

// numbers is the range from..to. Zeros in front of either say how many digits all have.
func numbers(from, to string) (brace, bool) {
	first, ok1 := digits(from)
	last, ok2 := digits(to)
	if !ok1 || !ok2 {
		return brace{}, false
	}
	width := 0
	if len(from) > 1 && from[0] == '0' || len(to) > 1 && to[0] == '0' {
		width = max(len(from), len(to))
	}
	step := 1
	if last < first {
		step = -1
	}
	return brace{(last-first)*step + 1, func(i int) string { return fmt.Sprintf("%0*d", width, first+step*i) }}, true
}

func digits(text string) (int, bool) {
	const most = 9
	if len(text) == 0 || len(text) > most || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
