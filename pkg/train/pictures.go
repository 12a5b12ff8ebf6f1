package train

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/textfile"
	"gaze/pkg/data"
)

// picturesFile lists the pictures that a run was trained and validated on.
const picturesFile = "pictures.csv"

// Use says what a run used a picture for.
type Use string

// The uses of a picture.
const (
	Trained   Use = "train"    // trained on
	HeldApart Use = "held-out" // a training picture that was validated on instead
	Validated Use = "val"      // validated on
)

// Picture is a line of a run's pictures.csv.
type Picture struct {
	Use   Use
	Name  string // relative to its set's folder
	Class string
	// Sum is the first 16 hexadecimal digits of the SHA-256 of its file; "" if it isn't
	// known.
	Sum string
}

// SumText is a file's sum as [Picture.Sum] has it.
func SumText(sum data.Sum) string { return hex.EncodeToString(sum[:8]) }

var pictureColumns = []string{"use", "filename", "label", "sha256"}

// writePictures is the text of pictures.csv.
func writePictures(list []Picture) ([]byte, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	if err := w.Write(pictureColumns); err != nil {
		return nil, err
	}
	for _, p := range list {
		if err := w.Write([]string{string(p.Use), p.Name, p.Class, p.Sum}); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return text.Bytes(), w.Error()
}

// Pictures reads pictures.csv in a run's folder. Runs of earlier versions have none: the
// error is then an [fs.ErrNotExist].
func Pictures(dir string) ([]Picture, error) {
	path := filepath.Join(dir, picturesFile)
	text, err := textfile.ReadRaw(path)
	if err != nil {
		return nil, err
	}
	return parsePictures(path, text)
}

func parsePictures(path string, text []byte) ([]Picture, error) {
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], pictureColumns) {
		return nil, fmt.Errorf("%s: its first line isn't %s", path, strings.Join(pictureColumns, ","))
	}
	list := make([]Picture, len(rows)-1)
	for i, row := range rows[1:] {
		use := Use(row[0])
		if use != Trained && use != HeldApart && use != Validated {
			return nil, fmt.Errorf("%s: line %d: the use %q is none of %s, %s and %s", path, i+2, row[0], Trained, HeldApart, Validated)
		}
		list[i] = Picture{Use: use, Name: row[1], Class: row[2], Sum: row[3]}
	}
	return list, nil
}
