package completion

import (
	"strings"
	"unicode/utf8"
)

// byteOffset is the byte offset of Jupyter's cursor, which counts Unicode characters. A cursor
// outside the text is moved to its end or start. A byte that isn't UTF-8 counts as one.
func byteOffset(text string, cursor int) int {
	if cursor <= 0 {
		return 0
	}
	for offset := range text {
		if cursor == 0 {
			return offset
		}
		cursor--
	}
	return len(text)
}

// characters is the reverse of byteOffset: how many Unicode characters are before an offset.
func characters(text string, offset int) int { return utf8.RuneCountInString(text[:offset]) }

// positionOf is the LSP position of a byte offset.
func positionOf(text string, offset int) lspPosition {
	before := text[:offset]
	line := strings.LastIndexByte(before, '\n') + 1
	return lspPosition{Line: strings.Count(before, "\n"), Character: utf16Length(before[line:])}
}

// utf16Length is how many UTF-16 code units a text has.
func utf16Length(text string) int {
	units := 0
	for _, r := range text {
		units += utf16Units(r)
	}
	return units
}

func utf16Units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}
