package caption

import (
	"errors"
	"fmt"

	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/vit"
)

// Open reads a captioner with its vocabulary: that of the file vocab, or, if that is
// "", the one in the captioner's file or folder, or, if there is none, that of the file
// fallback. Of a file with several sets of weights it takes the one called set, as
// [LoadSet] does. That there is no vocabulary, or another model's, is an error.
func Open(path, set, vocab, fallback string) (*Model, error) {
	m, err := LoadSet(path, set)
	if err != nil {
		return nil, notACaptioner(path, err)
	}
	if vocab == "" && m.Vocab != nil {
		return m, nil
	}
	if vocab == "" {
		vocab = fallback
	}
	if err := m.readVocab(path, vocab); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// notACaptioner is the error for a file that was refused. If it holds a Vision
// Transformer, the error says so.
func notACaptioner(path string, err error) error {
	m, wrong := vit.Load(path)
	if wrong != nil {
		return err
	}
	err = fmt.Errorf("%s holds a Vision Transformer (%s), which doesn't caption: `gaze classify` and `gaze attend` use it, `gaze models` lists captioners", path, m.Name)
	return errors.Join(err, m.Close())
}

// readVocab gives the model, which was read from path, the vocabulary of a file.
func (m *Model) readVocab(path, file string) error {
	if file == "" {
		return fmt.Errorf("caption: %s has no vocabulary: fetch the usual one with `gaze pull bert-base-uncased`, put vocab.txt beside it, or name the file with --vocab", path)
	}
	v, err := wordpiece.Load(file)
	if err != nil {
		return err
	}
	if v.Len() != m.Config.Vocab {
		return fmt.Errorf("caption: %s has %d word pieces, %s was made for %d: it is the vocabulary of another model", file, v.Len(), path, m.Config.Vocab)
	}
	m.Vocab = v
	return nil
}
