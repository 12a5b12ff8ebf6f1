package caption

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gaze/internal/textfile"
)

// Vocab is a list of word pieces; a piece's id is its line, from 0. Pieces that
// go on a word begin with "##".
type Vocab struct {
	pieces []string
	ids    map[string]int
	// special pieces, -1 where there is none; [UNK] there must be
	unknown, start, end, pad, mask int
}

// Bounds of a vocabulary file, in lines and in bytes: the largest in use have a
// quarter of the lines.
const (
	maxVocab      = 1 << 20
	maxVocabBytes = 64 << 20
)

// LoadVocab reads a vocabulary file as BERT's vocab.txt: one piece a line. Blanks
// at the ends of lines, and blank lines at the end, are left out; a blank line
// between others is a piece, as it has an id.
func LoadVocab(path string) (*Vocab, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v, err := ReadVocab(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// ReadVocab reads what [LoadVocab] does.
func ReadVocab(r io.Reader) (*Vocab, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxVocabBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxVocabBytes {
		return nil, fmt.Errorf("more than %d MiB: this isn't a vocabulary", maxVocabBytes>>20)
	}
	text, err := textfile.Decode("", data)
	if err != nil {
		return nil, fmt.Errorf("%w (this isn't a vocabulary, or not in UTF-8)", err)
	}
	pieces := textfile.Lines(textfile.Newlines(string(text)))
	if len(pieces) > maxVocab {
		return nil, fmt.Errorf("more than %d lines: this isn't a vocabulary", maxVocab)
	}
	return NewVocab(pieces)
}

// NewVocab makes a vocabulary of pieces in the order of their ids. [UNK] must be
// among them; a piece that stands there twice has the later id, as in BERT.
func NewVocab(pieces []string) (*Vocab, error) {
	v := &Vocab{pieces: pieces, ids: make(map[string]int, len(pieces))}
	for i, p := range pieces {
		v.ids[p] = i
	}
	find := func(piece string) int {
		if id, ok := v.ids[piece]; ok {
			return id
		}
		return -1
	}
	v.unknown, v.start, v.end = find("[UNK]"), find("[CLS]"), find("[SEP]")
	v.pad, v.mask = find("[PAD]"), find("[MASK]")
	if v.unknown < 0 {
		return nil, errors.New("there is no [UNK] among the word pieces: this isn't a WordPiece vocabulary")
	}
	return v, nil
}

// Len is the number of pieces.
func (v *Vocab) Len() int { return len(v.pieces) }

// Piece is the text of a piece, with its "##"; "[UNK]" for an id that isn't there.
func (v *Vocab) Piece(id int) string {
	if id < 0 || id >= len(v.pieces) {
		return "[UNK]"
	}
	return v.pieces[id]
}

// ID is the id of a piece given exactly; false where there is none.
func (v *Vocab) ID(piece string) (int, bool) {
	id, ok := v.ids[piece]
	return id, ok
}

// String is the vocabulary as [ReadVocab] reads it.
func (v *Vocab) String() string { return strings.Join(v.pieces, "\n") + "\n" }

// special tells the pieces that aren't part of a text.
func (v *Vocab) special(id int) bool {
	return id == v.unknown || id == v.start || id == v.end || id == v.pad || id == v.mask
}
