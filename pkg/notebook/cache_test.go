package notebook

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

type result struct{ Values []float32 }

func TestCached(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when needed")
	calls := 0
	get := func(key ...any) result {
		t.Helper()
		r, err := Cached(dir, "maps", key, func() (result, error) {
			calls++
			return result{Values: []float32{1, float32(calls)}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := get("a", 1)
	if again := get("a", 1); calls != 1 || !slices.Equal(again.Values, first.Values) {
		t.Errorf("computed %d times for one key; %v then %v", calls, first, again)
	}
	if get("a", 2); calls != 2 {
		t.Errorf("another key computed %d times in all, want 2", calls)
	}
	if get("a", "1"); calls != 3 {
		t.Error("the number 1 and the string 1 have the same key")
	}
}

func TestDamagedEntryIsComputedAgain(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"truncated": func(b []byte) []byte { return b[:10] },
		"flipped":   func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"empty":     func([]byte) []byte { return nil },
	} {
		dir, calls := t.TempDir(), 0
		compute := func() (result, error) { calls++; return result{Values: []float32{7}}, nil }
		if _, err := Cached(dir, "x", nil, compute); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[0], damage(data), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Cached(dir, "x", nil, compute)
		if err != nil || calls != 2 || len(r.Values) != 1 || r.Values[0] != 7 {
			t.Errorf("%s: %v, %v after %d computations", name, r, err, calls)
		}
	}
}

func TestCachedKeepsErrorsOut(t *testing.T) {
	dir, broken := t.TempDir(), errors.New("broken")
	if _, err := Cached(dir, "x", nil, func() (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if got, err := Cached(dir, "x", nil, func() (int, error) { return 5, nil }); got != 5 || err != nil {
		t.Errorf("after an error: %d, %v", got, err)
	}
	if got, err := Cached("", "x", nil, func() (int, error) { return 6, nil }); got != 6 || err != nil {
		t.Errorf("without a folder: %d, %v", got, err)
	}
}

func TestFileKeyFollowsTheContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	first, err := FileKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	second, err := FileKey(path)
	if err != nil || first == second {
		t.Errorf("key %q before and %q after a change (%v)", first, second, err)
	}
	if _, err := FileKey(path + "x"); err == nil {
		t.Error("a missing file has a key")
	}
}

// TestKeyOfAFolder checks that a folder's key changes with its content.
func TestKeyOfAFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "model.safetensors")
	seen := map[string]bool{}
	for _, text := range []string{"a", "ab", "abc"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		key, err := FileKey(dir)
		if err != nil || seen[key] {
			t.Errorf("%q: %q, %v", text, key, err)
		}
		seen[key] = true
	}
}
