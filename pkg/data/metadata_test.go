package data_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data"
)

// Hugging Face's imagefolder with labels: a table in the root or in each split's folder.
func TestImageFolder(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		want  string
		notes string
	}{
		{"csv", []string{"a.jpg", "b.jpg", "metadata.csv=file_name,label\nb.jpg,dog\na.jpg,cat\n"}, "train b.jpg:dog a.jpg:cat", ""},
		{"lines", []string{"a.jpg", "b.jpg", `metadata.jsonl={"file_name": "b.jpg", "label": 1, "boxes": {"x": [1]}}` + "\n\n" + `{"label": 0, "file_name": "a.jpg"}`}, "train b.jpg:1 a.jpg:0", ""},
		{"in each split", []string{
			"train/a.jpg", `train/metadata.jsonl={"file_name": "a.jpg", "label": "cat"}`,
			"validation/b.jpg", "validation/metadata.csv=file_name,label\nb.jpg,cat\n",
		}, "train a.jpg:cat val b.jpg:cat", "validation is val"},
		{"beside the splits", []string{
			"train/a.jpg", "train/x/b.jpg", "test/c.jpg",
			"metadata.csv=file_name,label\ntest/c.jpg,dog\ntrain/a.jpg,dog\ntrain/x/b.jpg,cat\n",
		}, "train a.jpg:dog x/b.jpg:cat test c.jpg:dog", ""},
		{"beside the splits, test unlisted", []string{
			"train/a.jpg", "test/c.jpg", `metadata.jsonl={"file_name": "train/a.jpg", "label": "cat"}`,
		}, "train a.jpg:cat", "test isn't used: its pictures have no classes"},
		{"a split's own table first", []string{
			"train/a.jpg", "val/b.jpg", "val/metadata.csv=file_name,label\nb.jpg,cat\n",
			"metadata.csv=file_name,label\ntrain/a.jpg,cat\nval/b.jpg,dog\n",
		}, "train a.jpg:cat val b.jpg:cat", ""},
		{"class folders with captions", []string{
			"train/cat/a.jpg", "train/dog/b.jpg", `train/metadata.jsonl={"file_name": "cat/a.jpg", "text": "A cat."}`,
		}, "train cat/a.jpg:cat dog/b.jpg:dog", "metadata.jsonl isn't used: it has no column label"},
		{"splits of class folders with captions", []string{
			"train/cat/a.jpg", "train/dog/b.jpg", "val/dog/c.jpg", "metadata.csv=file_name,text\ntrain/cat/a.jpg,A cat.\n",
		}, "train cat/a.jpg:cat dog/b.jpg:dog val dog/c.jpg:dog", "metadata.csv isn't used: it has no column label"},
		{"names with captions", []string{"0_1.jpg", "1_2.jpg", "metadata.csv=file_name,text\n0_1.jpg,A cat.\n"}, "train 0_1.jpg:0 1_2.jpg:1", "isn't used"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := data.OpenDataset(tree(t, tt.files...))
			if err != nil {
				t.Fatal(err)
			}
			if got := list(s); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if notes := strings.Join(s.Notes, "\n"); !strings.Contains(notes, tt.notes) || (tt.notes == "") != (notes == "") {
				t.Errorf("notes %q, want %q", s.Notes, tt.notes)
			}
		})
	}
}

func TestImageFolderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		want  string
	}{
		{"two tables", []string{"a.jpg", "metadata.csv=file_name,label\na.jpg,1\n", `metadata.jsonl={"file_name":"a.jpg","label":1}`}, "several tables (metadata.csv, metadata.jsonl)"},
		{"two tables beside the splits", []string{"train/a.jpg", "val/b.jpg", "metadata.csv=file_name,label\na.jpg,1\n", `metadata.jsonl={"file_name":"a.jpg","label":1}`}, "several tables"},
		{"not JSON", []string{"a.jpg", "metadata.jsonl={\"file_name\":\"a.jpg\",\"label\":1}\n{"}, "metadata.jsonl:2: not a JSON object"},
		{"an array", []string{"a.jpg", "metadata.jsonl=[1]"}, "metadata.jsonl:1: not a JSON object"},
		{"empty", []string{"a.jpg", "metadata.jsonl=\n\n"}, "metadata.jsonl:1: the file is empty"},
		{"no file name", []string{"a.jpg", `metadata.jsonl={"label":1}`}, "metadata.jsonl:1: the line has no file_name"},
		{"a line without label", []string{"a.jpg", "b.jpg", `metadata.jsonl={"file_name":"a.jpg","label":1}` + "\n" + `{"file_name":"b.jpg","label":null}`}, "metadata.jsonl:2: the line has no label, but others have"},
		{"captions only", []string{"a.jpg", `metadata.jsonl={"file_name":"a.jpg","text":"A cat."}`}, "no line has a label"},
		{"a list of labels", []string{"a.jpg", `metadata.jsonl={"file_name":"a.jpg","label":[1,2]}`}, "1: label is a list"},
		{"an object as label", []string{"a.jpg", `metadata.jsonl={"file_name":"a.jpg","label":{}}`}, "1: label is {}"},
		{"a column twice", []string{"a.jpg", `metadata.jsonl={"file_name":"a.jpg","FileName":"a.jpg","label":1}`}, "has the column filename twice"},
		{"a picture that isn't there", []string{"a.jpg", `metadata.jsonl={"file_name":"x.jpg","label":1}`}, "metadata.jsonl:1: "},
		{"an unlisted picture", []string{"a.jpg", "x/b.jpg", `metadata.jsonl={"file_name":"a.jpg","label":1}`}, "doesn't list it"},
		{"an unlisted picture of a split", []string{"train/a.jpg", "train/b.jpg", "val/c.jpg", "metadata.csv=file_name,label\ntrain/a.jpg,1\nval/c.jpg,1\n"}, "b.jpg: it has no class, because the metadata in"},
		{"an unlisted split", []string{"train/a.jpg", "val/c.jpg", "metadata.csv=file_name,label\ntrain/a.jpg,1\n"}, "c.jpg: it has no class"},
		{"a picture of no split", []string{"train/a.jpg", "val/c.jpg", "d.jpg", "metadata.csv=file_name,label\ntrain/a.jpg,1\nval/c.jpg,1\nd.jpg,1\n"}, "metadata.csv:4: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := data.OpenDataset(tree(t, tt.files...)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v; want %q", s, err, tt.want)
			}
		})
	}
}

// captioned describes pictures as "path id split captions".
func captioned(t *testing.T, s *data.CaptionSet) string {
	t.Helper()
	var out []string
	for _, p := range s.Pictures {
		rel, err := filepath.Rel(s.Root, p.Path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.Join(slices.Concat([]string{filepath.ToSlash(rel), p.ID, p.Split}, p.Captions), "|"))
	}
	return strings.Join(out, " ; ")
}

// Captions of an imagefolder.
func TestCaptionFolder(t *testing.T) {
	for _, tt := range []struct {
		name, open string
		files      []string
		want       string
		missing    int
	}{
		{"csv", "", []string{"a.jpg", "b.jpg", "metadata.csv=file_name,text\nb.jpg,A dog.\na.jpg,\"A cat, asleep\"\n"}, "b.jpg|b.jpg||A dog. ; a.jpg|a.jpg||A cat, asleep", 0},
		{"lines", "", []string{"a.jpg", `metadata.jsonl={"file_name":"a.jpg","id":7,"captions":["A cat.","One cat."],"split":"dev"}`}, "a.jpg|7|val|A cat.|One cat.", 0},
		{"several lines of a picture", "", []string{"a.jpg", "metadata.csv=image;caption;file_name\n1;A cat.;a.jpg\n2;One cat.;a.jpg\n"}, "a.jpg|a.jpg||A cat.|One cat.", 0},
		{"paths with splits", "", []string{"train/a.jpg", "x/b.jpg", "metadata.csv=file_name,text\ntrain/a.jpg,A\nx/b.jpg,B\n"}, "train/a.jpg|train/a.jpg|train|A ; x/b.jpg|x/b.jpg||B", 0},
		{"in each split", "", []string{
			"train/a.jpg", "train/metadata.csv=file_name,text\na.jpg,A\n", "dev/b.jpg", `dev/metadata.jsonl={"file_name":"b.jpg","text":"B"}`, "notes/x.txt",
		}, "dev/b.jpg|b.jpg|val|B ; train/a.jpg|a.jpg|train|A", 0},
		{"a table by name", "list.csv", []string{"images/a.jpg", "list.csv=filename,text\na.jpg,A\nb.jpg,B\n"}, "images/a.jpg|a.jpg||A", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := data.OpenCaptions(filepath.Join(tree(t, tt.files...), tt.open), "")
			if err != nil {
				t.Fatal(err)
			}
			if got := captioned(t, s); got != tt.want || len(s.Missing) != tt.missing || len(s.Notes) != tt.missing {
				t.Errorf("%s\nwant %s; missing %q, notes %q", got, tt.want, s.Missing, s.Notes)
			}
		})
	}
}

func TestCaptionFolderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, folder string
		files        []string
		want         string
	}{
		{"no table", "", []string{"a.jpg", "sub/b.jpg"}, "neither it nor a folder in it has a metadata.csv"},
		{"two tables", "", []string{"a.jpg", "metadata.csv=file_name,text\na.jpg,A\n", "metadata.jsonl={}"}, "several tables"},
		{"a split twice", "", []string{"val/a.jpg", "val/metadata.csv=file_name,text\na.jpg,A\n", "dev/a.jpg", "dev/metadata.csv=file_name,text\na.jpg,A\n"}, "are the same split (val)"},
		{"labels only", "", []string{"a.jpg", "metadata.csv=file_name,label\na.jpg,1\n"}, "metadata.csv:1: the header is"},
		{"labels only, lines", "", []string{"a.jpg", `metadata.jsonl={"file_name":"a.jpg","label":1}`}, "metadata.jsonl:1: the line has no text or caption or captions"},
		{"text and caption", "", []string{"a.jpg", "metadata.csv=file_name,text,caption\na.jpg,A,B\n"}, "names the columns text and caption"},
		{"text and caption, lines", "", []string{"a.jpg", `metadata.jsonl={"file_name":"a.jpg","text":"A","caption":"B"}`}, "1: the line has text and caption"},
		{"an object", "", []string{"a.jpg", `metadata.jsonl={"file_name":"a.jpg","text":{"en":"A"}}`}, "1: text is {"},
		{"no file name", "", []string{"a.jpg", `metadata.jsonl={"text":"A"}`}, "1: the line has no file_name"},
		{"two licences", "", []string{"a.jpg", "metadata.csv=file_name,text,license\na.jpg,A,BY\na.jpg,B,CC0\n"}, `metadata.csv:3: a.jpg has the license "CC0", but "BY" on line 2`},
		{"none there", "", []string{"a.jpg", "metadata.csv=file_name,text\nx.jpg,A\n"}, "none of its 1 pictures is in"},
		{"a folder beside a folder", "x", []string{"a.jpg", "metadata.csv=file_name,text\na.jpg,A\n"}, "is a folder: name the file of captions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := data.OpenCaptions(tree(t, tt.files...), tt.folder); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v; want %q", s, err, tt.want)
			}
		})
	}
}
