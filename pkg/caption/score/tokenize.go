package score

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// punctuation is what pycocoevalcap removes. It means to remove brackets too, but doesn't:
// its list has their names in capitals (-LRB-), the tokens are in small letters.
var punctuation = map[string]bool{
	"''": true, "'": true, "``": true, "`": true, "-LRB-": true, "-RRB-": true, "-LCB-": true, "-RCB-": true,
	".": true, "?": true, "!": true, ",": true, ":": true, "-": true, "--": true, "...": true, ";": true,
}

// lineBreaks become spaces. pycocoevalcap replaces only \n: from the first caption with
// another line break on, its captions belong to the wrong pictures.
var lineBreaks = strings.NewReplacer("\n", " ", "\r", " ", "\v", " ", "\f", " ", "\u2028", " ", "\u2029", " ")

// Tokenize returns captions as the metrics read them: small letters, Penn
// Treebank tokens with single spaces between, punctuation removed. "The cat's
// asleep, isn't it?" is "the cat 's asleep is n't it".
//
// It equals the tokenizer of pycocoevalcap (Stanford's PTBTokenizer 3.4.1 with
// -preserveLines -lowerCase) token by token. That one reads all captions as the
// lines of one file, so the beginning of a caption decides in rare cases what the
// end of the one before is: "a piece of art." ends in the token "art." when the
// next caption begins with a number. Hence a list is the argument; to equal
// pycocoevalcap, pass the captions in its order. A fraction or a phone number
// with a space is one token with a no-break space (which BLEU and CIDEr split again,
// ROUGE-L doesn't).
//
// Characters that no rule matches (emoji, among others) are removed, and separate words.
// Any text has a result; concurrent calls take turns.
func Tokenize(captions []string) []string {
	if len(captions) == 0 {
		return nil
	}
	cleaned := make([]string, len(captions))
	for i, c := range captions {
		cleaned[i] = lineBreaks.Replace(strings.ToValidUTF8(c, "\uFFFD"))
	}
	lines := strings.Split(tokens(strings.Join(cleaned, "\n")), "\n")
	for i, line := range lines {
		lines[i] = removePunctuation(line)
	}
	return lines
}

// tokens returns text with spaces between its tokens and its line breaks kept.
func tokens(text string) string {
	g := english()
	g.Lock()
	defer g.Unlock()
	var b strings.Builder
	begin := true
	for len(text) > 0 {
		if text[0] == '\n' {
			b.WriteByte('\n')
			text, begin = text[1:], true
			continue
		}
		token, used := g.next(text)
		text = text[used:]
		if token == "" {
			continue
		}
		if !begin {
			b.WriteByte(' ')
		}
		b.WriteString(lower(token))
		begin = false
	}
	return b.String()
}

func removePunctuation(line string) string {
	var kept []string
	for _, token := range strings.Split(strings.TrimRightFunc(line, isSpace), " ") {
		if !punctuation[token] {
			kept = append(kept, token)
		}
	}
	return strings.Join(kept, " ")
}

// isSpace is a space by Python's definition.
func isSpace(r rune) bool { return unicode.IsSpace(r) || 0x1C <= r && r <= 0x1F }

// lower is Java's String.toLowerCase, which knows two special cases: a dotted
// capital I stays dotted, and a sigma that ends a word has a form of its own.
func lower(s string) string {
	if !strings.ContainsAny(s, "\u0130\u03A3") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\u0130':
			b.WriteString("i\u0307")
		case r == '\u03A3' && endsWord(s[:i], s[i+len("\u03A3"):]):
			b.WriteRune('\u03C2')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWord says whether a letter with two cases comes before this place and none after it.
// Numbers, marks and hyphens don't end a word.
func endsWord(before, behind string) bool {
	casedBefore := false
	for before != "" && !casedBefore {
		r, size := utf8.DecodeLastRuneInString(before)
		if !inWord(r) {
			break
		}
		casedBefore = cased(r)
		before = before[:len(before)-size]
	}
	for i, r := range behind {
		next, _ := utf8.DecodeRuneInString(behind[i+utf8.RuneLen(r):])
		if !inWord(r) || r == '-' && !unicode.IsLetter(next) {
			break
		}
		if cased(r) {
			return false
		}
	}
	return casedBefore
}

func cased(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) }

func inWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.M, unicode.Cf) || strings.ContainsRune("-'.\u00B7\u2019", r)
}
