package source

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// each collects the paths and keys of lines.
func each(lines func(yield func(line, error) bool)) (all []string, err error) {
	for l, err := range lines {
		if err != nil {
			return all, err
		}
		text := l.path
		if l.key != l.path {
			text += "=" + l.key
		}
		all = append(all, text)
	}
	return all, nil
}

func TestReadList(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
		err  string
	}{
		{"a.jpg\nb c.jpg\n", []string{"a.jpg", "b c.jpg"}, ""},
		{"a.jpg\r\n\r\n  \nb.jpg", []string{"a.jpg", "b.jpg"}, ""},
		{"\xef\xbb\xbfa.jpg", []string{"a.jpg"}, ""},
		{"a\nb.jpg\x00c.jpg\x00", []string{"a", "b.jpg\x00c.jpg\x00"}, "line 2 has a NUL"},
		{"a.jpg\x00b\nc.jpg\x00", []string{"a.jpg", "b\nc.jpg"}, ""},
		{"caf\xe9.jpg\n\"q\",x.jpg\n", []string{"caf\xe9.jpg", `"q",x.jpg`}, ""},
		{"\xff\xfea\x00\n\x00", nil, "UTF-16"},
		{"a\n" + strings.Repeat("x", maxLine+1), []string{"a"}, "line 2 is longer"},
		{"", nil, ""},
	} {
		got, err := each(readList(strings.NewReader(test.text)))
		if test.err == "" && (err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", test.want)) {
			t.Errorf("%.40q: %q, %v", test.text, got, err)
		}
		if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%.40q: %q, %v; want %s", test.text, got, err, test.err)
		}
	}
}

func TestReadTable(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
		err  string
	}{
		{"path\na.jpg\n", []string{"a.jpg"}, ""},
		{"\xef\xbb\xbfKey,File Name\r\n1,a.jpg\r\n2,b.jpg", []string{"a.jpg=1", "b.jpg=2"}, ""},
		{"label;file_name\n0;\"a;b\"\"c\"\"\nd.jpg\"\n", []string{"a;b\"c\"\nd.jpg"}, ""},
		{"image\tx\na,b.jpg\t1\n", []string{"a,b.jpg"}, ""},
		{"url,path\nu,p\n", []string{"p"}, ""},
		{"name,label\na.jpg,1\n", nil, `the columns are "name", "label"`},
		{"path,label\na.jpg\n", nil, "line 2"},
		{"path,label\na.jpg,1\n,2\n", nil, "line 3: the column path is empty"},
		{"path,key\na.jpg,\n", nil, "line 2: the column key is empty"},
		{"path\n\"a.jpg\n", nil, "line"},
		{"path\n\"" + strings.Repeat("x\n", 2*maxRow), nil, "quote isn't closed"},
		{"", nil, "table is empty"},
		{"path\na\x00b\n", nil, "NUL"},
		{"\xfe\xff\x00p", nil, "UTF-16"},
	} {
		got, err := each(readTable(strings.NewReader(test.text)))
		if test.err == "" && (err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", test.want)) {
			t.Errorf("%.40q: %q, %v", test.text, got, err)
		}
		if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%.40q: %q, %v; want %s", test.text, got, err, test.err)
		}
	}
}

// TestLists reads pictures that lists and tables name.
func TestLists(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
	defer server.Close()
	odd := "b, \"c\"\n\xff.jpg" // a name that needs quotes and isn't UTF-8
	dir := write(t, map[string]string{"a.jpg": "a", "sub/" + odd: "b"})
	absolute := filepath.Join(dir, "a.jpg")
	lists := map[string]string{
		"list.txt":  "a.jpg\n" + absolute + "\n" + server.URL + "/x%20y.jpg\nmissing.jpg\n",
		"nul.lst":   "a.jpg\x00sub/" + odd + "\x00",
		"table.csv": "key,path\none,\"sub/b, \"\"c\"\"\n\xff.jpg\"\ntwo,missing.jpg\n",
	}
	for name, text := range lists {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := NewReader()
	defer r.Close()
	for _, test := range []struct{ list, keys, contents string }{
		{"list.txt", "a.jpg " + absolute + " " + server.URL + "/x%20y.jpg missing.jpg", "a a /x y.jpg -"},
		{"nul.lst", "a.jpg sub/b, \"c\"\n\\xff.jpg", "a b"},
		{"table.csv", "one two", "b -"},
	} {
		all, err := list(t, Options{}, filepath.Join(dir, test.list))
		if err != nil || keys(all) != test.keys {
			t.Errorf("%s: %q, %v", test.list, keys(all), err)
			continue
		}
		var contents []string
		for _, in := range all {
			got, err := r.Read(context.Background(), in)
			if err != nil {
				got = []byte("-")
				if !strings.Contains(err.Error(), "missing.jpg") {
					t.Error(err)
				}
			}
			contents = append(contents, string(got))
		}
		if got := strings.Join(contents, " "); got != test.contents {
			t.Errorf("%s: %q", test.list, got)
		}
	}
}

// TestListStart checks from where relative paths start.
func TestListStart(t *testing.T) {
	pictures := write(t, map[string]string{"a.jpg": "a"})
	at := filepath.Join(write(t, map[string]string{"list.txt": "a.jpg\nb.jpg\n"}), "list.txt")
	if _, err := list(t, Options{}, at); err == nil || !strings.Contains(err.Error(), `"a.jpg" in line 1`) || !strings.Contains(err.Error(), filepath.Dir(at)) {
		t.Errorf("a list of files that aren't there: %v", err)
	}
	all, err := list(t, Options{Base: pictures}, at)
	if err != nil || len(all) != 2 || all[0].File != filepath.Join(pictures, "a.jpg") {
		t.Errorf("%+v, %v", all, err)
	}
	all, err = list(t, Options{Base: "s3://bucket/p?region=r"}, at)
	if err != nil || all[0].File != "s3://bucket/p/a.jpg?region=r" {
		t.Errorf("%+v, %v", all, err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(at))))
	defer server.Close()
	all, err = list(t, Options{}, server.URL+"/list.txt")
	if err != nil || all[0].File != server.URL+"/a.jpg" {
		t.Errorf("%+v, %v", all, err)
	}
}

func FuzzList(f *testing.F) {
	for _, text := range []string{"a.jpg\nb.jpg", "a\x00b\nc\x00", "\xef\xbb\xbfa\r\n", "\xff\xfe", strings.Repeat("x", 100)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := each(readList(strings.NewReader(text)))
		for _, path := range all {
			if strings.TrimSpace(path) == "" || !strings.Contains(text, path) {
				t.Errorf("%q isn't a line (%v)", path, err)
			}
		}
	})
}

func FuzzTable(f *testing.F) {
	for _, text := range []string{"path\na.jpg", "key,file\n1,\"a\nb\"\n", "image;x\n1;2\n", "url\tkey\nu\t", "path\n\"a", "\"path"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for l, err := range readTable(strings.NewReader(text)) {
			if err == nil && (l.path == "" || l.key == "" || l.number < 2 || strings.Contains(l.path, "\x00")) {
				t.Errorf("%+v", l)
			}
		}
	})
}
