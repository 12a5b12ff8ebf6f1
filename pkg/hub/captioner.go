package hub

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gaze/pkg/caption"
	"gaze/pkg/vit"
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

// CheckpointFiles lists the files that are read of a checkpoint, a Vision Transformer or
// a captioner, or would be if they were there; nothing for what [Resolve] doesn't find.
func CheckpointFiles(fileOrName string) []string {
	path, err := Resolve(fileOrName)
	if err != nil {
		return nil
	}
	files := vit.Files(path)
	for _, name := range []string{vocabFile, trainedFile} {
		files = append(files, filepath.Join(folderOf(path), name))
	}
	if cached, ok := Path(bertVocab); ok {
		files = append(files, cached)
	}
	return files
}

// OpenCaptioner opens a captioner, a file or the name of a known one, with its
// words: those of the file vocab, or, if that is "", those that came with the
// weights, a vocab.txt beside them, or the cache's bert-base-uncased.
func OpenCaptioner(fileOrName, vocab string) (*caption.Model, error) {
	return OpenCaptionerSet(fileOrName, "", vocab)
}

// OpenCaptionerSet is [OpenCaptioner] for a file with several sets of weights: it
// takes the one called set, as [caption.LoadSet] does.
func OpenCaptionerSet(fileOrName, set, vocab string) (*caption.Model, error) {
	path, err := Resolve(fileOrName)
	if err != nil {
		return nil, err
	}
	m, err := caption.LoadSet(path, set)
	if err != nil {
		return nil, notACaptioner(path, err)
	}
	if err := findWords(m, path, vocab); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// notACaptioner is the error of a file that was refused, which says more of one that
// is a Vision Transformer.
func notACaptioner(path string, err error) error {
	m, wrong := vit.Load(path)
	if wrong != nil {
		return err
	}
	err = fmt.Errorf("%s holds a Vision Transformer (%s), which doesn't caption: `gaze classify` and `gaze attend` use it, `gaze models` lists captioners", path, m.Name)
	return errors.Join(err, m.Close())
}

// findWords gives the model its vocabulary.
func findWords(m *caption.Model, path, vocab string) error {
	if vocab == "" && m.Vocab != nil {
		return nil
	}
	file := vocab
	if beside := filepath.Join(folderOf(path), vocabFile); file == "" {
		if _, err := os.Stat(beside); err == nil {
			file = beside
		} else if cached, ok := Path(bertVocab); ok {
			file = cached
		}
	}
	if file == "" {
		return fmt.Errorf("hub: %s comes without its words: fetch them once with `gaze pull %s`, put vocab.txt beside it, or name the file with --vocab", path, bertVocab)
	}
	v, err := caption.LoadVocab(file)
	if err != nil {
		return err
	}
	if v.Len() != m.Config.Vocab {
		return fmt.Errorf("hub: %s has %d word pieces, %s was made for %d: it is the vocabulary of another model", file, v.Len(), path, m.Config.Vocab)
	}
	m.Vocab = v
	return nil
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
