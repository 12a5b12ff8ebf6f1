package hub

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data"
	"gaze/pkg/transform"
)

// packed makes a .tar.gz of files, given by name and content.
func packed(t *testing.T, files [][2]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for _, f := range files {
		err := w.WriteHeader(&tar.Header{Name: f[0], Mode: 0o644, Size: int64(len(f[1])), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// serveOxford puts made-up archives of two breeds on the server; /gone has only
// the first archive.
func serveOxford(t *testing.T, w *world) {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 5, 4))); err != nil {
		t.Fatal(err)
	}
	var trimap bytes.Buffer
	if err := png.Encode(&trimap, &image.Gray{Pix: slices.Repeat([]uint8{1, 2, 3, 2, 2}, 4), Stride: 5, Rect: image.Rect(0, 0, 5, 4)}); err != nil {
		t.Fatal(err)
	}
	var lists [2]string
	var pictures [][2]string
	for i := range 12 {
		name := fmt.Sprintf("%s_%d", []string{"Abyssinian", "beagle"}[i/2%2], i)
		lists[i%2] += fmt.Sprintf("%s %d 1 1\n", name, i/2%2+1)
		pictures = append(pictures, [2]string{"images/" + name + ".jpg", picture.String()})
	}
	pictures[3][1] = "no picture"
	published := oxfordArchives
	t.Cleanup(func() { oxfordArchives = published })
	oxfordArchives = slices.Clone(published)
	for i, content := range [][]byte{
		packed(t, [][2]string{{"annotations/trainval.txt", lists[0]}, {"annotations/test.txt", lists[1]}, {"annotations/trimaps/Abyssinian_0.png", trimap.String()},
			{"annotations/xmls/Abyssinian_0.xml", "<annotation><object><bndbox><xmin>1</xmin><ymin>0</ymin><xmax>4</xmax><ymax>3</ymax></bndbox></object></annotation>"}}),
		packed(t, pictures),
	} {
		f := &oxfordArchives[i]
		f.Size, f.SHA256 = int64(len(content)), sumOf(content)
		w.files["/pets/"+f.Name] = content
		if i == 0 {
			w.files["/gone/"+f.Name] = content
		}
	}
	t.Setenv("GAZE_OXFORD_ENDPOINT", w.URL+"/pets/")
}

func TestOxfordPets(t *testing.T) {
	w := newWorld(t)
	serveOxford(t, w)
	var log []string
	for i := range 2 {
		r, err := OxfordPets(t.Context(), "", w.options(&log))
		if err != nil {
			t.Fatal(err)
		}
		if r.Cached != (i == 1) || r.License != "CC-BY-SA-4.0" {
			t.Errorf("%+v", r)
		}
		s, err := data.OpenDataset(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		if s.Train.Len() != 6 || s.Validation.Len() != 2 || s.Test.Len() != 4 || !slices.Equal(s.Classes, []string{"Abyssinian", "Beagle"}) {
			t.Errorf("%d, %d, %d pictures of %q", s.Train.Len(), s.Validation.Len(), s.Test.Len(), s.Classes)
		}
	}
	if !slices.ContainsFunc(log, func(s string) bool { return strings.Contains(s, "images/beagle_3.jpg") }) {
		t.Errorf("the bad picture wasn't told of: %q", log)
	}
	dir := filepath.Join(os.Getenv("GAZE_CACHE"), "data", OxfordPetsName)
	truth, err := data.OpenTruth(dir)
	if err != nil {
		t.Fatal(err)
	}
	if k := truth.Find("0_0"); k == nil || k.Head == nil || *k.Head != (transform.Region{X0: 1, Y0: 0, X1: 4, Y1: 3}) {
		t.Errorf("the first picture is %+v", k)
	} else if m, err := k.Trimap(); err != nil || m.Share() != 0.25 {
		t.Errorf("its trimap: %+v, %v", m, err)
	}
	if err := os.Remove(filepath.Join(dir, "index.csv")); err != nil {
		t.Fatal(err)
	}
	log = nil
	if r, err := OxfordPets(t.Context(), "", w.options(&log)); err != nil || !r.Cached || len(log) != 1 || !strings.Contains(log[0], "earlier version") {
		t.Errorf("a set of an earlier version: %+v, %q, %v", r, log, err)
	}
	if n := w.count("/pets/images.tar.gz"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("GAZE_CACHE"), "downloads", OxfordPetsName, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOxfordPetsGoesOn(t *testing.T) {
	w := newWorld(t)
	serveOxford(t, w)
	dir := filepath.Join(t.TempDir(), "pets")
	t.Setenv("GAZE_OXFORD_ENDPOINT", w.URL+"/gone")
	if _, err := OxfordPets(t.Context(), dir, w.options(nil)); !errors.Is(err, ErrRefused) {
		t.Fatalf("without its second archive: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder without pictures was left")
	}
	t.Setenv("GAZE_OXFORD_ENDPOINT", w.URL+"/pets")
	if _, err := OxfordPets(t.Context(), dir, w.options(nil)); err != nil {
		t.Fatal(err)
	}
	if n := w.count("/gone/annotations.tar.gz") + w.count("/pets/annotations.tar.gz"); n != 1 {
		t.Errorf("the first archive was fetched %d times", n)
	}
	if _, err := OxfordPets(t.Context(), filepath.Dir(dir), w.options(nil)); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a folder with other things: %v", err)
	}
}

// A mistyped address fails at once, without requests and retries.
func TestOxfordPetsNonsenseEndpoint(t *testing.T) {
	w := newWorld(t)
	serveOxford(t, w)
	for _, at := range []string{"nonsense", "/a/folder", "ftp://example.org/pets", "http://", "http://:80/pets", "http://a b/"} {
		t.Setenv("GAZE_OXFORD_ENDPOINT", at)
		_, err := OxfordPets(t.Context(), filepath.Join(t.TempDir(), "pets"), w.options(nil))
		if err == nil || !strings.Contains(err.Error(), "GAZE_OXFORD_ENDPOINT is") {
			t.Errorf("%q: %v", at, err)
		}
	}
}

func TestOxfordPetsWrongContent(t *testing.T) {
	w := newWorld(t)
	serveOxford(t, w)
	w.files["/pets/images.tar.gz"] = slices.Clone(w.files["/pets/images.tar.gz"])
	w.files["/pets/images.tar.gz"][40] ^= 1
	dir := filepath.Join(t.TempDir(), "pets")
	if _, err := OxfordPets(t.Context(), dir, w.options(nil)); !errors.Is(err, ErrChecksum) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder was left")
	}
}

func TestOxfordPetsSecondPlace(t *testing.T) {
	w := newWorld(t)
	serveOxford(t, w)
	t.Setenv("GAZE_OXFORD_ENDPOINT", "")
	places := oxfordPlaces
	t.Cleanup(func() { oxfordPlaces = places })
	oxfordPlaces = []string{w.URL + "/gone", w.URL + "/pets"}
	var log []string
	r, err := OxfordPets(t.Context(), filepath.Join(t.TempDir(), "pets"), w.options(&log))
	if err != nil || r.Source != w.URL+"/pets" {
		t.Errorf("%+v %v", r, err)
	}
	if !slices.ContainsFunc(log, func(s string) bool { return strings.Contains(s, "trying "+w.URL+"/pets") }) {
		t.Errorf("not told: %q", log)
	}
}
