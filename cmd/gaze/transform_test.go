package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data"
	"gaze/pkg/transform"
)

// pixels reads a PNG as RGB.
func pixels(t *testing.T, path string) *transform.Image {
	t.Helper()
	im, err := data.Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// A fixed step only moves the original's numbers.
func TestTransformFixed(t *testing.T) {
	in := t.TempDir()
	photo := photo(t, in, "a.png")
	im := pixels(t, photo)
	out, npy := filepath.Join(in, "out.png"), filepath.Join(in, "out.npy")
	printed := ok(t, "transform", "--pipeline", "crop(3,5,7,11) | hflip", "-o", out, "--npy", npy, photo)
	if strings.TrimSpace(printed) != "crop(3,5,7,11) | hflip" {
		t.Errorf("printed %q", printed)
	}
	shape, values := array(t, npy)
	got := pixels(t, out)
	if !slices.Equal(shape, []int{7, 11, 3}) || got.Width != 11 || got.Height != 7 {
		t.Fatalf("shape %v, picture of %dx%d", shape, got.Width, got.Height)
	}
	for i, v := range values {
		c, x, y := i%3, i/3%11, i/33
		want := im.Pix[((y+3)*im.Width+5+10-x)*3+c]
		if v != float32(want) || got.Pix[i] != want {
			t.Fatalf("(%d, %d, %d): %v in numbers and %d in the picture, want %d", y, x, c, v, got.Pix[i], want)
		}
	}
}

// A tensor's numbers are normalised, but its picture isn't.
func TestTransformTensor(t *testing.T) {
	in := t.TempDir()
	photo := photo(t, in, "a.png")
	im := pixels(t, photo)
	out, npy := filepath.Join(in, "out.png"), filepath.Join(in, "out.npy")
	ok(t, "transform", "--pipeline", "totensor | normalize([0.5,0.25,0],[0.5,1,2])", "-o", out, "--npy", npy, photo)
	shape, values := array(t, npy)
	if !slices.Equal(shape, []int{3, 40, 48}) {
		t.Fatalf("shape %v", shape)
	}
	mean, std := []float32{0.5, 0.25, 0}, []float32{0.5, 1, 2}
	for i, v := range values {
		c, at := i/(40*48), i%(40*48)
		if want := (float32(im.Pix[at*3+c])/255 - mean[c]) / std[c]; v != want {
			t.Fatalf("%d: %v, want %v", i, v, want)
		}
	}
	if got := pixels(t, out); !bytes.Equal(got.Pix, im.Pix) {
		t.Error("the picture isn't the original un-normalised")
	}
}

// The same seed draws the same steps, another seed different ones, and the printed steps
// give the same numbers.
func TestTransformSeeds(t *testing.T) {
	in := t.TempDir()
	photo := photo(t, in, "a.png")
	run := func(name, spec string, seed int) (string, []float32) {
		npy := filepath.Join(in, name)
		printed := ok(t, "transform", "--pipeline", spec, "--seed", fmt.Sprint(seed), "--npy", npy, photo)
		_, values := array(t, npy)
		return strings.TrimSpace(printed), values
	}
	spec := "rotation(30) | jitter(0.5,0.5,0.5,0.1) | totensor"
	steps, one := run("1.npy", spec, 1)
	_, again := run("2.npy", spec, 1)
	_, other := run("3.npy", spec, 2)
	_, fixed := run("4.npy", steps, 9)
	if !slices.Equal(one, again) || slices.Equal(one, other) || !slices.Equal(one, fixed) {
		t.Errorf("equal: same seed %v, other seed %v, printed steps %v", slices.Equal(one, again), slices.Equal(one, other), slices.Equal(one, fixed))
	}
}

// Each fixed step documented for the command line is accepted.
func TestTransformContract(t *testing.T) {
	in := t.TempDir()
	photo := photo(t, in, "a.png")
	for spec, size := range map[string][]int{
		"resize(20,30)": {20, 30, 3}, "resize(20,30,bicubic)": {20, 30, 3}, "resize(20,30,nearest)": {20, 30, 3}, "resize(9,80,lanczos)": {9, 80, 3},
		"resize(20)": {20, 24, 3}, "centercrop(17)": {17, 17, 3}, "hflip": {40, 48, 3}, "vflip": {40, 48, 3}, "crop(1,2,3,4)": {3, 4, 3},
		"rotate(-33.5)": {40, 48, 3}, "brightness(1.5)": {40, 48, 3}, "contrast(0.5)": {40, 48, 3}, "saturation(2)": {40, 48, 3}, "hue(-0.2)": {40, 48, 3},
		"warp(0,0,47,0,47,39,0,39 -> 3,2,40,1,45,36,2,38)": {40, 48, 3},
	} {
		npy := filepath.Join(in, "x.npy")
		ok(t, "transform", "--pipeline", spec, "--npy", npy, photo)
		if shape, _ := array(t, npy); !slices.Equal(shape, size) {
			t.Errorf("%s: %v, want %v", spec, shape, size)
		}
	}
}

func TestAugmentDrawsAGrid(t *testing.T) {
	in := t.TempDir()
	photo(t, in, "a.png")
	photo(t, in, "b.png")
	out := filepath.Join(t.TempDir(), "grid.png")
	printed := ok(t, "augment", "--pipeline", "rotation(30) | totensor | normalize(0.5,0.5)", "-n", "3", "--seed", "2", "-o", out, in)
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[0], "a.png\t0\trotate(") || !strings.HasPrefix(lines[5], "b.png\t2\trotate(") {
		t.Errorf("printed %q", lines)
	}
	again := ok(t, "augment", "--pipeline", "rotation(30) | totensor | normalize(0.5,0.5)", "-n", "3", "--seed", "2", "-o", out+".svg", in)
	if again != printed {
		t.Error("the same seed draws otherwise")
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if im, err := png.Decode(f); err != nil || im.Bounds().Dx() < 800 {
		t.Errorf("%v, %v", im.Bounds(), err)
	}
	// The first draw is the one of transform with the same seed.
	steps := strings.TrimSpace(ok(t, "transform", "--pipeline", "rotation(30) | totensor | normalize(0.5,0.5)", "--seed", "2", "-o", out, filepath.Join(in, "a.png")))
	if lines[0] != "a.png\t0\t"+steps {
		t.Errorf("transform draws %s, augment %s", steps, lines[0])
	}
}

func TestTransformBadInput(t *testing.T) {
	in := t.TempDir()
	good := photo(t, in, "a.png")
	bad := filepath.Join(in, "bad.png")
	if err := os.WriteFile(bad, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(in, "out.png")
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"transform", good}, 2, "required"},
		{[]string{"transform", "--pipeline", "hflip", good}, 2, "-o out.png"},
		{[]string{"transform", "--pipeline", "hflip", "-o", out}, 2, "arg"},
		{[]string{"transform", "--pipeline", "hflip | blurr", "-o", out, good}, 2, "column 9"},
		{[]string{"transform", "--pipeline", "hflip", "-o", filepath.Join(in, "out.jpg"), good}, 2, ".png"},
		{[]string{"transform", "--pipeline", "hflip", "-o", out, "--npy", out, good}, 2, "both write"},
		{[]string{"transform", "--pipeline", "hflip", "-o", filepath.Join(in, "no", "out.png"), good}, 1, "can't be written"},
		{[]string{"transform", "--pipeline", "hflip", "-o", out, bad}, 1, "bad.png"},
		{[]string{"transform", "--pipeline", "hflip", "-o", out, filepath.Join(in, "none.png")}, 1, "none.png"},
		{[]string{"transform", "--pipeline", "randomcrop(99)", "-o", out, good}, 1, "doesn't fit"},
		{[]string{"transform", "--pipeline", "warp(0,0,1,1,2,2,3,3 -> 0,0,1,1,2,2,3,3)", "-o", out, good}, 1, "on a line"},
		{[]string{"transform", "--pipeline", "hflip", "--seed", "-1", "-o", out, good}, 2, "invalid argument"},
		{[]string{"augment", "--pipeline", "hflip", "-o", filepath.Join(in, "g.gif"), good}, 2, ".png or .svg"},
		{[]string{"augment", "--pipeline", "hflip", "-n", "0", "-o", out, good}, 2, "1 to 100"},
		{[]string{"augment", "--pipeline", "hfli", "-o", out, good}, 2, "column 1"},
		{[]string{"augment", "--pipeline", "randomhflip", "-o", out, bad}, 1, "bad.png"},
		{[]string{"augment", "--pipeline", "randomhflip", "-o", out, filepath.Join(in, "none")}, 1, "none"},
		{[]string{"augment", "--pipeline", "randomhflip", "-o", filepath.Join(in, "no", "g.png"), good}, 1, "can't be written"},
	} {
		status, printed, log := gaze(t, c.args...)
		if status != c.status || !strings.Contains(log, c.says) {
			t.Errorf("gaze %q: exit status %d, want %d and %q\n%s%s", c.args, status, c.status, c.says, printed, log)
		}
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a failure left %s behind", out)
	}
	// Pictures that could be read are drawn, the others are named.
	status, _, log := gaze(t, "augment", "--pipeline", "hflip", "-n", "1", "-o", out, in)
	if status != 1 || !strings.Contains(log, "bad.png") || !strings.Contains(log, "all draws are the same") {
		t.Errorf("exit status %d\n%s", status, log)
	}
	if pixels(t, out).Width == 0 {
		t.Error("nothing was drawn")
	}
}

// TestTransformHelp: the help says how to apply a fixed step at random, which the list of
// steps doesn't.
func TestTransformHelp(t *testing.T) {
	if out := ok(t, "transform", "--help"); !strings.Contains(out, "randomhflip") || !strings.Contains(out, "p=") {
		t.Errorf("the help names no random step:\n%s", out)
	}
}
