//go:build unix

package ownfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(path); string(b) != "text" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if info, err := Stat(path); err != nil || info.Size() != 4 {
		t.Errorf("%v, %v", info, err)
	}
	for _, other := range []string{filepath.Dir(path), "/dev/null", path + "x"} {
		if _, err := Read(other); err == nil {
			t.Errorf("%s was read", other)
		}
		if _, err := Stat(other); err == nil {
			t.Errorf("%s passed", other)
		}
	}
	if os.Geteuid() != 0 {
		return // only the administrator can give files away
	}
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Skip(err)
	}
	if _, err := Read(path); err == nil {
		t.Error("another user's file was read")
	}
	if _, err := Stat(path); err == nil {
		t.Error("another user's file passed")
	}
}
