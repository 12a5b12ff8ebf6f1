package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/hub"
	"gaze/pkg/vit"
)

// manyPictures makes a folder of pictures of several sizes, with a bad one in the middle,
// and returns the names of the good ones.
func manyPictures(t *testing.T, n int) (names []string) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("photos/p%02d.png", i)
		if i == n/2 {
			write(t, name, "no picture")
			continue
		}
		im := image.NewRGBA(image.Rect(0, 0, 30+i%3*10, 40))
		for at := range 40 * im.Rect.Dx() {
			x, y := at%im.Rect.Dx(), at/im.Rect.Dx()
			im.SetRGBA(x, y, color.RGBA{uint8(x * i), uint8(y*5 + i), uint8(x * y), 255})
		}
		var buf bytes.Buffer
		if err := png.Encode(&buf, im); err != nil {
			t.Fatal(err)
		}
		write(t, name, buf.String())
		names = append(names, name)
	}
	return names
}

// savedModel saves a Vision Transformer that is large enough for Gaze's kernels, and so for
// batches.
func savedModel(t *testing.T) {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=128,depth=2,heads=2,patch=16,size=32")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 1000
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save("wide.safetensors"); err != nil {
		t.Fatal(err)
	}
}

// TestManyEqualOne: over many pictures, commands write what they write of each alone, for
// any number of processors, and name the bad one.
func TestManyEqualOne(t *testing.T) {
	if testing.Short() {
		t.Skip("runs commands many times")
	}
	shareCache(t)
	t.Chdir(t.TempDir())
	if err := os.Mkdir("photos", 0o755); err != nil {
		t.Fatal(err)
	}
	savedModel(t)
	names := manyPictures(t, 12)
	for _, c := range []struct {
		command []string
		files   int // of each picture
	}{
		{[]string{"classify", "--model", "wide.safetensors", "--json", "--top", "3"}, 0},
		{[]string{"attend", "--model", "wide.safetensors", "--npy", "-o", "out"}, 2},
		{[]string{"caption", "--model", hub.LaptopCaptioner, "--json", "--max-tokens", "3", "-o", "out"}, 2},
	} {
		var alone []string // what is printed
		want := map[string]string{}
		for _, name := range []string{names[0], names[4], names[10]} {
			alone = append(alone, object(ok(t, append(slices.Clone(c.command), name)...)))
			if c.files > 0 {
				maps.Copy(want, contents(t, "out"))
				os.RemoveAll("out")
			}
		}
		for _, processors := range []int{1, 3} {
			previous := runtime.GOMAXPROCS(processors)
			status, text, log := gaze(t, append(slices.Clone(c.command), "photos")...)
			runtime.GOMAXPROCS(previous)
			if status != 1 || !strings.Contains(log, "p06.png: not a picture") {
				t.Errorf("%q: exit status %d: %s", c.command, status, log)
			}
			for _, one := range alone {
				if !strings.Contains(object(text), one) {
					t.Errorf("%q printed\n%s\nof many pictures, and of one\n%s", c.command, text, one)
				}
			}
			if c.files == 0 {
				continue
			}
			got := contents(t, "out")
			for name, sum := range want {
				if got[name] != sum {
					t.Errorf("%q: %s differs", c.command, name)
				}
			}
			if len(got) != 1+c.files*len(names) { // and the folder itself
				t.Errorf("%q wrote %d files", c.command, len(got))
			}
			os.RemoveAll("out")
		}
	}
}

// object is a JSON list of objects without what surrounds and indents these; other text
// stays.
func object(text string) string { return strings.Trim(text, "[]\n ") }

// TestInterruptedAmongMany: after an interrupt there are the files of the pictures that were
// delivered, all whole, and no others.
func TestInterruptedAmongMany(t *testing.T) {
	shareCache(t)
	workplace(t)
	manyPictures(t, 20)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out, log bytes.Buffer
	args := []string{"attend", "--model", "model", "-o", "out", "photos"}
	if status := run(ctx, args, &out, io.MultiWriter(&log, cancelOn{"p10.png", cancel})); status != 1 || !strings.Contains(log.String(), "interrupted") {
		t.Errorf("exit status %d: %s", status, &log)
	}
	files, err := os.ReadDir("out")
	if err != nil || len(files) != 12 { // two of the workplace and ten before the bad one
		t.Errorf("%d files, %v: %v", len(files), err, files)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join("out", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
}
