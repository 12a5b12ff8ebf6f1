package scenes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/caption/score"
	"gaze/pkg/data"
)

func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		out[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWriteIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	for _, format := range []string{"jpg", "png"} {
		var first map[string][]byte
		for _, workers := range []int{1, 3, 8} {
			dir := filepath.Join(t.TempDir(), "set")
			set := Set{Seed: 2, Size: 24, Train: 12, Val: 5, Test: 0, HeldOut: 4}
			if err := Write(t.Context(), dir, set, WriteOptions{Format: format, Masks: true, Workers: workers}); err != nil {
				t.Fatal(err)
			}
			got := files(t, dir)
			if first == nil {
				first = got
			}
			if !maps.EqualFunc(first, got, bytes.Equal) {
				t.Errorf("%s: %d workers write other files than one", format, workers)
			}
		}
	}
}

func TestWrittenIsWhatDrawDraws(t *testing.T) {
	dir := t.TempDir()
	set := Set{Seed: 2, Size: 32, Train: 3, HeldOut: 2}
	if err := Write(t.Context(), dir, set, WriteOptions{Format: "png", Masks: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "val")); err == nil {
		t.Error("a split without pictures has a folder")
	}
	refs, err := score.ReadReferences(filepath.Join(dir, "heldout.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(refs.Images, []string{"3", "4"}) {
		t.Errorf("the pictures are %v", refs.Images)
	}
	var f file
	if err := json.Unmarshal(files(t, dir)["heldout.json"], &f); err != nil {
		t.Fatal(err)
	}
	for i, e := range f.Images {
		want := scene(t, 2, i, 32, HeldOut)
		if !slices.Equal(refs.Captions[fmt.Sprint(e.ID)], want.Captions) {
			t.Errorf("captions %q, want %q", refs.Captions[fmt.Sprint(e.ID)], want.Captions)
		}
		same(t, filepath.Join(dir, "heldout", e.File), want.Image.Pix, 3)
		if len(e.Nouns) != len(want.Nouns) {
			t.Fatalf("%d nouns, want %d", len(e.Nouns), len(want.Nouns))
		}
		for k, n := range want.Nouns {
			got := e.Nouns[k]
			if got.Word != n.Word || !slices.Equal(got.Words, n.Words) || got.Kind != n.Kind.String() {
				t.Errorf("noun %+v, want %+v", got, n)
			}
			same(t, filepath.Join(dir, "heldout-masks", got.Mask), n.Mask.Pix, 1)
		}
	}
	words := strings.Fields(string(files(t, dir)["words.txt"]))
	if !slices.Equal(words, Words()) {
		t.Errorf("words.txt has %v", words)
	}
}

// same checks that a file holds the values.
func same(t *testing.T, path string, want []uint8, channels int) {
	t.Helper()
	got, err := data.Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range want {
		if got.Pix[i/channels*got.Channels+i%channels] != v {
			t.Fatalf("%s: value %d differs", path, i)
		}
	}
}

func TestWriteLeavesNothingHalf(t *testing.T) {
	parent := t.TempDir()
	full := filepath.Join(parent, "full")
	if err := os.Mkdir(full, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(full, "keep"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	small := Set{Size: 16, Train: 9}
	for name, c := range map[string]struct {
		ctx  context.Context
		dir  string
		set  Set
		o    WriteOptions
		want string
	}{
		"stopped":     {stopped, "a", small, WriteOptions{}, "context canceled"},
		"full folder": {t.Context(), "full", small, WriteOptions{}, "not empty"},
		"inside file": {t.Context(), "full/keep/x", small, WriteOptions{}, "keep"},
		"format":      {t.Context(), "a", small, WriteOptions{Format: "gif"}, `"gif"`},
		"size":        {t.Context(), "a", Set{Size: 3, Train: 9}, WriteOptions{}, "3 pixels"},
		"count":       {t.Context(), "a", Set{Size: 16, Train: 9, Test: -2}, WriteOptions{}, "test of -2"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Write(c.ctx, filepath.Join(parent, c.dir), c.set, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			entries, err := os.ReadDir(parent)
			if left := slices.Sorted(maps.Keys(files(t, parent))); err != nil || len(entries) != 1 || !slices.Equal(left, []string{"full/keep"}) {
				t.Errorf("left behind: %v, %v (error %v)", entries, left, err)
			}
		})
	}
}
