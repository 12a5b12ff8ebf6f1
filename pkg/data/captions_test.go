package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/internal/realdata"
)

// captionFiles writes files, with the text given or empty, and returns their folder.
func captionFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const cocoCaptions = `{
	"licenses": [{"id": 4, "name": "Attribution License", "url": "http://l/by"}],
	"images": [
		{"id": 9, "file_name": "9.jpg", "split": "val", "license": 4, "flickr_url": "http://f/9"},
		{"id": 7, "file_name": "7.jpg", "split": "Training", "license": "CC0", "license_url": "http://l/0", "coco_url": "http://c/7"},
		{"id": 5, "file_name": "5.jpg", "split": "restval"}],
	"annotations": [
		{"image_id": 7, "caption": "A dog runs."}, {"image_id": "9", "caption": "A cat"},
		{"image_id": 7.0, "caption": "dog running "}, {"image_id": 5, "caption": "one"}]}`

func TestOpenCaptions(t *testing.T) {
	root := captionFiles(t, map[string]string{"a/captions.json": cocoCaptions, "p/9.jpg": "", "p/7.jpg": "", "p/5.jpg": ""})
	s, err := OpenCaptions(filepath.Join(root, "a", "captions.json"), filepath.Join(root, "p"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(root, "p", name) }
	want := []Captioned{
		{at("9.jpg"), "9", "val", []string{"A cat"}, "Attribution License", "http://l/by", "http://f/9"},
		{at("7.jpg"), "7", "train", []string{"A dog runs.", "dog running "}, "CC0", "http://l/0", "http://c/7"},
		{at("5.jpg"), "5", "restval", []string{"one"}, "", "", ""},
	}
	if !slices.EqualFunc(s.Pictures, want, func(a, b Captioned) bool {
		return a.Path == b.Path && a.ID == b.ID && a.Split == b.Split && slices.Equal(a.Captions, b.Captions) &&
			a.License == b.License && a.LicenseURL == b.LicenseURL && a.URL == b.URL
	}) {
		t.Errorf("%+v\nwant %+v", s.Pictures, want)
	}
	if len(s.Notes) > 0 || len(s.Missing) > 0 || s.Root != filepath.Join(root, "p") {
		t.Errorf("root %s, notes %q, missing %q", s.Root, s.Notes, s.Missing)
	}
	if got := s.Splits(); !slices.Equal(got, []string{"val", "train", "restval"}) {
		t.Errorf("splits %q", got)
	}
	if got := s.Split("train"); len(got) != 1 || got[0].ID != "7" {
		t.Errorf("train %+v", got)
	}
}

const karpathy = `{"dataset": "coco", "images": [
	{"filepath": "val2014", "filename": "a.jpg", "cocoid": 391895, "imgid": 0, "split": "test",
	 "sentences": [{"tokens": ["a", "man"], "raw": "A man."}, {"raw": "A rider."}]},
	{"filename": "b.jpg", "imgid": 1, "split": "train", "sentences": [{"raw": "A girl."}]}]}`

func TestOpenCaptionsPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		text  string
		want  string // paths of the pictures
	}{
		"beside the file":       {map[string]string{"7.jpg": "", "9.jpg": "", "5.jpg": ""}, cocoCaptions, "9.jpg 7.jpg 5.jpg"},
		"in a folder of photos": {map[string]string{"photos/7.jpg": "", "photos/9.jpg": "", "photos/5.jpg": ""}, cocoCaptions, "photos/9.jpg photos/7.jpg photos/5.jpg"},
		"in folders of splits":  {map[string]string{"train2017/7.jpg": "", "val2017/9.jpg": "", "5.jpg": ""}, cocoCaptions, "val2017/9.jpg train2017/7.jpg 5.jpg"},
		"Karpathy's":            {map[string]string{"val2014/a.jpg": "", "b.jpg": ""}, karpathy, "val2014/a.jpg b.jpg"},
		"a \\ for /":            {map[string]string{"x/a.jpg": ""}, `{"images":[{"id":1,"file_name":"x\\a.jpg"}],"annotations":[{"image_id":1,"caption":"a"}]}`, "x/a.jpg"},
	} {
		t.Run(name, func(t *testing.T) {
			c.files["captions.json"] = c.text
			root := captionFiles(t, c.files)
			s, err := OpenCaptions(filepath.Join(root, "captions.json"), "")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range s.Pictures {
				rel, err := filepath.Rel(root, p.Path)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, filepath.ToSlash(rel))
			}
			if strings.Join(got, " ") != c.want || len(s.Notes) > 0 {
				t.Errorf("%q, notes %q", got, s.Notes)
			}
		})
	}
}

func TestOpenCaptionsKarpathy(t *testing.T) {
	root := captionFiles(t, map[string]string{"d.json": karpathy, "a.jpg": "", "b.jpg": ""})
	s, err := OpenCaptions(filepath.Join(root, "d.json"), "")
	if err != nil || len(s.Pictures) != 2 {
		t.Fatal(s, err)
	}
	if p := s.Pictures[0]; p.ID != "391895" || p.Split != "test" || !slices.Equal(p.Captions, []string{"A man.", "A rider."}) {
		t.Errorf("%+v", p)
	}
	if p := s.Pictures[1]; p.ID != "1" {
		t.Errorf("%+v", p)
	}
}

// What is left out is counted and named.
func TestOpenCaptionsNotes(t *testing.T) {
	root := captionFiles(t, map[string]string{"c.json": `{
		"images": [{"id":1,"file_name":"1.jpg"},{"id":2,"file_name":"2.jpg"},{"id":3,"file_name":"3.jpg"},
			{"id":4,"file_name":"4.jpg"},{"id":5,"file_name":"5.jpg"},{"id":6,"file_name":"6.jpg"}],
		"annotations": [{"image_id":1,"caption":"a"},{"image_id":1,"caption":" "},{"image_id":2,"caption":"b"},{"image_id":3,"caption":"b"},
			{"image_id":4,"caption":"b"},{"image_id":5,"caption":"b"}]}`, "p/1.jpg": "", "p/6.jpg": ""})
	s, err := OpenCaptions(filepath.Join(root, "c.json"), filepath.Join(root, "p"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Pictures) != 1 || !slices.Equal(s.Pictures[0].Captions, []string{"a"}) || !slices.Equal(s.Missing, []string{"2.jpg", "3.jpg", "4.jpg", "5.jpg"}) {
		t.Errorf("%+v, missing %q", s.Pictures, s.Missing)
	}
	want := []string{
		"4 of the 6 pictures in c.json aren't in " + filepath.Join(root, "p") + " and are left out: 2.jpg, 3.jpg, 4.jpg …",
		"1 of the 6 pictures in c.json have no caption and are left out: 6.jpg",
		`1 captions in c.json have no text and are left out: "images", entry 0 (id 1), caption 1`,
	}
	if !slices.Equal(s.Notes, want) {
		t.Errorf("notes %q\nwant  %q", s.Notes, want)
	}
}

func TestOpenCaptionsRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":                {`{"images": [,`, "not JSON"},
		"no images":               {`{"annotations":[{"image_id":1,"caption":"a"}]}`, `"images" is missing or empty`},
		"no captions":             {`{"images":[{"id":1,"file_name":"a.jpg"}]}`, "no references"},
		"no file name":            {`{"images":[{"id":1}],"annotations":[{"image_id":1,"caption":"a"}]}`, `"images", entry 0 (id 1): no file_name`},
		"an id twice":             {`{"images":[{"id":1,"file_name":"a.jpg"},{"id":"1","file_name":"b.jpg"}],"annotations":[{"image_id":1,"caption":"a"}]}`, `"images", entry 1 (id 1): entry 0 has this id`},
		"a picture not listed":    {`{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"image_id":1,"caption":"a"},{"image_id":2,"caption":"a"}]}`, `"annotations", entry 1: image_id 2 isn't in "images"`},
		"a licence not listed":    {`{"licenses":[{"id":1,"name":"x"}],"images":[{"id":1,"file_name":"a.jpg","license":2}],"annotations":[{"image_id":1,"caption":"a"}]}`, `entry 0 (id 1): license 2 isn't in`},
		"a licence that's a list": {`{"images":[{"id":1,"file_name":"a.jpg","license":[]}],"annotations":[{"image_id":1,"caption":"a"}]}`, `license is []`},
		"a folder":                {`{"images":[{"id":1,"file_name":"sub"}],"annotations":[{"image_id":1,"caption":"a"}]}`, "is a folder, not a picture"},
		"none there":              {`{"images":[{"id":1,"file_name":"x.jpg"}],"annotations":[{"image_id":1,"caption":"a"}]}`, "none of its 1 pictures is in"},
		"none captioned":          {`{"images":[{"id":1,"file_name":"a.jpg"},{"id":2,"file_name":"x.jpg"}],"annotations":[{"image_id":2,"caption":"a"}]}`, "has a caption"},
		"a split that's a number": {`{"images":[{"id":1,"file_name":"a.jpg","split":3}],"annotations":[{"image_id":1,"caption":"a"}]}`, "split"},
	} {
		t.Run(name, func(t *testing.T) {
			root := captionFiles(t, map[string]string{"f.json": c.text, "a.jpg": "", "sub/x.txt": ""})
			_, err := OpenCaptions(filepath.Join(root, "f.json"), root)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "f.json") {
				t.Errorf("%v\nwant f.json and: %s", err, c.want)
			}
		})
	}
	root := captionFiles(t, map[string]string{"f.json": cocoCaptions})
	if _, err := OpenCaptions(filepath.Join(root, "f.json"), filepath.Join(root, "none")); err == nil {
		t.Error("a folder that doesn't exist passes")
	}
	if _, err := OpenCaptions(filepath.Join(root, "none.json"), root); err == nil {
		t.Error("a file that doesn't exist passes")
	}
}

// The captioned photographs of COCO: as many as their list says.
func TestOpenCaptionsOfCOCO(t *testing.T) {
	s, err := OpenCaptions(realdata.Path(t, "coco", "captions.json"), realdata.Path(t, "coco", "photos"))
	if err != nil {
		t.Fatal(err)
	}
	captions := 0
	for _, p := range s.Pictures {
		captions += len(p.Captions)
		if p.License == "" || p.URL == "" {
			t.Errorf("%s: licence %q, address %q", p.Path, p.License, p.URL)
		}
	}
	if len(s.Pictures) != 1684 || len(s.Split("train")) != 1484 || len(s.Split("val")) != 200 || captions != 8425 || len(s.Notes) > 0 {
		t.Errorf("%d pictures, %d captions, splits %q, notes %q", len(s.Pictures), captions, s.Splits(), s.Notes)
	}
}

// TestReadCaptionTable: the pictures needn't be there, and two of one id are an error.
func TestReadCaptionTable(t *testing.T) {
	for name, tt := range map[string]struct {
		files    map[string]string
		path     string
		want     string // id, number of captions
		notes    string
		mistaken string
	}{
		"csv":            {map[string]string{"refs.csv": "\xEF\xBB\xBFfile_name;text\na.jpg;a cat\nb.jpg;a dog\na.jpg;cats\n"}, "refs.csv", "a.jpg 2 b.jpg 1", "", ""},
		"ids":            {map[string]string{"refs.csv": "id,file_name,caption\n7,a.jpg,a cat\n"}, "refs.csv", "7 1", "", ""},
		"lines":          {map[string]string{"refs.jsonl": `{"file_name": "a.jpg", "captions": ["a cat", "cats"]}`}, "refs.jsonl", "a.jpg 2", "", ""},
		"folder":         {map[string]string{"metadata.csv": "file_name,text\na.jpg,a cat\n"}, "", "a.jpg 1", "", ""},
		"splits":         {map[string]string{"train/metadata.csv": "file_name,text\na.jpg,a cat\n", "val/metadata.csv": "file_name,text\nb.jpg,a dog\n"}, "", "a.jpg 1 b.jpg 1", "", ""},
		"no text":        {map[string]string{"refs.csv": "file_name,text\na.jpg,\nb.jpg,a dog\n"}, "refs.csv", "b.jpg 1", "have no caption", ""},
		"one id twice":   {map[string]string{"train/metadata.csv": "file_name,text\na.jpg,a cat\n", "val/metadata.csv": "file_name,text\na.jpg,a dog\n"}, "", "", "", "two pictures have the id a.jpg"},
		"no text at all": {map[string]string{"refs.csv": "file_name,text\na.jpg,\n"}, "refs.csv", "", "", "has a caption"},
		"no table":       {map[string]string{"a.jpg": ""}, "", "", "", "metadata.csv"},
	} {
		dir := captionFiles(t, tt.files)
		set, err := ReadCaptionTable(filepath.Join(dir, tt.path))
		if tt.mistaken != "" {
			if err == nil || !strings.Contains(err.Error(), tt.mistaken) {
				t.Errorf("%s: %v, want %q", name, err, tt.mistaken)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, p := range set.Pictures {
			got = append(got, fmt.Sprint(p.ID, " ", len(p.Captions)))
		}
		notes := strings.Join(set.Notes, "\n")
		if strings.Join(got, " ") != tt.want || !strings.Contains(notes, tt.notes) || (tt.notes == "") != (notes == "") {
			t.Errorf("%s: %q, notes %q", name, got, notes)
		}
	}
}
