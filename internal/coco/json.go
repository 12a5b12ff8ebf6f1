package coco

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"

	"gaze/internal/textfile"
)

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
		return fmt.Errorf("%s: %s: %s is a %s, not a %s", path, place(data, kind.Offset), kind.Field, kind.Value, kindName(kind.Type))
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// kindName is the name in JSON of what a Go type holds.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Pointer:
		return kindName(t.Elem())
	}
	return t.String()
}

// place turns an offset into the line and column that editors show.
func place(data []byte, offset int64) string {
	before := data[:min(max(0, offset-1), int64(len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("line %d, column %d", line, len(before)-bytes.LastIndexByte(before, '\n'))
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
