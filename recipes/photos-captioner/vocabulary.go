package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"gaze/pkg/caption/wordpiece"
)

const (
	leastCount = 4   // a word that comes as often is a piece of its own
	suffixes   = 200 // endings for the rest
)

// plain is a caption as it is learned: its words in lower case, without punctuation.
func plain(caption string) []string {
	return strings.FieldsFunc(strings.ToLower(caption), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '\'')
	})
}

// newVocabulary makes word pieces of sentences: the words that come often, the most frequent
// endings by which rarer words continue such a word, and all characters, so that every word
// can be written.
func newVocabulary(sentences [][]string) (*wordpiece.Vocab, error) {
	count := map[string]int{}
	for _, s := range sentences {
		for _, w := range s {
			for _, part := range strings.Split(strings.ReplaceAll(w, "'", " ' "), " ") { // as BERT's tokenizer splits
				if part != "" {
					count[part]++
				}
			}
		}
	}
	frequent := func(m map[string]int) []string {
		return slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
	}
	tokens := []string{"[PAD]", "[CLS]", "[SEP]", "[UNK]"}
	known := map[string]bool{}
	for _, w := range frequent(count) {
		if count[w] >= leastCount {
			tokens, known[w] = append(tokens, w), true
		}
	}
	endings := map[string]int{}
	for w, n := range count {
		for i := 3; i < len(w) && !known[w]; i++ {
			if known[w[:i]] && len(w)-i > 1 {
				endings["##"+w[i:]] += n
			}
		}
	}
	list := frequent(endings)
	tokens = append(tokens, list[:min(suffixes, len(list))]...)
	for _, r := range "abcdefghijklmnopqrstuvwxyz0123456789'" {
		if c := string(r); known[c] {
			tokens = append(tokens, "##"+c)
		} else {
			tokens = append(tokens, c, "##"+c)
		}
	}
	return wordpiece.New(tokens)
}
