package hub

import (
	"errors"
	"os"
	"path/filepath"
)

// LaptopCaptioner is the captioner that comes with the program.
const LaptopCaptioner = "scenes-captioner"

// bertVocab is the vocabulary of the published captioners.
const bertVocab = "bert-base-uncased"

// vocabFile and trainedFile are files that lie beside a captioner's weights.
const (
	vocabFile   = "vocab.txt"
	trainedFile = "record.json"
)

// CaptionerFiles lists the files that are read besides the weights of a captioner at
// path, or would be if they existed.
func CaptionerFiles(path string) []string {
	files := []string{filepath.Join(folderOf(path), vocabFile), filepath.Join(folderOf(path), trainedFile)}
	if cached, ok := Path(bertVocab); ok {
		files = append(files, cached)
	}
	return files
}

// VocabFile finds the vocabulary of a captioner that lies at path and brings none:
// vocab.txt beside it, else bert-base-uncased's if that was pulled, else "".
func VocabFile(path string) string {
	beside := filepath.Join(folderOf(path), vocabFile)
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	cached, _ := Path(bertVocab)
	return cached
}

// CaptionerRecord is the record of how a captioner was trained, record.json beside
// its weights; nil if there is none.
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

// folderOf is the folder that a checkpoint's files lie in; path may be that itself.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}
