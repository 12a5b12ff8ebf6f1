// Package score scores captions against references: BLEU-1 to BLEU-4, ROUGE-L and CIDEr,
// which match pycocoevalcap to 1e-9, with its Penn Treebank tokenization (see Tokenize) and
// its peculiarities (see BLEU, ROUGEL, CIDEr). It knows texts and COCO's files, but no
// model, picture or vocabulary, and needs no Java.
//
// METEOR and SPICE are left out. Both are Java programs that need resources of tens of
// megabytes (paraphrase tables; WordNet, a parser and its model), and a score computed in
// another way wouldn't be the one that papers report.
//
// The metrics take tokenized captions in lists of the same length: refs[i] holds the
// references of the picture whose caption is hyps[i]. ReadReferences, ReadResults and
// Evaluate go from COCO's files to all scores.
package score
