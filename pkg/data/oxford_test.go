package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// archive packs members, given as "name=content", into a .tar.gz. A name that ends in a
// slash is a folder; content that begins with -> makes a link.
func archive(t testing.TB, path string, members ...string) string {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for _, m := range members {
		name, content, _ := strings.Cut(m, "=")
		h := &tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(content))}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if to, ok := strings.CutPrefix(content, "->"); ok {
			h.Typeflag, h.Linkname, h.Size, content = tar.TypeSymlink, to, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close(), os.WriteFile(path, buf.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return path
}

// encoded returns a small picture in a format.
func encoded(t testing.TB, format string, grey uint8) string {
	t.Helper()
	im := image.NewPaletted(image.Rect(0, 0, 9, 7), color.Palette{color.Gray{grey}, color.Black})
	var buf bytes.Buffer
	var err error
	switch format {
	case "jpg":
		err = jpeg.Encode(&buf, im, nil)
	case "png":
		err = png.Encode(&buf, im)
	case "gif":
		err = gif.Encode(&buf, im, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// madeUp makes archives with the published structure: 2 breeds with 4 and 5 training
// pictures, and 7 and 5 test pictures.
func madeUp(t testing.TB, dir string, more ...string) (images, annotations string) {
	t.Helper()
	var trainval, test strings.Builder
	members := []string{"images/=", "._images=mac", "images/._Abyssinian_1.jpg=mac", "images/Abyssinian_1.mat=matlab", "images/Abyssinian_900.jpg=not listed",
		"../evil.jpg=outside", "images/../../Abyssinian_101.jpg=outside", "/images/Abyssinian_102.jpg=outside", "images/beagle_7.jpg=->/etc/passwd"}
	number := 0
	var truth []string
	add := func(list *strings.Builder, breed string, class, n int) {
		for range n {
			number++
			fmt.Fprintf(list, "%s_%d %d %d 1\n", breed, 100+number, class, class)
			truth = append(truth, madeUpTruth(t, fmt.Sprintf("%s_%d", breed, 100+number), number)...)
			format := []string{"jpg", "jpg", "png", "gif"}[number%4]
			content := encoded(t, format, uint8(number))
			if number == 3 {
				content = content[:20] // damaged
			}
			members = append(members, fmt.Sprintf("images/%s_%d.jpg=%s", breed, 100+number, content))
		}
	}
	add(&trainval, "Abyssinian", 1, 4)
	add(&trainval, "great_Dane", 2, 5)
	add(&test, "Abyssinian", 1, 7)
	add(&test, "great_Dane", 2, 5)
	images = archive(t, filepath.Join(dir, "images.tar.gz"), append(members, more...)...)
	lists := []string{"annotations/=", "annotations/._test.txt=mac",
		"annotations/list.txt=#Image CLASS-ID SPECIES BREED ID\n", "annotations/README=text",
		"./annotations/trainval.txt=# a comment\n" + trainval.String(), "annotations/test.txt=" + test.String(), "annotations/xmls/Abyssinian_1.xml=<x/>",
		"annotations/trimaps/._Abyssinian_101.png=mac", "annotations/trimaps/Abyssinian_1.png=not listed"}
	annotations = archive(t, filepath.Join(dir, "annotations.tar.gz"), append(lists, truth...)...)
	return images, annotations
}

func TestConvertOxfordPets(t *testing.T) {
	defer goleak.VerifyNone(t)
	temp := t.TempDir()
	images, annotations := madeUp(t, temp)
	dir := filepath.Join(temp, "out", "pets")
	var log []string
	err := ConvertOxfordPets(t.Context(), images, annotations, dir, OxfordPetsOptions{Source: "made up", Log: func(s string) { log = append(log, s) }})
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Classes, []string{"Abyssinian", "Great Dane"}) {
		t.Errorf("classes %q", s.Classes)
	}
	// 12 · 1500/3669 is 4.9: 5 validation pictures, lines 2, 4, 7, 9 and 11 of 0 to 11.
	want := [3]string{"0_0 0_1 0_2 0_3 1_4 1_5 1_6 1_7 1_8", "0_9 0_10 1_11 1_12 1_13", "0_14 0_15 0_16 0_17 0_18 1_19 1_20"}
	grey := map[int]int{9: 9 + 3, 10: 9 + 5, 11: 9 + 8, 14: 9 + 1, 20: 9 + 11}
	for i, d := range []*Dataset{s.Train, s.Validation, s.Test} {
		var got []string
		for j, item := range d.Items {
			got = append(got, strings.TrimSuffix(filepath.Base(item.Path), ".jpg"))
			im, err := d.Image(j)
			if item.ID == 2 { // the third
				if !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrFormat) && err == nil {
					t.Errorf("%s: %v", item.Path, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", item.Path, err)
				continue
			}
			number := item.ID + 1
			if i > 0 {
				number = grey[item.ID]
			}
			if v := int(im.Pix[0]); number > 0 && (v < number-1 || v > number+1) {
				t.Errorf("%s is picture %d, not %d", item.Path, v, number)
			}
		}
		if g := strings.Join(got, " "); g != want[i] {
			t.Errorf("%s: %s, want %s", splitNames[i][0], g, want[i])
		}
	}
	if len(log) != 5 || !strings.Contains(log[0], "train/0_2.jpg: images/Abyssinian_103.jpg") {
		t.Errorf("log: %q", log)
	}
	text, err := os.ReadFile(filepath.Join(dir, "README.txt"))
	if err != nil || !strings.Contains(string(text), "made up") || !strings.Contains(string(text), "train/0_2.jpg") || !strings.Contains(string(text), "ids from 14") {
		t.Errorf("%s %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) != 3 {
		t.Errorf("written elsewhere: %v", left)
	}
	if err := ConvertOxfordPets(t.Context(), images, annotations, dir, OxfordPetsOptions{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("over another set: %v", err)
	}
}

func TestConvertOxfordPetsFails(t *testing.T) {
	defer goleak.VerifyNone(t)
	temp := t.TempDir()
	images, annotations := madeUp(t, temp)
	whole, err := os.ReadFile(images)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, content []byte) string {
		path := filepath.Join(temp, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	lists := func(name, trainval, test string) string {
		return archive(t, filepath.Join(temp, name), "annotations/trainval.txt="+trainval, "annotations/test.txt="+test)
	}
	for _, tt := range []struct{ name, images, annotations, says string }{
		{"cut", file("cut.tar.gz", whole[:len(whole)/2]), annotations, "cut.tar.gz: unexpected EOF"},
		{"cut at the end", file("cut2.tar.gz", whole[:len(whole)-4]), annotations, "cut2.tar.gz: unexpected EOF"},
		{"no archive", file("text.tar.gz", []byte("<html>")), annotations, "not a .tar.gz"},
		{"not there", filepath.Join(temp, "none"), annotations, "none"},
		{"twice", archive(t, filepath.Join(temp, "twice.tar.gz"), "images/Abyssinian_101.jpg=a", "images/Abyssinian_101.jpg=b"), annotations, "occurs twice"},
		{"missing", archive(t, filepath.Join(temp, "few.tar.gz"), "images/Abyssinian_101.jpg=a"), annotations, "20 listed pictures aren't in it, such as Abyssinian_102.jpg"},
		{"no lists", images, archive(t, filepath.Join(temp, "empty.tar.gz")), "0 and 0 pictures"},
		{"bad list", images, lists("bad.tar.gz", "a_1 1 1 1\n", "a_2 x 1 1\n"), `annotations/test.txt:1: the class is "x"`},
		{"named twice", images, lists("again.tar.gz", "a_1 1 1 1\n", "a_1 1 1 1\n"), "name a_1 twice"},
		{"two breeds", images, lists("two.tar.gz", "a_1 1 1 1\n", "b_1 1 1 1\n"), "class 1 is a and b"},
		{"no class", images, lists("gap.tar.gz", "a_1 1 1 1\n", "b_1 3 1 1\n"), "none with number 2"},
	} {
		dir := filepath.Join(temp, "out")
		err := ConvertOxfordPets(t.Context(), tt.images, tt.annotations, dir, OxfordPetsOptions{})
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ConvertOxfordPets(ctx, images, annotations, filepath.Join(temp, "out"), OxfordPetsOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "out*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The published lists have 3680 and 3669 lines, class after class.
func TestPlanOxfordAsPublished(t *testing.T) {
	list := func(n int) []oxfordLine {
		lines := make([]oxfordLine, n)
		for i := range lines {
			lines[i] = oxfordLine{fmt.Sprintf("breed%d_%d", i*37/n, n+i*7919), i * 37 / n, "cat"}
		}
		return lines
	}
	p, err := planOxford(list(3680), list(3669))
	if err != nil {
		t.Fatal(err)
	}
	if p.counts != [3]int{3680, 1500, 2169} || len(p.pictures) != 7349 || len(p.classes) != 37 {
		t.Errorf("%v, %d pictures, %d classes", p.counts, len(p.pictures), len(p.classes))
	}
	each := map[string]int{}
	for _, picture := range p.pictures {
		if class, ok := strings.CutPrefix(picture.target(), "val/"); ok {
			class, _, _ = strings.Cut(class, "_")
			each[class]++
		}
	}
	for class, n := range each {
		if n != 40 && n != 41 {
			t.Errorf("class %s has %d pictures to validate on", class, n)
		}
	}
}

func FuzzOxfordList(f *testing.F) {
	for _, seed := range []string{"#Image CLASS-ID\nAbyssinian_100 1 1 1\ngreat_pyrenees_7 2 2 1\n", "a_1 0 1 1", "../a_1 1 1 1", "a 1 1 1", "\x00", "a_1 99999999999999999999 1 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := parseOxfordList(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, l := range lines {
			if l.species != "cat" && l.species != "dog" {
				t.Errorf("%q gave a %s", text, l.species)
			}
			if l.class < 0 || l.class >= maxClasses || l.breed() == "" || strings.ContainsAny(l.name, `/\ `) {
				t.Errorf("%q gave %+v", text, l)
			}
		}
		if p, err := planOxford(lines, []oxfordLine{{"x_1", 0, "dog"}}); err == nil && len(p.pictures) != len(lines)+1 {
			t.Errorf("%q: %d places for %d pictures", text, len(p.pictures), len(lines)+1)
		}
	})
}
