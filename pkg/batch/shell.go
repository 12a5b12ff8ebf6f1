package batch

import "strings"

// ShellQuote writes words as a POSIX shell reads them, separated by blanks. No word of the
// result has "${" in it, which Spark's SQL would replace.
func ShellQuote(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = shellWord(word)
	}
	return strings.Join(quoted, " ")
}

// plain are the characters that mean themselves everywhere in a word.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,@%="

func shellWord(word string) string {
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.NewReplacer("'", `'\''`, "${", "$''{").Replace(word) + "'"
}
