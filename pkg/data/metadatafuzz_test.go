package data

import (
	"strings"
	"testing"
)

// beginsWithLine reports whether an error begins with a line number.
func beginsWithLine(err error) bool {
	line, _, _ := strings.Cut(err.Error(), ":")
	return line != "" && line[0] >= '1' && line[0] <= '9'
}

// FuzzLabelLines reads any text as labels in JSON Lines: rows are complete, errors begin
// with a line.
func FuzzLabelLines(f *testing.F) {
	for _, seed := range []string{
		`{"file_name": "a.jpg", "label": 1}` + "\n\r\n" + `{"FileName": "b.jpg", "label": "dog"}`,
		`{"file_name": "a.jpg", "label": [1]}`, `{"file_name": "a.jpg", "text": "A"}`, `{"label": null}`, "[]", "", "\ufeff{}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := parseLabelLines(strings.NewReader(text))
		if err != nil {
			if !beginsWithLine(err) {
				t.Errorf("%q: %q doesn't begin with a line", text, err)
			}
			return
		}
		for _, r := range rows {
			if r.filename == "" || r.label == "" || r.line < 1 {
				t.Errorf("%q gave %+v", text, r)
			}
		}
	})
}

// FuzzCaptionRows reads any text as captions, as a CSV and as JSON Lines.
func FuzzCaptionRows(f *testing.F) {
	for _, seed := range []string{
		"file_name,text,split\na.jpg,A cat.,val\na.jpg,One cat.,val\n", "caption;file name;id\n\"a;b\";x.jpg;3\n", "file_name,text\na.jpg\n",
		`{"file_name": "a.jpg", "captions": ["A", "B"], "id": 7}` + "\n" + `{"file_name": "a.jpg", "text": "C"}`, `{"file_name": "a", "caption": []}`, `{"text": {}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for kind, parse := range map[string]func() ([]captionRow, error){
			"csv":   func() ([]captionRow, error) { return parseCaptionTable(strings.NewReader(text)) },
			"lines": func() ([]captionRow, error) { return parseCaptionLines(strings.NewReader(text)) },
		} {
			rows, err := parse()
			if err == nil {
				var merged []captionRow
				if merged, err = mergeRows(rows); err == nil && (len(merged) == 0 || len(merged) > len(rows)) {
					t.Errorf("%s: %q: %d rows became %d", kind, text, len(rows), len(merged))
				}
			}
			if err != nil && !beginsWithLine(err) {
				t.Errorf("%s: %q: %q doesn't begin with a line", kind, text, err)
			}
			for _, r := range rows {
				if strings.TrimSpace(r.filename) == "" || r.line < 1 {
					t.Errorf("%s: %q gave %+v", kind, text, r)
				}
			}
		}
	})
}
