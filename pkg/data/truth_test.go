package data

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/internal/realdata"
	"gaze/pkg/transform"
)

const indexHead = "file,split,cls,id,oxford,breed,species,width,height,xmin,ymin,xmax,ymax,mask\n"

// truthFolder writes files, given by name and content, and returns their folder.
func truthFolder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenTruth(t *testing.T) {
	dir := truthFolder(t, map[string]string{
		"index.csv": indexHead + "0_1.jpg,train,0,1,Abyssinian_1,Abyssinian,cat,10,8,2,1,7.5,4,trimap\n" +
			"\n1_2.jpg,val,1,2,beagle_1,beagle,dog,20,16,,,,,polygon\n2_3.jpg,val,2,3,,,,,,,,,,\n",
		"trimaps/0_1.png": trimap(t, 10, 8, 4), "trimaps/.hidden.png": "", "trimaps/notes.txt": "",
		"outlines.json": `[{"file":"1_2.jpg","width":20,"height":16,"polygons":[[2,2,9,2,9,9,2,9],[4,4,6,4,6,6,4,6]]}]`,
	})
	truth, err := OpenTruth(dir)
	if err != nil {
		t.Fatal(err)
	}
	cat, dog, plain := truth.Find("0_1"), truth.Find("x/1_2.jpg"), truth.Find("2_3.png")
	if len(truth.Pictures) != 3 || cat != truth.Pictures[0] || dog != truth.Pictures[1] || plain != truth.Pictures[2] || truth.Find("3_1") != nil {
		t.Fatalf("%+v", truth)
	}
	if cat.Path != filepath.Join(dir, "train", "0_1.jpg") || *cat.Head != (transform.Region{X0: 2, Y0: 1, X1: 7.5, Y1: 4}) || dog.Head != nil || dog.Class != 1 || dog.Breed != "beagle" || plain.Width != 0 {
		t.Errorf("%+v, %+v, %+v", cat, dog, plain)
	}
	m, err := cat.PetMask()
	if err != nil || m.Share() != 4.0/9 { // the column of border isn't counted
		t.Errorf("a trimap with %v inside, %v", m.Share(), err)
	}
	// 8x8 pixels whose hole has 3x3 of them.
	m, err = dog.PetMask()
	if err != nil || m.Width != 20 || m.Height != 16 {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, c := range []struct {
		x, y int
		want uint8
	}{{2, 2, Inside}, {9, 8, Inside}, {10, 5, Outside}, {1, 5, Outside}, {5, 5, Outside}, {3, 5, Inside}, {7, 5, Inside}} {
		if got := m.Pix[c.y*20+c.x]; got != c.want {
			t.Errorf("pixel %d, %d of the outline is %d", c.x, c.y, got)
		}
	}
	if _, err := plain.PetMask(); !errors.Is(err, ErrUnknown) {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := cat.Outline(); !errors.Is(err, ErrUnknown) {
		t.Errorf("of no outline: %v", err)
	}
}

func TestOpenTruthErrors(t *testing.T) {
	line := func(cells string) map[string]string { return map[string]string{"index.csv": indexHead + cells + "\n"} }
	good := "0_1.jpg,train,0,1,a_1,a,cat,10,8,2,1,7,4,"
	for says, files := range map[string]map[string]string{
		"gaze pull oxford-pets":      {},
		"index.csv:1: the file":      {"index.csv": ""},
		"no column split":            {"index.csv": "file,cls\n"},
		"the column cls twice":       {"index.csv": "file,split,cls,cls,width,height,xmin,ymin,xmax,ymax\n"},
		"index.csv:2: the line has":  line("0_1.jpg,train"),
		`index.csv:2: file is "../x`: line("../x.jpg,train,0,1,a_1,a,cat,10,8,,,,,"),
		`split is ".."`:              line("x.jpg,..,0,1,a_1,a,cat,10,8,,,,,"),
		`cls is "cat"`:               line("0_1.jpg,train,cat,1,a_1,a,cat,10,8,,,,,"),
		"the size is":                line("0_1.jpg,train,0,1,a_1,a,cat,10,,,,,,"),
		"the size is \"0\"":          line("0_1.jpg,train,0,1,a_1,a,cat,0,7,,,,,"),
		"has empty cells":            line("0_1.jpg,train,0,1,a_1,a,cat,10,8,2,1,7,,"),
		`xmin is "NaN"`:              line("0_1.jpg,train,0,1,a_1,a,cat,10,8,NaN,1,7,4,"),
		"box is empty":               line("0_1.jpg,train,0,1,a_1,a,cat,10,8,7,1,7,4,"),
		"outside the original":       line("0_1.jpg,train,0,1,a_1,a,cat,10,8,2,1,7,9,"),
		"needs the original's":       line("0_1.jpg,train,0,1,a_1,a,cat,,,2,1,7,9,"),
		"index.csv:3: the picture 0": line(good + "\n" + good),
		"lists no such picture":      {"index.csv": indexHead + good, "trimaps/0_2.png": "x"},
		"isn't a list":               {"index.csv": indexHead + good, "outlines.json": "{}"},
		"outlines.json:2: it isn't":  {"index.csv": indexHead + good, "outlines.json": "[\n{]"},
		`no picture "0_2.jpg"`:       {"index.csv": indexHead + good, "outlines.json": `[{"file":"0_2.jpg","width":10,"height":8,"polygons":[[1,1,2,2,3,1]]}]`},
		"is 9x8 here, but 10x8":      {"index.csv": indexHead + good, "outlines.json": `[{"file":"0_1.jpg","width":9,"height":8,"polygons":[[1,1,2,2,3,1]]}]`},
		"point 1 is outside":         {"index.csv": indexHead + good, "outlines.json": `[{"file":"0_1.jpg","width":10,"height":8,"polygons":[[1,1,2,20,3,1]]}]`},
		"has 5 numbers":              {"index.csv": indexHead + good, "outlines.json": `[{"file":"0_1.jpg","width":10,"height":8,"polygons":[[1,1,2,2,3]]}]`},
		"outlines.json:3: 0_1.jpg has an outline on line 2": {"index.csv": indexHead + good, "outlines.json": "[\n" + `{"file":"0_1.jpg","width":10,"height":8,"polygons":[[1,1,2,2,3,1]]},` + "\n" +
			`{"file":"0_1.jpg","width":10,"height":8,"polygons":[[1,1,2,2,3,1]]}]`},
	} {
		if _, err := OpenTruth(truthFolder(t, files)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestBadTrimaps: a trimap that can't be used is an error that names it.
func TestBadTrimaps(t *testing.T) {
	for says, content := range map[string]string{
		"is 9x8, but index.csv says": trimap(t, 9, 8, 3),
		"has colours":                colourPNG(t),
		"is 0: 1 (pet)":              encoded(t, "png", 0),
		"0_1.png":                    "no picture",
	} {
		index := indexHead + "0_1.jpg,train,0,1,a_1,a,cat,10,8,,,,,\n"
		if strings.Contains(says, "is 0") {
			index = strings.Replace(index, "10,8", "9,7", 1)
		}
		truth, err := OpenTruth(truthFolder(t, map[string]string{"index.csv": index, "trimaps/0_1.png": content}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := truth.Pictures[0].Trimap(); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "0_1.png") {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestView: masks and boxes of an original of 40x20 on the pixels of a copy of 20x10,
// resized and cropped.
func TestView(t *testing.T) {
	k := &Known{Name: "0_1", Path: "0_1.jpg", Width: 40, Height: 20}
	im := transform.NewImage(20, 10, 3)
	p, err := transform.Parse("resize(5) | centercrop(5) | totensor | normalize(0.5,0.5)")
	if err != nil {
		t.Fatal(err)
	}
	tensor, err := p.Tensor(im)
	if err != nil {
		t.Fatal(err)
	}
	v, err := k.View(p, im, tensor)
	// 20x10 is resized to 10x5, of which the crop leaves columns 2 (of 2.5, to even) to 6.
	if want := (View{transform.Region{X0: 8, Y0: 0, X1: 28, Y1: 20}, 5, 5}); err != nil || v != want {
		t.Fatalf("%+v, %v, want %+v", v, err, want)
	}
	m := newMask(40, 20)
	for i := range m.Pix {
		if x := i % 40; x >= 12 && x < 20 {
			m.Pix[i] = Inside
		} else if x >= 20 && x < 24 {
			m.Pix[i] = Uncounted
		}
	}
	want := slices.Repeat([]uint8{Outside, Inside, Inside, Uncounted, Outside}, 5)
	if got := v.Mask(m); !slices.Equal(got.Pix, want) {
		t.Errorf("the mask is seen as %v", got.Pix)
	}
	box := v.Box(transform.Region{X0: 12, Y0: 9, X1: 20, Y1: 15})
	if want := slices.Concat(make([]uint8, 10), []uint8{0, 1, 1, 0, 0, 0, 1, 1, 0, 0}, make([]uint8, 5)); !slices.Equal(box.Pix, want) {
		t.Errorf("the box is seen as %v", box.Pix)
	}
	if _, err := k.View(p, transform.NewImage(20, 16, 3), tensor); err == nil || !strings.Contains(err.Error(), "another shape") {
		t.Errorf("of a picture of another shape: %v", err)
	}
	rotated, err := transform.Parse("rotate(30) | resize(5,5) | totensor")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.View(rotated, im, tensor); err == nil || !strings.Contains(err.Error(), "only resizes and crops") {
		t.Errorf("after a rotation: %v", err)
	}
}

// TestRealTruth: the real set has what its list says, each trimap can be read, and
// outlines agree with trimaps where both are known.
func TestRealTruth(t *testing.T) {
	truth, err := OpenTruth(realdata.Path(t, "pets"))
	if err != nil {
		t.Fatal(err)
	}
	trimaps, outlines, heads := 0, 0, 0
	var overlaps []float64
	for _, k := range truth.Pictures {
		if k.HasTrimap() {
			trimaps++
		}
		if k.HasOutline() {
			outlines++
		}
		if k.Head != nil {
			heads++
		}
		if !k.HasTrimap() || !k.HasOutline() {
			continue
		}
		a, errA := k.Trimap()
		b, errB := k.Outline()
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		both, either := 0, 0
		for i := range a.Pix {
			x, y := a.Pix[i] == Inside, b.Pix[i] == Inside
			if x && y {
				both++
			}
			if x || y {
				either++
			}
		}
		overlaps = append(overlaps, float64(both)/float64(either))
	}
	if len(truth.Pictures) != 5180 || trimaps != 491 || outlines != 370 || heads != 3671 {
		t.Errorf("%d pictures, %d trimaps, %d outlines, %d heads", len(truth.Pictures), trimaps, outlines, heads)
	}
	slices.Sort(overlaps)
	if n := len(overlaps); n != 34 || overlaps[n/2] < 0.97 || overlaps[0] < 0.49 {
		t.Errorf("outlines over trimaps: %.3f", overlaps)
	}
}

func FuzzIndex(f *testing.F) {
	for _, s := range []string{
		indexHead + "0_1.jpg,train,0,1,Abyssinian_1,Abyssinian,cat,10,8,2,1,7.5,4,trimap\n", indexHead, "", "file,split,cls,width,height,xmin,ymin,xmax,ymax\na.b.jpg,val,3,,,,,,\n",
		indexHead + "0_1.jpg,train,0,1,a,\"a\nb\",cat,10,8,,,,,\n", "\xef\xbb\xbf" + indexHead, "file;split\n", indexHead + "x,y,99999999999,,,,,1,1,0,0,1e-300,inf,\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		rows, err := parseIndex(content)
		if err != nil {
			return
		}
		for _, r := range rows {
			if r.file == "" || strings.ContainsAny(r.file+r.Split, `/\`) || r.line < 2 || r.Class < 0 || (r.Width == 0) != (r.Height == 0) {
				t.Errorf("%q gave %+v", content, r)
			}
			if b := r.Head; b != nil && !(b.X0 >= 0 && b.X0 < b.X1 && b.X1 <= float64(r.Width) && b.Y0 >= 0 && b.Y0 < b.Y1 && b.Y1 <= float64(r.Height)) {
				t.Errorf("%q gave the box %+v", content, *b)
			}
		}
	})
}

func FuzzOutlines(f *testing.F) {
	for _, s := range []string{
		`[{"file":"0_1.jpg","width":10,"height":8,"polygons":[[1,1,2,2,3,1],[0,0,9,0,9,7,0,7]]}]`, "[]", "[", "{}", "", "[{}]", `[{"file":"x","width":3,"height":3,"polygons":[[null,1,2,2,1e400,1]]}]`, "[]x",
		`[{"file":"x","width":3,"height":3,"polygons":[[-1,-1,4,4,4,-1]]}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		list, err := parseOutlines(content)
		if err != nil {
			return
		}
		for _, o := range list {
			if o.Width*o.Height > 1<<20 {
				continue
			}
			if m := o.fill(); len(m.Pix) != o.Width*o.Height || slices.Contains(m.Pix, Uncounted) {
				t.Errorf("%q gave %+v", content, m)
			}
		}
	})
}
