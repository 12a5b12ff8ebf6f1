package score

import "strings"

// Repeats says whether a sentence repeats itself, as underfitted captioners do: if one to
// four words come twice in a row ("a plate of a plate of"), if two words in a row come three
// times, or if a thing is joined to itself by a preposition or "and" ("a bed with a bed").
// The sentence is tokenized as for [CIDEr]; capitals don't matter.
func Repeats(sentence string) bool {
	words := strings.FieldsFunc(strings.ToLower(sentence), isSpace)
	return twiceInARow(words) || pairThrice(words) || joinedToItself(words)
}

// longestRepeat is the number of words of the longest part whose repetition counts.
const longestRepeat = 4

func twiceInARow(words []string) bool {
	for n := 1; n <= longestRepeat; n++ {
		same := 0 // words in a row that equal the word n before
		for i := n; i < len(words); i++ {
			if words[i] != words[i-n] {
				same = 0
				continue
			}
			if same++; same == n {
				return true
			}
		}
	}
	return false
}

func pairThrice(words []string) bool {
	count := map[[2]string]int{}
	for i := 1; i < len(words); i++ {
		pair := [2]string{words[i-1], words[i]}
		if count[pair]++; count[pair] == 3 {
			return true
		}
	}
	return false
}

// joiners may stand between a thing and itself.
var joiners = map[string]bool{
	"with": true, "of": true, "in": true, "on": true, "and": true, "at": true, "by": true, "near": true, "under": true, "over": true, "behind": true,
}

var articles = map[string]bool{"a": true, "an": true, "the": true}

// joinedToItself finds "X with a X", with or without the second article.
func joinedToItself(words []string) bool {
	for i := 0; i+2 < len(words); i++ {
		j := i + 1
		if !joiners[words[j]] || articles[words[i]] {
			continue
		}
		j++
		if articles[words[j]] && j+1 < len(words) {
			j++
		}
		idiom := words[i] == "side" || words[i] == "hand" // side by side, hand in hand
		if words[j] == words[i] && !idiom {
			return true
		}
	}
	return false
}
