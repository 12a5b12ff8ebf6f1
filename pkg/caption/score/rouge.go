package score

import "strings"

// ROUGEL returns ROUGE-L of a corpus (the mean) and of each picture, from 0 to 1.
// refs and hyps are as for BLEU.
//
// It is pycocoevalcap's ROUGE-L (Lin 2004, longest common subsequence, beta 1.2):
// the best precision and the best recall over the references are combined, though
// they may come from two different ones. Words are split at single spaces only, so that an
// empty caption is one empty word and equals an empty reference.
func ROUGEL(refs [][]string, hyps []string) (corpus float64, each []float64) {
	checkPairs(refs, hyps)
	for i, hyp := range hyps {
		each = append(each, rouge(refs[i], hyp))
	}
	return mean(each), each
}

func rouge(refs []string, hyp string) float64 {
	const beta2 = 1.2 * 1.2
	words := strings.Split(hyp, " ")
	precision, recall := 0.0, 0.0
	for _, ref := range refs {
		r := strings.Split(ref, " ")
		common := float64(commonSubsequence(r, words))
		precision = max(precision, common/float64(len(words)))
		recall = max(recall, common/float64(len(r)))
	}
	if precision == 0 || recall == 0 {
		return 0
	}
	return (1 + beta2) * precision * recall / (recall + beta2*precision)
}

// commonSubsequence is the length of the longest common subsequence.
func commonSubsequence(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}
