package source

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// digests are those of the pictures that tools/golden/containers.py wrote.
func digests(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/containers.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// read returns the digest of a picture, or what the error says.
func read(r *Reader, in Input) string {
	picture, err := r.Read(context.Background(), in)
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(picture)
	return hex.EncodeToString(sum[:])
}

// TestGolden reads the containers that Python's libraries wrote, from a folder and from a web
// server, in order, out of order and by several at once.
func TestGolden(t *testing.T) {
	want := digests(t)
	server := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	defer server.Close()
	var pets []string
	for i := range want {
		pets = append(pets, fmt.Sprintf("pets/%04d", i))
	}
	row := func(name string) (all []string) {
		for i := range want {
			all = append(all, fmt.Sprintf("%s/%d", name, i))
		}
		return all
	}
	for _, test := range []struct {
		source, column string
		keys           []string
		null           int // a row without a picture
	}{
		{"photos-{000000..000001}.tar", "", pets, 7}, // its ending is .v1.jpg
		{"hf.parquet", "image.bytes", row("hf"), -1},
		{"hf.parquet#image", "image.bytes", row("hf"), -1},
		{"plain.parquet", "jpg", row("plain"), 3},
		{"old.parquet#jpg", "jpg", row("old"), 3},
	} {
		for _, place := range []string{"testdata", server.URL} {
			t.Run(test.source, func(t *testing.T) {
				all, err := list(t, Options{}, place+"/"+test.source)
				if err != nil {
					t.Fatal(err)
				}
				want, names := slices.Clone(want), slices.Clone(test.keys)
				if strings.HasSuffix(test.source, ".tar") {
					want, names = slices.Delete(want, test.null, test.null+1), slices.Delete(names, test.null, test.null+1)
				}
				if keys(all) != strings.Join(names, " ") {
					t.Fatalf("keys %s", keys(all))
				}
				r := NewReader()
				defer r.Close()
				var wait sync.WaitGroup
				for _, i := range append(rand.Perm(len(all)), rand.Perm(len(all))...) {
					wait.Go(func() {
						if all[i].Column != test.column {
							t.Errorf("%d: column %s", i, all[i].Column)
						}
						got := read(r, all[i])
						if i == test.null && all[i].Row >= 0 {
							if !strings.Contains(got, "null") {
								t.Errorf("a row without a picture: %s", got)
							}
						} else if got != want[i] {
							t.Errorf("%d: %s", i, got)
						}
					})
				}
				wait.Wait()
			})
		}
	}
}

func TestTarMember(t *testing.T) {
	for _, source := range []string{"testdata/photos-{000000..000001}.tar#seg.png", "testdata/photos-{000000..000001}.tar"} {
		all, err := list(t, Options{Member: "seg.png"}, source)
		if err != nil || len(all) != 9 || all[0].Key != "pets/0000" {
			t.Errorf("%s: %d, %v", source, len(all), err)
		}
	}
	all, err := list(t, Options{}, "testdata/photos-000001.tar#V1.jpg")
	if err != nil || keys(all) != "pets/0007" {
		t.Errorf("%v, %v", all, err)
	}
}

func TestMemberKey(t *testing.T) {
	for _, test := range []struct {
		name, want, key string
		ok              bool
	}{
		{"a.jpg", "", "a", true},
		{"./d/a.JPG", "", "d/a", true},
		{"/d.x/a.jpg", "", "d.x/a", true},
		{"a.seg.png", "", "a", false},
		{"a.seg.png", "SEG.png", "a", true},
		{"a.jpg", ".jpg", "a", true},
		{"a.jpg", "png", "a", false},
		{"d/._a.jpg", "", "", false},
		{"d/a", "", "", false},
	} {
		if key, ok := memberKey(test.name, test.want); key != test.key || ok != test.ok {
			t.Errorf("%s, %s: %s, %v", test.name, test.want, key, ok)
		}
	}
}

// TestTarOfManyKinds reads members of all header formats, and passes over what is no file.
func TestTarOfManyKinds(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	long := strings.Repeat("long/", 60)
	for _, h := range []tar.Header{
		{Name: "ustar.jpg", Format: tar.FormatUSTAR}, {Name: long + "pax.jpg", Format: tar.FormatPAX},
		{Name: long + "gnu.jpg", Format: tar.FormatGNU}, {Name: "日本.jpg", Format: tar.FormatPAX},
		{Name: "latin\xe9.jpg", Format: tar.FormatGNU},
		{Name: "folder.jpg/", Typeflag: tar.TypeDir}, {Name: "link.jpg", Typeflag: tar.TypeSymlink, Linkname: "ustar.jpg"},
		{Name: "empty.jpg", Format: tar.FormatUSTAR},
	} {
		content := []byte("content of " + h.Name)
		if h.Mode = 0o644; h.Typeflag == 0 && h.Name != "empty.jpg" {
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content[:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(write(t, map[string]string{"x.tar": b.String()}), "x.tar")
	all, err := list(t, Options{}, at)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keys(all), "ustar "+long+"pax "+long+"gnu 日本 latin\\xe9 empty"; got != want {
		t.Errorf("keys %q, want %q", got, want)
	}
	r := NewReader()
	defer r.Close()
	for _, in := range all[:5] {
		got, err := r.Read(context.Background(), in)
		if want := "content of " + strings.ReplaceAll(in.Key, `\xe9`, "\xe9") + ".jpg"; err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}

// TestDamagedContainers lists containers that are cut at every length, which must not panic,
// and mustn't succeed unless nothing is missing.
func TestDamagedContainers(t *testing.T) {
	for _, name := range []string{"photos-000000.tar", "hf.parquet", "plain.parquet"} {
		whole, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		full, err := list(t, Options{}, "testdata/"+name)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		at := filepath.Join(dir, name)
		for cut := 0; cut < len(whole); cut += 128 {
			if err := os.WriteFile(at, whole[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			all, err := list(t, Options{}, at)
			if err == nil && len(all) == len(full) && name == "photos-000000.tar" {
				continue // only what ends the tar is missing
			}
			if err == nil || !strings.Contains(err.Error(), at) {
				t.Errorf("%s cut at %d: %d pictures, %v", name, cut, len(all), err)
			}
		}
	}
}

func TestContainerErrors(t *testing.T) {
	tarred := func(names ...string) string {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, name := range names {
			w.WriteHeader(&tar.Header{Name: name, Size: 1, Mode: 0o644})
			w.Write([]byte("x"))
		}
		w.Close()
		return b.String()
	}
	type two struct {
		A, B []byte
		Text string
		Many [][]byte
	}
	type none struct{ Text string }
	dir := write(t, map[string]string{
		"same.tar": tarred("a.jpg", "a.png"), "none.tar": tarred("a.txt", "b.seg.png"), "text.tar": strings.Repeat("no tar ", 500),
		"gzip.tar": "\x1f\x8b" + strings.Repeat("x", 1000), "a.tar.gz": "", "text.parquet": "no parquet at all", "what.dat": "",
		"two.parquet": parquetOf(t, []two{{}}), "none.parquet": parquetOf(t, []none{{}}), "empty.parquet": parquetOf(t, []two{}),
	})
	for _, test := range []struct{ source, want string }{
		{"same.tar", `"a"`}, {"none.tar", "#seg.png"}, {"text.tar", "no tar header"}, {"gzip.tar", "compressed"},
		{"a.tar.gz", "compressed"}, {"text.parquet", "isn't a whole Parquet"}, {"what.dat", "can't be told"},
		{"two.parquet", `say which`}, {"none.parquet", `no column holds`}, {"two.parquet#C", `no column "C"`},
		{"two.parquet#Text.x", "no column"}, {"two.parquet#Many", "lists"}, {"empty.parquet#A", "no rows"},
		{"missing.tar", "no such file"}, {"x-{0..2}.tar", "x-0.tar"}, {"x-{0..99999999}.tar", "more than"},
	} {
		if _, err := list(t, Options{}, filepath.Join(dir, test.source)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.source, err, test.want)
		}
	}
	if _, err := list(t, Options{}); err == nil {
		t.Error("no sources, no error")
	}
}

// parquetOf is a Parquet file with rows.
func parquetOf[T any](t *testing.T, rows []T) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReadErrors reads pictures that aren't what was listed any more: each is an error that
// names it, and the others can still be read.
func TestReadErrors(t *testing.T) {
	dir := write(t, map[string]string{"there.jpg": "x", "gone.jpg": "x"})
	for _, name := range []string{"photos-000000.tar", "hf.parquet"} {
		content, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := NewReader()
	defer r.Close()
	for _, test := range []struct {
		in   Input
		want string
	}{
		{Input{File: filepath.Join(dir, "missing.jpg"), Size: -1, Row: -1}, "missing.jpg: no such file"},
		{Input{File: dir, Size: -1, Row: -1}, "regular file"},
		{Input{File: filepath.Join(dir, "photos-000000.tar"), Offset: 20_000, Size: 1000, Row: -1}, "isn't the one"},
		{Input{File: filepath.Join(dir, "photos-000000.tar"), Offset: 0, Size: 1 << 40, Row: -1}, "too large"},
		{Input{File: filepath.Join(dir, "hf.parquet"), Size: -1, Row: 99, Column: "image.bytes"}, "10 rows"},
		{Input{File: filepath.Join(dir, "hf.parquet"), Size: -1, Row: 0, Column: "nothing"}, "no column"},
		{Input{File: filepath.Join(dir, "none.parquet"), Size: -1, Row: 0, Column: "image"}, "no such file"},
	} {
		if got := read(r, test.in); !strings.Contains(got, test.want) {
			t.Errorf("%+v: %s, want %q", test.in, got, test.want)
		}
	}
	if got := read(r, Input{File: filepath.Join(dir, "hf.parquet"), Size: -1, Row: 5, Column: "image.bytes"}); got != digests(t)[5] {
		t.Errorf("after an error: %s", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Read(ctx, Input{File: filepath.Join(dir, "there.jpg"), Size: -1, Row: -1}); err == nil {
		t.Error("a read after the end")
	}
}

// TestDamagedPages flips bytes of Parquet files and reads all rows: there may be errors, and
// no panics and no endless loops.
func TestDamagedPages(t *testing.T) {
	for _, name := range []string{"hf.parquet", "plain.parquet", "old.parquet"} {
		whole, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(t.TempDir(), name)
		random := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			damaged := slices.Clone(whole)
			for range 1 + random.IntN(4) {
				damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
			}
			if err := os.WriteFile(at, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			all, _ := list(t, Options{}, at)
			r := NewReader()
			for _, in := range all[:min(len(all), 100)] {
				read(r, in)
			}
			r.Close()
			if took := time.Since(started); took > 20*time.Second {
				t.Fatalf("%s took %v", name, took)
			}
		}
	}
}

// TestManyContainers reads from more containers than are kept open.
func TestManyContainers(t *testing.T) {
	content, err := os.ReadFile("testdata/photos-000000.tar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for i := range 3 * maxOpen {
		files[fmt.Sprintf("p-%02d.tar", i)] = string(content)
	}
	all, err := list(t, Options{Qualify: true}, filepath.Join(write(t, files), fmt.Sprintf("p-{00..%d}.tar", 3*maxOpen-1)))
	if err != nil {
		t.Fatal(err)
	}
	want := digests(t)
	r := NewReader()
	defer r.Close()
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := worker; i < len(all); i += 4 {
				if got := read(r, all[i]); got != want[i%5] {
					t.Errorf("%s: %s", all[i].Key, got)
				}
			}
		})
	}
	wait.Wait()
	if len(r.open) > maxOpen {
		t.Errorf("%d containers are open", len(r.open))
	}
}
