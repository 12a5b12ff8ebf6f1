package coco

import "testing"

// Whatever is accepted names a picture for each caption; nothing panics.
func FuzzParseReferences(f *testing.F) {
	for _, seed := range []string{
		`{"licenses":[{"id":1,"name":"BY"}],"images":[{"id":9,"file_name":"9.jpg","license":1}],"annotations":[{"image_id":9,"caption":"A cat"}]}`,
		`{"images":[{"cocoid":1,"filename":"a.jpg","filepath":"val2014","sentences":[{"raw":"a dog"}]}]}`,
		`{"images":[{"id":1,"license":"CC0"},{"id":"x","license":null}],"annotations":[{"image_id":-1e3,"caption":""}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		refs, err := ParseReferences("f.json", data)
		if err != nil {
			return
		}
		if len(refs.Captions) == 0 {
			t.Error("no captions, and no error")
		}
		for _, c := range refs.Captions {
			if c.Image == "" {
				t.Errorf("a caption of no picture: %q", c.Text)
			}
		}
		for _, im := range refs.Images {
			if im.ID == "" {
				t.Errorf("a picture without id: %+v", im)
			}
		}
	})
}

// A caption's picture is the same whether its id is a number or a text.
func TestNumbers(t *testing.T) {
	refs, err := ParseReferences("f.json", []byte(`{"images":[{"id":"7"},{"id":8}],"annotations":[{"image_id":7,"caption":"a"},{"image_id":"8","caption":"b"},{"image_id":9,"caption":"c"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(refs.Captions) != 3 || refs.Captions[0].Image != "7" || refs.Numbers["7"] || !refs.Numbers["8"] || !refs.Numbers["9"] {
		t.Errorf("%+v, numbers %v", refs.Captions, refs.Numbers)
	}
}
