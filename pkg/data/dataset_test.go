package data_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data"
	"gaze/pkg/data/pets"
)

func TestOpenDatasetReadsDrawnPets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pets")
	set := pets.Pets(3, 16, 74, 37, 37)
	if err := pets.Write(t.Context(), dir, set, pets.WriteOptions{Masks: true}); err != nil {
		t.Fatal(err)
	}
	s, err := data.OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Classes) != 37 || !strings.HasPrefix(s.Classes[7], pets.Breed(7).String()) {
		t.Errorf("%d classes, %q", len(s.Classes), s.Classes[7])
	}
	first := 0
	for i, d := range []*data.Dataset{s.Train, s.Validation, s.Test} {
		if want := []int{74, 37, 37}[i]; d.Len() != want {
			t.Fatalf("split %d has %d pictures", i, d.Len())
		}
		for j, item := range d.Items {
			if item.ID != first+j || item.Label != set.Class(item.ID) {
				t.Errorf("split %d, picture %d: %+v", i, j, item)
			}
		}
		first += d.Len()
	}
	im, err := s.Test.Image(5)
	if err != nil || im.Width != 16 {
		t.Errorf("%v %v", im, err)
	}
}

// tree writes files, given as "name=content" (by default the content is the name), and
// folders, whose names end in a slash.
func tree(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		path := filepath.Join(dir, filepath.FromSlash(name))
		folder := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			folder = path
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if folder == path {
			continue
		}
		if text == "" {
			text = name
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// list lists a data set's pictures as name:class.
func list(s *data.Splits) string {
	var out []string
	for i, d := range []*data.Dataset{s.Train, s.Validation, s.Test} {
		if d == nil {
			continue
		}
		out = append(out, []string{"train", "val", "test"}[i])
		for _, item := range d.Items {
			rel, _ := filepath.Rel(d.Root, item.Path)
			out = append(out, filepath.ToSlash(rel)+":"+d.Classes[item.Label])
		}
	}
	return strings.Join(out, " ")
}

func TestOpenDataset(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		open  string
		want  string
	}{
		{"flat", []string{"0_10.jpg", "1_9.png", "0_2.JPG", "notes.md", ".hidden_1.jpg", "._0_2.jpg"}, "", "train 0_2.JPG:0 1_9.png:1 0_10.jpg:0"},
		{"flat, same id", []string{"1_1.jpg", "0_1.png"}, "", "train 0_1.png:0 1_1.jpg:1"},
		{"flat with names", []string{"0_1.jpg", "1_0.jpg", "classes.txt=cat\r\ndog\r\n\r\n"}, "", "train 1_0.jpg:dog 0_1.jpg:cat"},
		{"flat by name", []string{"big_dog_1.jpg", "cat_0.jpg", "classes.txt=cat\nbig_dog"}, "", "train cat_0.jpg:cat big_dog_1.jpg:big_dog"},
		{"folders", []string{"dog/b.jpg", "dog/a.png", "cat/z.jpg", "cat/sub/c.jpg", "cat/readme.txt"}, "", "train cat/z.jpg:cat cat/sub/c.jpg:cat dog/a.png:dog dog/b.jpg:dog"},
		{"numbered folders", []string{"2/a.jpg", "10/a.jpg"}, "", "train 10/a.jpg:10 2/a.jpg:2"},
		{"folders in the list's order", []string{"dog/b.jpg", "cat/z.jpg", "classes.txt=dog\ncat"}, "", "train cat/z.jpg:cat dog/b.jpg:dog"},
		{"csv", []string{"a, b.jpg", `q"q.jpg`, "x/c.jpg", "labels.csv=\ufefffilename,label\n\"a, b.jpg\",2\n\"q\"\"q.jpg\",0\nx/c.jpg, 2 \n"}, "labels.csv", `train a, b.jpg:2 q"q.jpg:0 x/c.jpg:2`},
		{"csv beside pictures", []string{"a.jpg", "b.jpg", "l.csv=Label,Filename,note\ndog,b.jpg,\ncat,a.jpg,fine\n"}, "", "train b.jpg:dog a.jpg:cat"},
		{"csv with its own names", []string{"a.jpg", "b.jpg", "l.csv=filename,label\nb.jpg,1\na.jpg,cat\n", "classes.txt=dog\ncat"}, "", "train b.jpg:cat a.jpg:cat"},
		{"splits", []string{"train/0_0.jpg", "train/1_1.jpg", "val/1_2.jpg", "test/0_3.jpg", "train-head/0_0.png", "classes.txt=x\ny"}, "", "train 0_0.jpg:x 1_1.jpg:y val 1_2.jpg:y test 0_3.jpg:x"},
		{"split opened alone", []string{"train/1_0.jpg", "classes.txt=x\ny"}, "train", "train 1_0.jpg:y"},
		{"splits of folders", []string{"train/a/1.jpg", "train/b/1.jpg", "valid/b/2.jpg"}, "", "train a/1.jpg:a b/1.jpg:b val b/2.jpg:b"},
		{"splits by csv", []string{"pics/1.jpg", "pics/2.jpg", "train.csv=filename,label\npics/1.jpg,u\n", "test.csv=filename,label\npics/2.jpg,u\n", "pics-readme.txt"}, "", ""},
		{"no training pictures", []string{"val/3_2.jpg", "test/0_3.jpg"}, "", "val 3_2.jpg:3 test 0_3.jpg:0"},
	} {
		s, err := data.OpenDataset(filepath.Join(tree(t, tt.files...), tt.open))
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s: %s, not an error", tt.name, list(s))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := list(s); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestHashAndSplit(t *testing.T) {
	var files []string
	for _, class := range []string{"a", "b", "c"} {
		for i := range 21 {
			files = append(files, class+"/"+string(rune('A'+i))+".jpg")
		}
	}
	dir := tree(t, files...)
	s, err := data.OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := s.Train.Hash(context.Background())
	if err != nil || len(sum) != 64 {
		t.Fatal(sum, err)
	}
	if err := os.WriteFile(s.Train.Items[9].Path, []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if other, err := s.Train.Hash(context.Background()); err != nil || other == sum {
		t.Error("another content, the same hash", err)
	}
	rest, part, err := s.Train.Split(1, 0.25)
	if err != nil || rest.Len() != 47 || part.Len() != 16 {
		t.Fatal(rest.Len(), part.Len(), err)
	}
	for _, n := range part.Counts() {
		if n != 5 && n != 6 {
			t.Errorf("%v pictures of each class", part.Counts())
		}
	}
	again, same, _ := s.Train.Split(1, 0.25)
	_, other, _ := s.Train.Split(2, 0.25)
	if !slices.Equal(same.Items, part.Items) || !slices.Equal(again.Items, rest.Items) || slices.Equal(other.Items, part.Items) {
		t.Error("the seed doesn't decide the split")
	}
}

// Class folders are ordered and numbered as in torchvision's ImageFolder.
func TestFoldersAsImageFolder(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "imagefolder.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Files, Classes []string
		Samples        [][2]any
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	s, err := data.OpenDataset(tree(t, golden.Files...))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Classes, golden.Classes) {
		t.Errorf("classes %q, want %q", s.Classes, golden.Classes)
	}
	if len(s.Train.Items) != len(golden.Samples) {
		t.Fatalf("%d pictures, want %d", len(s.Train.Items), len(golden.Samples))
	}
	for i, item := range s.Train.Items {
		name, _ := filepath.Rel(s.Train.Root, item.Path)
		if want := golden.Samples[i]; filepath.ToSlash(name) != want[0] || float64(item.Label) != want[1] {
			t.Errorf("picture %d is %s of class %d, want %v", i, name, item.Label, want)
		}
	}
}
