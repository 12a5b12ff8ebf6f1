// Package damagedfile damages files for tests, by recipes that delete, insert and
// overwrite bytes. It applies the same recipes as the scripts in tools/golden that
// recorded Pillow's result for each damaged file. It knows no picture formats.
package damagedfile

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Case is a damaged file with Pillow's result for it.
type Case struct {
	Name   string   // of the undamaged file
	Recipe string   // see [Apply]
	Rest   []string // the other columns
}

// Cases reads a table whose lines have a name, a recipe and other columns, separated by
// tabs.
func Cases(table []byte) (list []Case, err error) {
	for line := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) < 3 {
			return nil, fmt.Errorf("a line of %d columns: %q", len(f), line)
		}
		list = append(list, Case{f[0], f[1], f[2:]})
	}
	return list, nil
}

// Apply damages a file by a recipe: words separated by spaces, applied in order. "-AT,N"
// deletes N bytes at offset AT, "+AT,HEX" inserts bytes, "=AT,HEX" overwrites bytes. Any
// other word is passed to other, which may be nil.
func Apply(data []byte, recipe string, other func(word string, data []byte) ([]byte, error)) ([]byte, error) {
	data = slices.Clone(data)
	for word := range strings.FieldsSeq(recipe) {
		where, what, found := strings.Cut(word[1:], ",")
		at, err := strconv.Atoi(where)
		if !found || err != nil {
			if other == nil {
				return nil, fmt.Errorf("recipe %q: %q", recipe, word)
			}
			if data, err = other(word, data); err != nil {
				return nil, err
			}
			continue
		}
		at = min(at, len(data))
		if word[0] == '-' {
			n, err := strconv.Atoi(what)
			if err != nil {
				return nil, fmt.Errorf("recipe %q: %w", recipe, err)
			}
			data = slices.Delete(data, at, min(at+n, len(data)))
			continue
		}
		b, err := hex.DecodeString(what)
		if err != nil {
			return nil, fmt.Errorf("recipe %q: %w", recipe, err)
		}
		if word[0] == '=' {
			data = slices.Delete(data, at, min(at+len(b), len(data)))
		}
		data = slices.Insert(data, at, b...)
	}
	return data, nil
}
