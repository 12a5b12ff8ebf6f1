package data

import (
	"os"
	"strings"
	"testing"
)

// TestOnlyRegularFiles checks that files which might wait forever, such as pipes, aren't
// opened; a device stands for all of them.
func TestOnlyRegularFiles(t *testing.T) {
	_, err := Decode(os.DevNull)
	if err == nil || !strings.Contains(err.Error(), "not a regular file") || !strings.Contains(err.Error(), os.DevNull) {
		t.Errorf("Decode(%s): %v", os.DevNull, err)
	}
}

// TestHashOnlyRegularFiles: a table may list a file that never ends.
func TestHashOnlyRegularFiles(t *testing.T) {
	set := &Dataset{Classes: []string{"a"}, Items: []Item{{Path: os.DevNull}}}
	if _, err := set.Hash(t.Context()); err == nil || !strings.Contains(err.Error(), "not a regular file") || !strings.Contains(err.Error(), os.DevNull) {
		t.Errorf("Hash of %s: %v", os.DevNull, err)
	}
}
