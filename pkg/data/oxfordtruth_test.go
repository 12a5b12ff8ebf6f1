package data

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/transform"
)

// trimap returns a PNG of 1, 2 and 3: the pet is on the left, n columns wide, then comes
// a column of border.
func trimap(t testing.TB, width, height, n int) string {
	t.Helper()
	im := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			v := uint8(2)
			if x < n {
				v = 1
			} else if x == n {
				v = 3
			}
			im.SetGray(x, y, color.Gray{v})
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, im); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// madeUpTruth are the trimap and the box of a picture of 9x7 of a made-up archive. The
// number chooses: the fourth trimap has another size, the fifth box reaches outside, the
// sixth isn't XML, the seventh has none.
func madeUpTruth(t testing.TB, name string, number int) []string {
	width := 9
	if number == 4 {
		width = 8
	}
	box := fmt.Sprintf("<annotation><size><width>9</width></size><object><name>cat</name><bndbox><xmin>%d</xmin><ymin>0</ymin><xmax>9</xmax><ymax>5</ymax></bndbox></object></annotation>", number%4)
	switch number {
	case 5:
		box = strings.Replace(box, "<xmax>9", "<xmax>10", 1)
	case 6:
		box = "<annotation>"
	}
	list := []string{"annotations/trimaps/" + name + ".png=" + trimap(t, width, 7, number%5+1)}
	if number != 7 {
		list = append(list, "annotations/xmls/"+name+".xml="+box)
	}
	return list
}

func TestConvertOxfordPetsKeepsTruth(t *testing.T) {
	temp := t.TempDir()
	images, annotations := madeUp(t, temp)
	dir := filepath.Join(temp, "pets")
	var log []string
	err := ConvertOxfordPets(t.Context(), images, annotations, dir, OxfordPetsOptions{Log: func(s string) { log = append(log, s) }})
	if err != nil {
		t.Fatal(err)
	}
	truth, err := OpenTruth(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(truth.Pictures) != 21 || !slices.Equal(truth.Splits(), []string{"train", "val", "test"}) {
		t.Errorf("%d pictures in %q", len(truth.Pictures), truth.Splits())
	}
	first := truth.Find("0_0.jpg")
	if first == nil || first.Breed != "Abyssinian" || first.Species != "cat" || first.Width != 9 || first.Height != 7 || first.Head == nil || *first.Head != (transform.Region{X0: 1, Y0: 0, X1: 9, Y1: 5}) {
		t.Fatalf("the first picture is %+v", first)
	}
	if _, err := Decode(first.Path); err != nil {
		t.Error(err)
	}
	m, err := first.Trimap()
	if err != nil || m.Pix[1] != Inside || m.Pix[2] != Uncounted || m.Pix[3] != Outside {
		t.Errorf("%+v, %v", m, err)
	}
	last := truth.Find(filepath.Join("elsewhere", "1_20.png"))
	if last == nil || last.Split != "test" || last.Breed != "great_Dane" || last.Species != "dog" {
		t.Errorf("the last picture is %+v", last)
	}
	for name, c := range map[string]struct{ trimap, head, size bool }{
		"0_2": {true, false, false}, // damaged: no size is known
		"0_3": {false, true, true},
		"1_4": {true, false, true},
		"1_5": {true, false, true},
		"1_6": {true, false, true},
		"1_7": {true, true, true},
	} {
		if k := truth.Find(name); k.HasTrimap() != c.trimap || (k.Head != nil) != c.head || (k.Width > 0) != c.size {
			t.Errorf("%s: %+v", name, k)
		}
	}
	text := strings.Join(log, "\n")
	for _, want := range []string{"Abyssinian_104.png (train/0_3.jpg): left out: it is 8x7, the picture 9x7", "great_Dane_105.xml (train/1_4.jpg): left out: the box reaches to 10, 5", "great_Dane_106.xml (train/1_5.jpg): left out: XML"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log doesn't say %q: %s", want, text)
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, "index.csv"))
	if err != nil || !strings.HasPrefix(string(content), "file,split,cls,id,oxford,breed,species,width,height,xmin,ymin,xmax,ymax,mask\n0_0.jpg,train,0,0,Abyssinian_101,Abyssinian,cat,9,7,1,0,9,5,trimap\n") {
		t.Errorf("%s %v", content, err)
	}
}

// TestNamedSplits: the set's own test part is val and test together, in the order of ids.
func TestNamedSplits(t *testing.T) {
	temp := t.TempDir()
	images, annotations := madeUp(t, temp)
	dir := filepath.Join(temp, "pets")
	if err := ConvertOxfordPets(t.Context(), images, annotations, dir, OxfordPetsOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]int{"train": {9, 0}, "val": {5, 9}, "test": {7, 14}, "official-train": {9, 0}, "official-test": {12, 9}} {
		d, err := s.Named(name)
		if err != nil || d.Len() != want[0] || d.Items[0].ID != want[1] || !slices.Equal(d.Classes, s.Classes) {
			t.Errorf("%s: %+v, %v", name, d, err)
			continue
		}
		if !slices.IsSortedFunc(d.Items, func(a, b Item) int { return a.ID - b.ID }) {
			t.Errorf("%s isn't in order", name)
		}
	}
	official, err := s.Named("official-test")
	if err != nil || official.Relative(0) != "val/0_9.jpg" || official.Relative(11) != "test/1_20.jpg" {
		t.Errorf("%q, %q, %v", official.Relative(0), official.Relative(11), err)
	}
	s.Test = nil
	for name, says := range map[string]string{"official-test": "has no test", "test": "has no test", "best": "no split \"best\""} {
		if _, err := s.Named(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOxfordBox(f *testing.F) {
	const box = "<annotation><object><bndbox><xmin>%s</xmin><ymin>2</ymin><xmax>30</xmax><ymax>4</ymax></bndbox></object></annotation>"
	for _, v := range []string{"1", "-1", "NaN", "31", " 7.5 ", "1e9", ""} {
		f.Add([]byte(fmt.Sprintf(box, v)))
	}
	f.Add([]byte("<annotation/>"))
	f.Add([]byte("<x><annotation>"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if r, err := parseOxfordBox(content); err == nil && !(r.X0 >= 0 && r.Y0 >= 0 && r.X0 < r.X1 && r.Y0 < r.Y1 && r.X1 <= maxSide && r.Y1 <= maxSide) {
			t.Errorf("%q gave %+v", content, r)
		}
	})
}

// colourPNG is a PNG with colours, of 10x8.
func colourPNG(t testing.TB) string {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewNRGBA(image.Rect(0, 0, 10, 8))); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}
