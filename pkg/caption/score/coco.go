package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"gaze/internal/textfile"
)

// A Caption is one entry of a file in COCO's format.
type Caption struct {
	Image string // image_id; the number 42 and the text "42" are the same
	Text  string
}

// References are the captions in a file in COCO's format.
type References struct {
	Path     string
	Images   []string // in the order of the file's "images", then as captions name them
	Captions map[string][]string
	Numbers  map[string]bool // the pictures whose id is a number where the file first names it, not a text
}

// entry is a caption as the file has it.
type entry struct {
	Image   json.RawMessage `json:"image_id"`
	Caption *string         `json:"caption"`
}

// ReadReferences reads the captions of pictures: an object whose "annotations"
// are a list of objects with an image_id (a whole number or a text) and a caption.
// "images", if given, sets the order of the pictures; other keys are ignored. Errors name
// the file, the entry (counted from 0) and the picture.
func ReadReferences(path string) (*References, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return parseReferences(path, data)
}

func parseReferences(path string, data []byte) (*References, error) {
	var file struct {
		Annotations *[]entry
		Images      []struct{ ID json.RawMessage }
	}
	if err := decode(path, data, &file, `an object with "annotations", as COCO's captions_val2014.json`); err != nil {
		return nil, err
	}
	if file.Annotations == nil || len(*file.Annotations) == 0 {
		return nil, fmt.Errorf(`%s: no references: "annotations" is missing or empty`, path)
	}
	captions, err := entries(path, *file.Annotations)
	if err != nil {
		return nil, err
	}
	refs := &References{Path: path, Captions: map[string][]string{}, Numbers: map[string]bool{}}
	listed := map[string]bool{}
	list := func(id string, raw json.RawMessage) {
		if !listed[id] {
			listed[id] = true
			refs.Images = append(refs.Images, id)
			if raw[0] != '"' {
				refs.Numbers[id] = true
			}
		}
	}
	for i, im := range file.Images {
		id, err := identity(im.ID)
		if err != nil {
			return nil, fmt.Errorf(`%s: "images", entry %d: id %w`, path, i, err)
		}
		list(id, im.ID)
	}
	for i, c := range captions {
		list(c.Image, (*file.Annotations)[i].Image)
		refs.Captions[c.Image] = append(refs.Captions[c.Image], c.Text)
	}
	return refs, nil
}

// ReadResults reads generated captions: a list of objects with an image_id and a
// caption, one for each picture. Errors are like those of ReadReferences; a second caption
// for a picture is an error, too.
func ReadResults(path string) ([]Caption, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return parseResults(path, data)
}

func parseResults(path string, data []byte) ([]Caption, error) {
	var list []entry
	if err := decode(path, data, &list, "a list of {image_id, caption}"); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no results: the list is empty", path)
	}
	captions, err := entries(path, list)
	if err != nil {
		return nil, err
	}
	first := map[string]int{}
	for i, c := range captions {
		if j, ok := first[c.Image]; ok {
			return nil, fmt.Errorf("%s: entry %d (image_id %s): entry %d is a result for this picture already; keep one", path, i, c.Image, j)
		}
		first[c.Image] = i
	}
	return captions, nil
}

func read(path string) ([]byte, error) {
	data, err := textfile.ReadRaw(path)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fmt.Errorf("%s: the file is empty", path)
	}
	return data, nil
}

// decode reads JSON. Errors say where in the file it is wrong.
func decode(path string, data []byte, to any, want string) error {
	err := json.Unmarshal(data, to)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil && string(bytes.TrimSpace(data)) == "null":
		return fmt.Errorf("%s: null where %s is needed", path, want)
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: %s: not JSON: %w", path, place(data, syntax.Offset), err)
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("%s: %s where %s is needed", path, kind.Value, want)
	case errors.As(err, &kind):
		return fmt.Errorf("%s: %s: %s is a %s, not a %s", path, place(data, kind.Offset), kind.Field, kind.Value, kind.Type)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// place turns an offset into the line and column that editors show.
func place(data []byte, offset int64) string {
	before := data[:min(max(0, offset-1), int64(len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("line %d, column %d", line, len(before)-bytes.LastIndexByte(before, '\n'))
}

func entries(path string, list []entry) ([]Caption, error) {
	out := make([]Caption, len(list))
	for i, e := range list {
		id, err := identity(e.Image)
		if err != nil {
			return nil, fmt.Errorf("%s: entry %d: image_id %w", path, i, err)
		}
		if e.Caption == nil {
			return nil, fmt.Errorf("%s: entry %d (image_id %s): no caption", path, i, id)
		}
		out[i] = Caption{Image: id, Text: *e.Caption}
	}
	return out, nil
}

// identity is a picture's id as text. 42, 42.0 and "42" are the same.
func identity(raw json.RawMessage) (string, error) {
	var text string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", errors.New("is missing")
	case raw[0] == '"':
		if err := json.Unmarshal(raw, &text); err != nil || text == "" {
			return "", errors.New("is an empty text")
		}
		return text, nil
	case raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'):
		return "", fmt.Errorf("is %.20s; it must be a whole number or a text", raw)
	case len(raw) > 40: // a number no counter reaches: 1e999999999 must not be written out
		return "", fmt.Errorf("is %.20s…, too long a number", raw)
	}
	number, _, err := big.ParseFloat(string(raw), 10, 200, big.ToNearestEven)
	if err != nil || !number.IsInt() || number.MantExp(nil) > 128 {
		return "", fmt.Errorf("is %s; it must be a whole number or a text", raw)
	}
	if number.Sign() == 0 {
		return "0", nil // also of -0
	}
	return number.Text('f', 0), nil
}
