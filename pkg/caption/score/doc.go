// Package score scores captions against references: BLEU-1 to BLEU-4, ROUGE-L
// and CIDEr, equal to pycocoevalcap's to 1e-9, with its Penn Treebank
// tokenization (see Tokenize) and its peculiarities (see BLEU, ROUGEL, CIDEr).
// No Java is needed.
//
// METEOR and SPICE aren't here: both are Java programs that rest on resources of
// tens of megabytes (paraphrase tables; WordNet, a parser and its model), so a
// score computed otherwise wouldn't be the one that papers report.
//
// The metrics take tokenized captions, lists as long as each other: refs[i] holds
// the references of the picture whose caption is hyps[i]. ReadReferences,
// ReadResults and Evaluate go from COCO's files to all scores.
package score
