package data

import (
	"slices"
	"strings"
	"unicode"
)

// splitNames are the words for each split, the usual one first.
var splitNames = [3][]string{
	{"train", "training", "trn"},
	{"val", "valid", "validation", "validate", "dev", "development", "eval", "evaluation"},
	{"test", "testing", "tst"},
}

// fillers are words without meaning in the name of a split's folder.
var fillers = []string{
	"set", "sets", "data", "dataset", "datasets", "subset", "split", "splits", "folder", "files", "samples",
	"image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos", "jpg", "jpeg", "png",
}

// tableFillers are words without meaning in the name of a split's CSV.
var tableFillers = []string{"labels", "label", "list", "annotations", "annotation", "classes", "metadata", "csv", "df"}

// containers are names of folders that hold pictures but aren't classes.
var containers = []string{"images", "image", "imgs", "img", "pictures", "photos", "jpg", "jpeg", "jpegs", "jpegimages", "data", "dataset"}

// companions are names of folders beside a folder of pictures that hold other data about
// them.
var companions = []string{"annotations", "annotation", "labels", "masks", "segmentations", "trimaps", "bboxes", "metadata", "meta", "docs"}

// litter are files and folders left by systems and programs, apart from those whose names
// begin with a dot.
var litter = []string{
	"__macosx", "__pycache__", "@eadir", "$recycle.bin", "system volume information", "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r",
}

func isContainer(name string) bool { return slices.Contains(containers, strings.ToLower(name)) }
func isCompanion(name string) bool { return slices.Contains(companions, strings.ToLower(name)) }

// isIgnored reports whether a file or folder is always ignored.
func isIgnored(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains(litter, strings.ToLower(name))
}

// splitOf interprets the name of a folder, or of a CSV without its ending, as a split:
// train, Training_Set, val2017, TestImages. rest is the other words, such as pets in
// pets_train; split is -1 if no word names a split, or several do.
func splitOf(name string, table bool) (split int, rest string) {
	split = -1
	var others []string
	for _, word := range nameWords(name) {
		found := splitWord(word, table)
		switch {
		case found >= 0 && split >= 0:
			return -1, ""
		case found >= 0:
			split = found
		case !isFiller(word, table):
			others = append(others, word)
		}
	}
	return split, strings.Join(others, " ")
}

// splitWord is the split named by a word, alone or joined with a filler as in trainset;
// otherwise -1.
func splitWord(word string, table bool) int {
	for i, words := range splitNames {
		for _, w := range words {
			if word == w {
				return i
			}
			if rest, ok := strings.CutPrefix(word, w); ok && isFiller(rest, table) {
				return i
			}
			if rest, ok := strings.CutSuffix(word, w); ok && isFiller(rest, table) {
				return i
			}
		}
	}
	return -1
}

// isFiller reports whether a word has no meaning: a listed word, or a number such as a
// year.
func isFiller(word string, table bool) bool {
	return slices.Contains(fillers, word) || table && slices.Contains(tableFillers, word) || strings.Trim(word, "0123456789") == ""
}

// nameWords splits a name into lower-case words: at characters other than letters and
// digits, before a capital after a small letter, and between letters and digits.
func nameWords(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	var last rune
	for _, r := range name {
		letter, digit := unicode.IsLetter(r), unicode.IsDigit(r)
		if !letter && !digit || unicode.IsUpper(r) && unicode.IsLower(last) || digit && unicode.IsLetter(last) || letter && unicode.IsDigit(last) {
			end()
		}
		if letter || digit {
			word = append(word, r)
		}
		last = r
	}
	end()
	return words
}
