// Package wordpiece turns texts into the tokens of BERT's uncased models and back. A
// [Vocab] is read from a file like BERT's vocab.txt; its Encode and Decode give what
// transformers' BertTokenizer gives. It knows vocabularies and text, no model.
package wordpiece

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gaze/internal/textfile"
)

// Vocab is a vocabulary. The id of a token is its line in the file, from 0.
// Tokens that continue a word begin with "##".
type Vocab struct {
	tokens []string
	ids    map[string]int
	// ids of special tokens, -1 for those that it hasn't; it must have [UNK]
	unknown, start, end, pad, mask int
}

// Bounds of a vocabulary file, in lines and in bytes. The largest in use have a quarter as
// many lines.
const (
	maxVocab      = 1 << 20
	maxVocabBytes = 64 << 20
)

// Load reads a vocabulary file like BERT's vocab.txt, with one token a line. White
// space at the ends of lines and empty lines at the end are left out. An empty line
// between others is a token, since it takes an id.
func Load(path string) (*Vocab, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// Read is [Load] for an open file.
func Read(r io.Reader) (*Vocab, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxVocabBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxVocabBytes {
		return nil, fmt.Errorf("more than %d MiB: this isn't a vocabulary", maxVocabBytes>>20)
	}
	text, err := textfile.Decode("", data)
	if err != nil {
		return nil, fmt.Errorf("%w (it isn't a vocabulary, or not UTF-8: give a file like BERT's vocab.txt)", err)
	}
	tokens := textfile.Lines(textfile.Newlines(string(text)))
	if len(tokens) > maxVocab {
		return nil, fmt.Errorf("more than %d lines: this isn't a vocabulary", maxVocab)
	}
	return New(tokens)
}

// New makes a vocabulary of tokens in the order of their ids. [UNK] must be among
// them; a token that is listed twice has the later id, as in BERT.
func New(tokens []string) (*Vocab, error) {
	v := &Vocab{tokens: tokens, ids: make(map[string]int, len(tokens))}
	for i, t := range tokens {
		v.ids[t] = i
	}
	find := func(token string) int {
		if id, ok := v.ids[token]; ok {
			return id
		}
		return -1
	}
	v.unknown, v.start, v.end = find("[UNK]"), find("[CLS]"), find("[SEP]")
	v.pad, v.mask = find("[PAD]"), find("[MASK]")
	if v.unknown < 0 {
		return nil, errors.New("there is no [UNK] among the word pieces: this isn't a WordPiece vocabulary (CATR's is that of bert-base-uncased)")
	}
	return v, nil
}

// Len is the number of tokens.
func (v *Vocab) Len() int { return len(v.tokens) }

// Token is the text of a token, with its "##"; "[UNK]" for an id that isn't in the
// vocabulary.
func (v *Vocab) Token(id int) string {
	if id < 0 || id >= len(v.tokens) {
		return "[UNK]"
	}
	return v.tokens[id]
}

// ID is the id of a token, given with its "##"; false if there is no such token.
func (v *Vocab) ID(token string) (int, bool) {
	id, ok := v.ids[token]
	return id, ok
}

// String is the vocabulary as [Read] reads it.
func (v *Vocab) String() string { return strings.Join(v.tokens, "\n") + "\n" }

// special says whether a token isn't part of a text.
func (v *Vocab) special(id int) bool {
	return id == v.unknown || id == v.start || id == v.end || id == v.pad || id == v.mask
}
