package score

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/coco"
)

// file writes a file into a new folder.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const goodRefs = `{"images":[{"id":9},{"id":7}],"annotations":[
	{"image_id":7,"id":1,"caption":"A dog runs."},{"image_id":"9","caption":"A cat"},
	{"image_id":7.0,"caption":"dog running"},{"image_id":"cat.jpg","caption":"one more"}]}`

func TestEvaluate(t *testing.T) {
	refs, err := ReadReferences(file(t, "refs.json", "\xEF\xBB\xBF"+goodRefs))
	if err != nil {
		t.Fatal(err)
	}
	hyps, err := ReadResults(file(t, "hyps.json", `[{"image_id":"7","caption":"a dog runs"},{"image_id":9,"caption":"dog"}]`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Evaluate(refs, hyps)
	if err != nil {
		t.Fatal(err)
	}
	if r.Pictures != 2 || r.References != 3 || r.Unscored != 1 {
		t.Errorf("%d pictures, %d references, %d unscored", r.Pictures, r.References, r.Unscored)
	}
	if r.Each[0].Image != "9" || r.Each[1].Image != "7" {
		t.Errorf("order %s, %s", r.Each[0].Image, r.Each[1].Image)
	}
	near(t, "ROUGE-L of a caption that is a reference", r.Each[1].ROUGEL, 1)
	near(t, "ROUGE-L of a wrong caption", r.Each[0].ROUGEL, 0)
	near(t, "ROUGE-L", r.Corpus.ROUGEL, 0.5)
}

func TestEvaluateRefuses(t *testing.T) {
	refs, err := ReadReferences(file(t, "refs.json", goodRefs))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Evaluate(refs, []Caption{{Image: "7", Text: "dog"}, {Image: "8", Text: "cat"}}); err == nil ||
		!strings.HasSuffix(err.Error(), "refs.json has no reference for image_id 8, which entry 1 of the results captions") {
		t.Errorf("a picture without references: %v", err)
	}
	if _, err := Evaluate(refs, nil); err == nil {
		t.Error("no results pass")
	}
}

func TestReadRefuses(t *testing.T) {
	type reader func(string) error
	references := func(path string) error { _, err := ReadReferences(path); return err }
	results := func(path string) error { _, err := ReadResults(path); return err }
	for _, c := range []struct {
		read       reader
		name, text string
		want       string
	}{
		{references, "empty", " \n", "f.json: the file is empty"},
		{references, "not JSON", "{\"annotations\": [\n  {]}", "line 2, column 4: not JSON"},
		{references, "cut short", `{"annotations": [`, "unexpected end"},
		{references, "a list", `[]`, `array where an object with "annotations"`},
		{references, "null", `null`, `null where an object`},
		{references, "no annotations", `{"images":[]}`, `"annotations" is missing or empty`},
		{references, "empty annotations", `{"annotations":[]}`, `"annotations" is missing or empty`},
		{references, "no id", `{"annotations":[{"caption":"a"}]}`, "entry 0: image_id is missing"},
		{references, "no caption", `{"annotations":[{"image_id":1,"caption":"a"},{"image_id":5}]}`, "entry 1 (image_id 5): no caption"},
		{references, "caption a number", `{"annotations":[{"image_id":1,"caption":3}]}`, "caption is a number, not a string"},
		{references, "sentence without text", `{"images":[{"id":3,"sentences":[{"raw":"a"},{"tokens":["b"]}]}]}`, `entry 0 (id 3): sentence 1 has no "raw"`},
		{references, "images without id", `{"images":[{}],"annotations":[{"image_id":1,"caption":"a"}]}`, `"images", entry 0: id is missing`},
		{results, "an object", `{"a":1}`, "object where a list of {image_id, caption}"},
		{results, "no results", `[]`, "no results: the list is empty"},
		{results, "twice", `[{"image_id":1,"caption":"a"},{"image_id":"1","caption":"b"}]`, "entry 1 (image_id 1): entry 0 is a result for this picture already"},
		{results, "fraction", `[{"image_id":1.5,"caption":"a"}]`, "entry 0: image_id is 1.5; it must be a whole number or a text"},
		{results, "a list as id", `[{"image_id":[1],"caption":"a"}]`, "image_id is [1]; it must"},
		{results, "empty id", `[{"image_id":"","caption":"a"}]`, "image_id is an empty text"},
		{results, "huge id", `[{"image_id":1e999999999,"caption":"a"}]`, "whole number"},
		{results, "long id", `[{"image_id":` + strings.Repeat("9", 60) + `,"caption":"a"}]`, "too long a number"},
		{results, "null id", `[{"image_id":null,"caption":"a"}]`, "image_id is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.read(file(t, "f.json", c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "f.json") {
				t.Errorf("%v\nwant f.json and: %s", err, c.want)
			}
		})
	}
	if references(filepath.Join(t.TempDir(), "absent.json")) == nil || results(t.TempDir()) == nil {
		t.Error("what can't be read passes")
	}
}

// What is read can be scored, or is refused; nothing panics.
func FuzzCOCO(f *testing.F) {
	f.Add([]byte(goodRefs), []byte(`[{"image_id":7,"caption":"a dog"}]`))
	f.Add([]byte(`{"annotations":[{"image_id":-1e3,"caption":""}]}`), []byte(`[{"image_id":"-1000","caption":""}]`))
	f.Add([]byte(`{"images":[{"cocoid":1,"sentences":[{"raw":"a dog"}]}]}`), []byte(`[{"image_id":1,"caption":"a dog"}]`))
	f.Add([]byte(`{"annotations":[{"image_id":1,"caption":"\ud800"}]}`), []byte(`[{"image_id":1.0,"caption":"x\n"}]`))
	f.Fuzz(func(t *testing.T, refsJSON, hypsJSON []byte) {
		parsed, err := coco.ParseReferences("r", refsJSON)
		if err != nil {
			return
		}
		refs := referencesOf(parsed)
		hyps, err := coco.ParseResults("h", hypsJSON)
		if err != nil {
			return
		}
		r, err := Evaluate(refs, hyps)
		if err != nil {
			return
		}
		if r.Pictures != len(hyps) || r.References < r.Pictures {
			t.Errorf("%d pictures, %d references of %d results", r.Pictures, r.References, len(hyps))
		}
		for _, e := range r.Each {
			if !(e.CIDEr >= 0 && e.CIDEr < 10.001) || !(e.ROUGEL >= 0 && e.ROUGEL < 1.001) || !(e.BLEU4 >= 0 && e.BLEU4 < 1.001) {
				t.Errorf("scores %+v", e)
			}
		}
	})
}
