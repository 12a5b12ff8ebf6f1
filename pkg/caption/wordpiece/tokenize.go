package wordpiece

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxWord is the length, in characters, of the longest word that is split into tokens. A
// longer one is unknown, as in BERT.
const maxWord = 100

// The tokenizer is our own because that of go-huggingface v0.4.0 differs from
// transformers' for 4 of the 30 texts in testdata (words longer than 100 bytes instead of
// characters, zero-width and private-use characters, white space beyond ASCII).

// Encode splits a text into tokens as transformers' BertTokenizer for uncased models does.
// It drops control characters, strips accents, lowers case, splits at white space and
// around punctuation and Chinese characters, and then splits each word into the longest
// tokens from its start. A word that can't be split is [UNK]. [CLS] and [SEP] aren't
// added, but are recognised where the text has them.
func (v *Vocab) Encode(text string) []int {
	var ids []int
	for text != "" {
		at, length, id := v.nextSpecial(text)
		for _, word := range words(text[:at]) {
			ids = v.appendWord(ids, word)
		}
		if id >= 0 {
			ids = append(ids, id)
		}
		text = text[at+length:]
	}
	return ids
}

// nextSpecial finds the first special token in a text; without one it returns the end and
// -1.
func (v *Vocab) nextSpecial(text string) (at, length, id int) {
	at, id = len(text), -1
	for _, s := range []int{v.unknown, v.start, v.end, v.pad, v.mask} {
		if s < 0 {
			continue
		}
		if i := strings.Index(text, v.tokens[s]); i >= 0 && i < at {
			at, length, id = i, len(v.tokens[s]), s
		}
	}
	return at, length, id
}

// appendWord splits one word, the longest token first.
func (v *Vocab) appendWord(ids []int, word string) []int {
	runes := []rune(word)
	if len(runes) > maxWord {
		return append(ids, v.unknown)
	}
	kept := len(ids)
	for start := 0; start < len(runes); {
		end, id := len(runes), -1
		for ; end > start; end-- {
			token := string(runes[start:end])
			if start > 0 {
				token = "##" + token
			}
			if found, ok := v.ids[token]; ok {
				id = found
				break
			}
		}
		if id < 0 {
			return append(ids[:kept], v.unknown)
		}
		ids = append(ids, id)
		start = end
	}
	return ids
}

// words normalises a text and splits it at white space and around punctuation.
func words(text string) []string {
	var spaced strings.Builder
	for _, r := range text {
		switch {
		case r == 0, r == unicode.ReplacementChar, isControl(r):
		case isSpace(r):
			spaced.WriteByte(' ')
		case isChinese(r):
			spaced.WriteString(" " + string(r) + " ")
		default:
			spaced.WriteRune(r)
		}
	}
	var list []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			list = append(list, word.String())
			word.Reset()
		}
	}
	for _, r := range norm.NFD.String(spaced.String()) {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent
		case isSpace(r):
			flush()
		case isPunctuation(r):
			flush()
			list = append(list, string(r))
		default:
			word.WriteRune(unicode.ToLower(r))
		}
	}
	flush()
	return list
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }

// isControl is Unicode's categories of "other" characters, except the three that count as
// white space.
func isControl(r rune) bool {
	if r == '\t' || r == '\n' || r == '\r' {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

// isPunctuation is Unicode's punctuation and all printable ASCII that is neither letter nor
// digit: BERT counts $, ^ and ` too.
func isPunctuation(r rune) bool {
	return r > ' ' && r < 127 && !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') ||
		unicode.IsPunct(r)
}

// isChinese is the blocks of CJK ideographs; kana and hangul aren't among them.
func isChinese(r rune) bool {
	for _, block := range [...][2]rune{
		{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
		{0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F},
	} {
		if block[0] <= r && r <= block[1] {
			return true
		}
	}
	return false
}

// Decode joins tokens to a text. It leaves out special tokens, joins the tokens of a word,
// and removes the spaces that English doesn't write.
func (v *Vocab) Decode(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		if v.special(id) || id < 0 || id >= len(v.tokens) {
			continue
		}
		token := v.tokens[id]
		if rest, ok := strings.CutPrefix(token, "##"); ok && b.Len() > 0 {
			token = rest
		} else if b.Len() > 0 {
			token = " " + token
		}
		b.WriteString(token)
	}
	text := b.String()
	for _, pair := range closeUp {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

// closeUp removes, one after the other, the spaces around punctuation, as transformers'
// clean_up_tokenization_spaces does, which was on by default when CATR was published.
var closeUp = [][2]string{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"},
	{" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}
