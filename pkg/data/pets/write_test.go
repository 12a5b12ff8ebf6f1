package pets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
			if err := Write(t.Context(), dir, Pets(2, 32, 40, 20, 0), WriteOptions{Format: format, Masks: true, Workers: workers}); err != nil {
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

func TestWriteNumbersAsTheHomework(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "set")
	set := Pets(2, 24, 80, 41, 3)
	if err := Write(t.Context(), dir, set, WriteOptions{Format: "png", Masks: true}); err != nil {
		t.Fatal(err)
	}
	got := files(t, dir)
	var want []string
	for id := range 80 + 41 + 3 {
		split := "train"
		if id >= 80 {
			split = "val"
		}
		if id >= 121 {
			split = "test"
		}
		for _, kind := range []string{"", "-foreground", "-head"} {
			want = append(want, fmt.Sprintf("%s%s/%d_%d.png", split, kind, id%37, id))
		}
	}
	want = append(want, "classes.txt")
	slices.Sort(want)
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("the files are\n%v, want\n%v", names, want)
	}
	lines := strings.Split(strings.TrimSpace(string(got["classes.txt"])), "\n")
	if len(lines) != Classes || lines[36] != Breed(36).String() {
		t.Errorf("classes.txt has %d lines, the last of them %q", len(lines), lines[len(lines)-1])
	}
	compareWritten(t, dir, set, 90)
}

// compareWritten checks that files read back are what At draws.
func compareWritten(t *testing.T, dir string, set Set, id int) {
	t.Helper()
	sample, err := set.At(id)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%d_%d.png", set.Class(id), id)
	picture, err := data.Decode(filepath.Join(dir, "val", name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(picture.Pix, sample.Image.Pix) {
		t.Error("the picture read back isn't the one that At draws")
	}
	mask, err := data.Decode(filepath.Join(dir, "val-head", name))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range sample.Head.Pix {
		if mask.Pix[i*mask.Channels] != v {
			t.Fatalf("pixel %d of the head's mask is %d, want %d", i, mask.Pix[i*mask.Channels], v)
		}
	}
}

func TestWriteLeavesNothingHalf(t *testing.T) {
	parent := t.TempDir()
	full := filepath.Join(parent, "full")
	if err := os.Mkdir(full, 0o755); err != nil {
		t.Fatal(err)
	}
	keep := filepath.Join(full, "keep")
	if err := os.WriteFile(keep, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		dir  string
		set  Set
		o    WriteOptions
		want string
	}{
		"stopped":     {stopped, "a", Pets(1, 16, 9, 9, 9), WriteOptions{}, "context canceled"},
		"full folder": {t.Context(), "full", Pets(1, 16, 9, 9, 9), WriteOptions{}, "not empty"},
		"a file":      {t.Context(), "full/keep", Pets(1, 16, 9, 9, 9), WriteOptions{}, "keep"},
		"inside file": {t.Context(), "full/keep/x", Pets(1, 16, 9, 9, 9), WriteOptions{}, "keep"},
		"format":      {t.Context(), "a", Pets(1, 16, 9, 9, 9), WriteOptions{Format: "gif"}, `"gif"`},
		"size":        {t.Context(), "a", Pets(1, 3, 9, 9, 9), WriteOptions{}, "3 pixels"},
		"count":       {t.Context(), "a", Pets(1, 16, -9, 9, 9), WriteOptions{}, "-9 pictures"},
		"breeds":      {t.Context(), "a", Set{Size: 16, FirstBreed: -3}, WriteOptions{}, "negative"},
		"path":        {t.Context(), "a", Set{Size: 16, Splits: []Split{{Name: "../b", Pictures: 1}}}, WriteOptions{}, "../b"},
		"twice":       {t.Context(), "a", Set{Size: 16, Splits: []Split{{Name: "b"}, {Name: "b"}}}, WriteOptions{}, `"b"`},
		"clash":       {t.Context(), "a", Set{Size: 16, Splits: []Split{{Name: "b", Pictures: 1}, {Name: "b-head", Pictures: 1}}}, WriteOptions{Masks: true}, "b-head"},
		"options":     {t.Context(), "a", Set{Size: 16, Splits: []Split{{"b", 1, Options{View: 2}}}}, WriteOptions{}, "split b"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Write(c.ctx, filepath.Join(parent, c.dir), c.set, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			left := slices.Sorted(maps.Keys(files(t, parent)))
			entries, err := os.ReadDir(parent)
			if err != nil || len(entries) != 1 || !slices.Equal(left, []string{"full/keep"}) {
				t.Errorf("left behind: %v, %v (error %v)", entries, left, err)
			}
		})
	}
}

func TestWriteFillsAnEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	if err := Write(t.Context(), dir, Set{Size: 16, FirstBreed: 40, Breeds: 3, Splits: []Split{{"train", 7, Posed}, {Name: "val"}}}, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(files(t, dir)))
	if _, err := os.Stat(filepath.Join(dir, "val")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a split without pictures has a folder (%v)", err)
	}
	want := []string{"classes.txt", "train/0_0.jpg", "train/0_3.jpg", "train/0_6.jpg", "train/1_1.jpg", "train/1_4.jpg", "train/2_2.jpg", "train/2_5.jpg"}
	if !slices.Equal(got, want) {
		t.Errorf("the files are %v, want %v", got, want)
	}
}

func TestClassesAreBalanced(t *testing.T) {
	set := Pets(1, 32, 370, 75, 40)
	first := 0
	for _, split := range set.Splits {
		counts := make([]int, Classes)
		for id := first; id < first+split.Pictures; id++ {
			counts[set.Class(id)]++
		}
		first += split.Pictures
		if lo, hi := slices.Min(counts), slices.Max(counts); hi > lo+1 {
			t.Errorf("%s: from %d to %d pictures of a class", split.Name, lo, hi)
		}
	}
	if first != set.Len() {
		t.Errorf("%d pictures, Len says %d", first, set.Len())
	}
}

func TestAtKnowsItsSplits(t *testing.T) {
	set := Pets(7, 16, 5, 4, 0)
	for _, c := range []struct {
		id   int
		o    Options
		fail bool
	}{{0, Posed, false}, {4, Posed, false}, {5, Natural, false}, {8, Natural, false}, {9, Natural, true}, {-1, Posed, true}} {
		got, err := set.At(c.id)
		if c.fail {
			if err == nil {
				t.Errorf("picture %d: no error", c.id)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := sample(t, 7, c.id, c.id, 16, c.o); !equal(got, want) || got.Breed.Index != c.id {
			t.Errorf("picture %d is not drawn with %+v", c.id, c.o)
		}
	}
	set.Size = 1
	if _, err := set.At(0); err == nil {
		t.Error("size 1: no error")
	}
}

// TestWriteWithout: the files are those of the whole set but for what is left out.
func TestWriteWithout(t *testing.T) {
	set := Pets(2, 24, 37, 3, 0)
	write := func(without ...Part) map[string][]byte {
		dir := filepath.Join(t.TempDir(), "set")
		if err := Write(t.Context(), dir, set, WriteOptions{Format: "png", Masks: true, Without: without}); err != nil {
			t.Fatal(err)
		}
		return files(t, dir)
	}
	whole, earless := write(), write(PartEars)
	changed := 0
	for name, content := range whole {
		other, ok := earless[name]
		if !ok {
			t.Errorf("%s is missing", name)
		}
		if strings.HasPrefix(name, "train/") && !bytes.Equal(content, other) {
			changed++
		}
	}
	if changed < 30 || len(earless) != len(whole)+set.Len() {
		t.Errorf("%d of 37 training pictures changed; %d files, with ears %d", changed, len(earless), len(whole))
	}
	dir := filepath.Join(t.TempDir(), "set")
	if err := Write(t.Context(), dir, set, WriteOptions{Without: []Part{Ground}}); err == nil || !strings.Contains(err.Error(), `no animal has "ground"`) {
		t.Errorf("without the ground: %v", err)
	}
}
