package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzCSV reads any text; the rows found, written and read again, are the same.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"filename,label\na.jpg,1\n", "\ufefflabel,x,filename\r\ncat,,\"a, \"\"b\"\".jpg\"\r\n", "filename,label\n\"a\nb.jpg\",2\n",
		"filename,label\na.jpg\n", "", "\"", "filename,label\n,\n", "label,filename\n\"\"\"\",\" \"\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := parseCSV(strings.NewReader(text))
		if err != nil {
			if line, _, _ := strings.Cut(err.Error(), ":"); line == "" || line[0] < '1' || line[0] > '9' {
				t.Errorf("%q: %q doesn't begin with a line", text, err)
			}
			return
		}
		var again bytes.Buffer
		w := csv.NewWriter(&again)
		table := [][]string{{"filename", "label"}}
		for _, r := range rows {
			if r.filename == "" || r.label == "" || r.line < 2 {
				t.Errorf("%q gave %+v", text, r)
			}
			table = append(table, []string{r.filename, r.label})
		}
		if err := w.WriteAll(table); err != nil {
			t.Fatal(err)
		}
		same, err := parseCSV(&again)
		if err != nil {
			t.Fatalf("%q, written again: %v", text, err)
		}
		if !slices.EqualFunc(rows, same, func(a, b row) bool { return a.filename == b.filename && a.label == b.label }) {
			t.Errorf("%q: %+v became %+v", text, rows, same)
		}
	})
}

func FuzzClassList(f *testing.F) {
	for _, seed := range []string{"cat\ndog\n", "\ufeffcat\r\n dog \r\n\r\n", "", "\n", "a\n\nb", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names, err := parseClassList([]byte(text))
		if err != nil {
			return
		}
		c := newClasses(names, "list")
		for i, name := range names {
			if name == "" || strings.Contains(name, "\n") {
				t.Errorf("%q gave %q", text, names)
			}
			found, err := c.find(entry{label: name})
			if err == nil && names[found] != name {
				t.Errorf("%q is class %d, found %d", name, i, found)
			}
			if n, err := c.find(entry{label: strconv.Itoa(i)}); err == nil && n != i && names[n] != strconv.Itoa(i) {
				t.Errorf("number %d is class %d", i, n)
			}
		}
	})
}

func TestReadingACSVFails(t *testing.T) {
	broken := errors.New("no more")
	for _, text := range []string{"", "filename,la", "filename,label\na.jpg,1\n"} {
		r := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
		if _, err := parseCSV(r); !errors.Is(err, broken) {
			t.Errorf("after %q: %v", text, err)
		}
	}
}
