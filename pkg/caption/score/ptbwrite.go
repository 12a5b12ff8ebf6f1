package score

import (
	"strings"
	"unicode/utf8"
)

// Writers of rules: what becomes of the text that a rule has matched.

func keep(text string) (string, int) { return text, len(text) }

func drop(text string) (string, int) { return "", len(text) }

func as(token string) writer {
	return func(text string) (string, int) { return token, len(text) }
}

// all keeps all but the last n letters, which belong to the next token.
func all(n int) writer {
	return func(text string) (string, int) {
		end := len(text)
		for range n {
			_, size := utf8.DecodeLastRuneInString(text[:end])
			end -= size
		}
		return text[:end], end
	}
}

// initial splits a single letter from the period of a sentence; an acronym keeps its
// period.
func initial(text string) (string, int) {
	if len(text) == len("I.") {
		return text[:1], len(text)
	}
	return text, len(text)
}

// reread keeps the period of an abbreviation and reads it again, since at the very end of a
// text it ends the sentence as well.
func reread(text string) (string, int) { return text, len(text) - 1 }

// unhyphened removes soft hyphens, which only mark where a line may be broken.
func unhyphened(text string) (string, int) {
	token := strings.ReplaceAll(text, "\u00AD", "")
	if token == "" {
		token = "-"
	}
	return token, len(text)
}

var (
	breaking   = strings.NewReplacer(" ", "\u00A0")
	brackets   = strings.NewReplacer(" ", "\u00A0", "(", "-lrb-", ")", "-rrb-")
	fractions  = strings.NewReplacer("\u00BC", "1/4", "\u00BD", "1/2", "\u00BE", "3/4", "\u2153", "1/3", "\u2154", "2/3")
	currencies = strings.NewReplacer("\u00A2", "cents", "\u00A3", "#", "\u0080", "$", "\u00A4", "$", "\u20A0", "$", "\u20AC", "$")
	// The codes from 91 to 94 are quotes in Windows' character set.
	quotes = strings.NewReplacer("&apos;", "'", "\"", "''", "&quot;", "''",
		"\u0091", "`", "\u2018", "`", "\u201B", "`", "\u2039", "`",
		"\u0092", "'", "\u2019", "'", "\u203A", "'",
		"\u0093", "``", "\u201C", "``", "\u00AB", "``",
		"\u0094", "''", "\u201D", "''", "\u00BB", "''")
)

// unspaced keeps a token together by turning its spaces into no-break spaces.
func unspaced(text string) (string, int) { return breaking.Replace(text), len(text) }

func bracketed(text string) (string, int) { return brackets.Replace(text), len(text) }

func fraction(text string) (string, int) { return fractions.Replace(text), len(text) }

func currency(text string) (string, int) { return currencies.Replace(text), len(text) }

func quote(text string) (string, int) { return quotes.Replace(text), len(text) }

// ampersand turns the entity, in any case, into the sign.
func ampersand(text string) (string, int) {
	const entity = "&amp;"
	var b strings.Builder
	for i := 0; i < len(text); {
		if len(text)-i >= len(entity) && strings.EqualFold(text[i:i+len(entity)], entity) {
			b.WriteByte('&')
			i += len(entity)
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String(), len(text)
}
