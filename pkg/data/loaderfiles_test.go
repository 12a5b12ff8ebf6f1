package data_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"gaze/pkg/data"
	"gaze/pkg/transform"
)

// photos writes a set of n JPEG files in 2 classes; some are truncated.
func photos(t testing.TB, n, width, height int, cut ...int) *data.Dataset {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		im := image.NewRGBA(image.Rect(0, 0, width, height))
		for y := range height {
			for x := range width {
				im.Set(x, y, color.RGBA{uint8(x * 3), uint8(y*2 + i), uint8(x * y / 7), 255})
			}
		}
		var buf bytes.Buffer
		if err := jpeg.Encode(&buf, im, nil); err != nil {
			t.Fatal(err)
		}
		content := buf.Bytes()
		if slices.Contains(cut, i) {
			content = content[:len(content)/2]
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d_%d.jpg", i%2, i)), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := data.OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s.Train
}

func pipeline(t testing.TB, text string) transform.Pipeline {
	t.Helper()
	p, err := transform.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// values returns all values of an epoch.
func values(t testing.TB, l *data.Loader, epoch int) []float32 {
	t.Helper()
	var out []float32
	for b, err := range l.Batches(t.Context(), epoch, 0) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b.Images...)
	}
	return out
}

func TestLoaderOfFiles(t *testing.T) {
	defer goleak.VerifyNone(t)
	set := photos(t, 21, 40, 30, 4, 11)
	var bad []string
	options := data.LoaderOptions{
		Pipeline: pipeline(t, "randomresizedcrop(16) | totensor"), Batch: 4, Shuffle: true, Seed: 3, Workers: 3,
		Bad: func(b data.BadPicture) { bad = append(bad, b.Name) },
	}
	l, err := data.NewLoader(set, options)
	if err != nil {
		t.Fatal(err)
	}
	want := values(t, l, 1)
	if len(want) != 19*3*16*16 {
		t.Fatalf("%d values", len(want))
	}
	if slices.Sort(bad); len(bad) != 2 || filepath.Base(bad[0]) != "0_4.jpg" || filepath.Base(bad[1]) != "1_11.jpg" {
		t.Errorf("bad pictures: %v", bad)
	}
	for _, room := range []int64{0, 5 * 40 * 30 * 3, 1 << 30} {
		cache := data.NewCache(set, room)
		if l, err = data.NewLoader(cache, options); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if !slices.Equal(values(t, l, 1), want) {
				t.Errorf("with %d bytes of memory the values are others", room)
			}
		}
		if n := int64(cache.Kept()); n != min(19, room/(40*30*3)) {
			t.Errorf("with %d bytes of memory it keeps %d pictures", room, n)
		}
		im, err := cache.Image(2)
		if err != nil || im.Width != 40 {
			t.Errorf("%v %v", im, err)
		}
	}
	options.Bad = nil
	if l, err = data.NewLoader(set, options); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range l.Batches(t.Context(), 0, 0) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), ".jpg") || !strings.Contains(last.Error(), "truncated") {
		t.Errorf("a bad picture ended the epoch with %v", last)
	}
}

func TestLoaderOfOtherSizes(t *testing.T) {
	set := photos(t, 6, 40, 30)
	other := photos(t, 3, 30, 40)
	set.Items = append(set.Items, other.Items...)
	l, err := data.NewLoader(set, data.LoaderOptions{Pipeline: pipeline(t, "resize(10) | totensor"), Batch: 4, Bad: func(data.BadPicture) { t.Error("told of as bad") }})
	if err != nil {
		t.Fatal(err)
	}
	batches := 0
	var last error
	for _, err := range l.Batches(t.Context(), 0, 0) {
		if last = err; err == nil {
			batches++
		}
	}
	if batches != 1 || last == nil || !strings.Contains(last.Error(), "3 channels of 10x13 from it, but 3 of 13x10 from others") || !strings.Contains(last.Error(), "0_0.jpg") {
		t.Errorf("%d batches, then %v", batches, last)
	}
}

func TestNewLoaderRefuses(t *testing.T) {
	set := photos(t, 3, 20, 10)
	bad := photos(t, 2, 20, 10, 0, 1)
	tensor := pipeline(t, "totensor")
	skip := func(data.BadPicture) {}
	for _, tt := range []struct {
		name string
		set  data.Set
		o    data.LoaderOptions
		says string
	}{
		{"no pictures", &data.Dataset{}, data.LoaderOptions{Pipeline: tensor, Batch: 1}, "no pictures"},
		{"no batch", set, data.LoaderOptions{Pipeline: tensor}, "batches of 0"},
		{"all dropped", set, data.LoaderOptions{Pipeline: tensor, Batch: 4, DropLast: true}, "3 pictures don't fill a batch of 4"},
		{"workers", set, data.LoaderOptions{Pipeline: tensor, Batch: 1, Workers: -1}, "-1 workers"},
		{"no tensor", set, data.LoaderOptions{Pipeline: pipeline(t, "resize(8)"), Batch: 1}, "add '| totensor'"},
		{"first is bad", bad, data.LoaderOptions{Pipeline: tensor, Batch: 1}, "0_0.jpg"},
		{"all are bad", bad, data.LoaderOptions{Pipeline: tensor, Batch: 1, Bad: skip}, "0_0.jpg"},
		{"mixing without classes", set, data.LoaderOptions{Pipeline: tensor, Batch: 1, Mix: transform.Mix{MixupAlpha: 1, P: 1}}, "number of classes"},
		{"too few classes", set, data.LoaderOptions{Pipeline: tensor, Batch: 1, Mix: transform.Mix{MixupAlpha: 1, P: 1}, Classes: 1}, "1_1.jpg has class 1"},
	} {
		if _, err := data.NewLoader(tt.set, tt.o); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	l, err := data.NewLoader(set, data.LoaderOptions{Pipeline: tensor, Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	if l.Shape() != [3]int{3, 10, 20} || l.Pictures() != 3 {
		t.Errorf("shape %v of %d pictures", l.Shape(), l.Pictures())
	}
	for _, at := range [][2]int{{0, 3}, {0, -1}, {-1, 0}} {
		for _, err := range l.Batches(t.Context(), at[0], at[1]) {
			if err == nil {
				t.Errorf("epoch %d has a batch %d", at[0], at[1])
			}
		}
	}
	for range l.Batches(t.Context(), 0, 2) {
		t.Error("an epoch that was at its end went on")
	}
}

// In later epochs, a loader of JPEG files allocates no memory of a picture's size.
func TestLoaderReusesMemoryOfFiles(t *testing.T) {
	set := photos(t, 24, 400, 300)
	l, err := data.NewLoader(set, data.LoaderOptions{Pipeline: pipeline(t, "resize(64,64) | totensor"), Batch: 8, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	run := func() {
		for _, err := range l.Batches(context.Background(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	run()
	run()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	objects, size := (after.Mallocs-before.Mallocs)/24, (after.TotalAlloc-before.TotalAlloc)/24
	t.Logf("%d allocations, %d bytes a picture", objects, size)
	if size > 400*300*3/4 {
		t.Errorf("%d bytes a picture are allocated, of pictures of %d", size, 400*300*3)
	}
}
