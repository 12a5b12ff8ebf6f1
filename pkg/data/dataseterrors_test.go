package data_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gaze/pkg/data"
)

// Every error names the file or line, and says what to do.
func TestOpenDatasetRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		open  string
		says  []string
	}{
		{"nothing there", nil, "none", []string{"none", "no such file"}},
		{"empty", nil, "", []string{"no pictures", "{class}_{id}.jpg"}},
		{"a picture", []string{"0_1.jpg"}, "0_1.jpg", []string{"0_1.jpg", "a data set is a folder, a .csv or a .jsonl file"}},
		{"only notes", []string{"notes.txt"}, "", []string{"no pictures"}},
		{"no class", []string{"0_1.jpg", "cat.jpg"}, "", []string{"cat.jpg", "no class", "{class}_{id}.jpg"}},
		{"no id", []string{"0_x.jpg"}, "", []string{"0_x.jpg", "no class"}},
		{"no class before the id", []string{"_1.jpg"}, "", []string{"_1.jpg", "no class"}},
		{"huge id", []string{"0_99999999999999999999.jpg"}, "", []string{"no class"}},
		{"a name for a class", []string{"cat_1.jpg"}, "", []string{"cat_1.jpg", `"cat" is not a number`, "classes.txt"}},
		{"names and numbers", []string{"0_2.jpg", "cat_1.jpg"}, "", []string{"cat_1.jpg", "others are numbers"}},
		{"class like an id", []string{"3680_1.jpg", "5000000_2.jpg"}, "", []string{"5000000_2.jpg", "limit"}},
		{"class beyond the list", []string{"0_1.jpg", "2_1.jpg", "classes.txt=a\nb"}, "", []string{"2_1.jpg", "has 2 (0 to 1)", "classes.txt"}},
		{"class not in the list", []string{"cat_1.jpg", "classes.txt=a\nb"}, "", []string{"cat_1.jpg", `"cat" is none of the 2`}},
		{"class twice in the list", []string{"a_1.jpg", "classes.txt=a\nb\na"}, "", []string{"a_1.jpg", "several classes", "use numbers"}},
		{"gap in the list", []string{"0_1.jpg", "classes.txt=a\n\nb"}, "", []string{"classes.txt:2", "empty"}},
		{"list in another coding", []string{"0_1.jpg", "classes.txt=\xff\xfe"}, "", []string{"classes.txt", "UTF-8"}},
		{"list is a folder", []string{"0_1.jpg", "classes.txt/x"}, "", []string{"classes.txt"}},
		{"a column for splits", []string{"a.jpg", "l.csv=filename,label,Split\na.jpg,1,val\n"}, "", []string{"l.csv:1", "column split", "train.csv"}},
		{"a column twice", []string{"a.jpg", "l.csv=filename,label, label\na.jpg,1,2\n"}, "", []string{"l.csv:1", "label twice"}},
		{"pictures beside class folders", []string{"0_1.jpg", "dog/a.jpg"}, "", []string{"0_1.jpg", "dog", "which layout"}},
		{"empty class folder", []string{"dog/a.jpg", "cat/"}, "", []string{"cat", "no pictures", "remove it"}},
		{"split and other folder", []string{"train/0_1.jpg", "extra/0_1.jpg"}, "", []string{"train", `"extra"`, "splits or classes"}},
		{"one split twice", []string{"val/0_1.jpg", "validation/0_1.jpg"}, "", []string{"val", "validation", "same split"}},
		{"empty split", []string{"train/0_1.jpg", "val/"}, "", []string{"val", "no pictures"}},
		{"class only in val", []string{"train/0_1.jpg", "val/1_2.jpg"}, "", []string{"1_2.jpg", `"1" has no picture in`, "train"}},
		{"class folder only in val", []string{"train/a/1.jpg", "val/b/2.jpg"}, "", []string{"2.jpg", `class "b"`}},
		{"two tables", []string{"0_1.jpg", "a.csv=filename,label", "b.csv=filename,label"}, "", []string{"a.csv, b.csv", "instead of the folder"}},
		{"picture not in the table", []string{"a.jpg", "b.jpg", "l.csv=filename,label\na.jpg,0\n"}, "", []string{"b.jpg", "l.csv doesn't list it"}},
		{"names and a table", []string{"0_1.jpg", "1_2.jpg", "pred.csv=filename,label\n0_1.jpg,1\n1_2.jpg,1\n"}, "", []string{"pred.csv give the classes", "instead of the folder"}},
		{"table of nothing", []string{"l.csv=\n"}, "l.csv", []string{"l.csv:1", "empty", "filename,label"}},
		{"header alone", []string{"l.csv=filename,label\n"}, "l.csv", []string{"l.csv:1", "no pictures"}},
		{"no header", []string{"l.csv=a.jpg,0\n"}, "l.csv", []string{"l.csv:1", "a.jpg,0", "columns filename and label"}},
		{"missing picture", []string{"a.jpg", "l.csv=filename,label\na.jpg,0\nb.jpg,1\n"}, "l.csv", []string{"l.csv:3", "b.jpg"}},
		{"a folder in the table", []string{"x/a.jpg", "l.csv=filename,label\nx,0\n"}, "l.csv", []string{"l.csv:2", "is a folder"}},
		{"comma without quotes", []string{"a.jpg", "l.csv=filename,label\na,b.jpg,0\n"}, "l.csv", []string{"l.csv:2", "3 columns", "quotes"}},
		{"too few columns", []string{"a.jpg", "l.csv=filename,label\na.jpg\n"}, "l.csv", []string{"l.csv:2", "1 of 2"}},
		{"no label", []string{"a.jpg", "l.csv=filename,label\na.jpg, \n"}, "l.csv", []string{"l.csv:2", "no label"}},
		{"open quote", []string{"a.jpg", "l.csv=filename,label\n\"a.jpg,0\n"}, "l.csv", []string{"l.csv:", "quote"}},
		{"two classes", []string{"a.jpg", "l.csv=filename,label\na.jpg,0\na.jpg,1\n"}, "l.csv", []string{"l.csv:3", `"1"`, `"0" on line 2`}},
		{"names and numbers in a table", []string{"a.jpg", "b.jpg", "l.csv=filename,label\na.jpg,0\nb.jpg,cat\n"}, "l.csv", []string{"l.csv:3", "others are numbers"}},
		{"class number in a table", []string{"a.jpg", "l.csv=filename,label\na.jpg,100000\n"}, "l.csv", []string{"l.csv:2", "limit"}},
		{"negative class", []string{"a.jpg", "l.csv=filename,label\na.jpg,-1\n", "classes.txt=x"}, "l.csv", []string{"l.csv:2", `"-1"`}},
	} {
		_, err := data.OpenDataset(filepath.Join(tree(t, tt.files...), tt.open))
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		for _, part := range tt.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q doesn't say %q", tt.name, err, part)
			}
		}
	}
}

func TestOpenDatasetFollowsLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
	dir := tree(t, "store/dogs/a.jpg", "store/dogs/sub/b.jpg", "set/cat/c.jpg")
	if err := os.Symlink(filepath.Join(dir, "store", "dogs"), filepath.Join(dir, "set", "dog")); err != nil {
		t.Fatal(err)
	}
	s, err := data.OpenDataset(filepath.Join(dir, "set"))
	if err != nil {
		t.Fatal(err)
	}
	if got := list(s); got != "train cat/c.jpg:cat dog/a.jpg:dog dog/sub/b.jpg:dog" {
		t.Error(got)
	}
}

func TestHashTellsDataSetsApart(t *testing.T) {
	sum := func(files ...string) string {
		s, err := data.OpenDataset(tree(t, files...))
		if err != nil {
			t.Fatal(err)
		}
		h, err := s.Train.Hash(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	seen := map[string]int{sum("0_1.jpg=x", "1_2.jpg=y"): 0}
	for i, files := range [][]string{
		{"0_1.jpg=x", "1_2.jpg=z"}, {"0_1.jpg=x", "1_3.jpg=y"}, {"0_1.jpg=y", "1_2.jpg=x"}, {"0_1.jpg=x", "0_2.jpg=y"},
		{"0_1.jpg=x", "1_2.jpg=y", "classes.txt=a\nb"}, {"0_1.jpg=x", "1_2.png=y"},
	} {
		h := sum(files...)
		if other, ok := seen[h]; ok {
			t.Errorf("sets %d and %d have the same hash", other, i+1)
		}
		seen[h] = i + 1
	}
	if _, ok := seen[sum("1_2.jpg=y", "0_1.jpg=x", "notes.txt=n")]; !ok {
		t.Error("the same set elsewhere has another hash")
	}
}

func TestHashFails(t *testing.T) {
	s, err := data.OpenDataset(tree(t, "0_1.jpg", "0_2.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Train.Hash(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := os.Remove(s.Train.Items[1].Path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Train.Hash(t.Context()); err == nil || !strings.Contains(err.Error(), "0_2.jpg") {
		t.Errorf("a picture is gone: %v", err)
	}
}

func TestSplitKeepsALastPicture(t *testing.T) {
	s, err := data.OpenDataset(tree(t, "0_1.jpg", "1_2.jpg", "1_3.jpg", "2_4.jpg", "2_5.jpg", "2_6.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	rest, part, err := s.Train.Split(4, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	if c := rest.Counts(); c[0] != 1 || c[1] != 1 || c[2] != 1 || part.Len() != 3 {
		t.Errorf("left %v, took %v", c, part.Counts())
	}
	for _, fraction := range []float64{0, 1, -1, 0.01} {
		if _, _, err := s.Train.Split(4, fraction); err == nil {
			t.Errorf("%g was split off", fraction)
		}
	}
}
