package hub

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestShipped: shipped checkpoints need no network, are restored if damaged, and are
// replaced if the program has other weights.
func TestShipped(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	path, err := Resolve("pets-vit")
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil || len(good) == 0 || len(good) > 5_000_000 {
		t.Fatalf("%d bytes, %v: it must be at most 5 MB", len(good), err)
	}
	r, err := Pull(context.Background(), "pets-vit", Options{})
	if err != nil || !r.Cached || r.Path != path || r.License == "" {
		t.Fatalf("pulled: %+v, %v", r, err)
	}
	same := func(what string) {
		t.Helper()
		if again, err := Resolve("pets-vit"); err != nil || again != path {
			t.Fatalf("%s: %s, %v", what, again, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != string(good) {
			t.Errorf("%s: the file is another, %v", what, err)
		}
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	same("cut")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	same("removed")
	// An older program's weights of the same size.
	dir := filepath.Dir(path)
	old, err := readRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	old.Files[0].SHA256 = old.Files[1].SHA256
	if err := old.write(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, len(good)), 0o644); err != nil {
		t.Fatal(err)
	}
	same("of another version")
}
