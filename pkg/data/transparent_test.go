package data

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"gaze/pkg/transform"
)

// onWhite is the result of transformers' convert_to_rgb and of convert("RGB") for a file
// (tools/golden/decode_white.py).
type onWhite struct {
	White, Dropped *want
	Error          string
}

func parsed(t testing.TB, spec string) transform.Pipeline {
	t.Helper()
	p, err := transform.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// If a pipeline begins with a background, transparent pictures of every format are put on
// it; other pictures are unchanged. Files that Pillow refuses are refused either way.
func TestTransparentPicturesOnWhite(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "white.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g map[string]onWhite
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g) < 120 {
		t.Fatalf("only %d files", len(g))
	}
	white := parsed(t, "background(255) | totensor")
	for name, w := range g {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", filepath.FromSlash(name))
			for _, c := range []struct {
				pipeline transform.Pipeline
				want     *want
			}{{white, w.White}, {nil, w.Dropped}} {
				im, _, err := DecodeFor(path, c.pipeline)
				switch {
				case w.Error != "":
					if err == nil {
						t.Errorf("read, where Pillow says: %s", w.Error)
					}
				case err != nil:
					t.Error(err)
				case c.want == nil: // decode.py's own test has it
				case im.Width != c.want.Width || im.Height != c.want.Height || im.Channels != 3:
					t.Errorf("%dx%d of %d channels, want %dx%d of 3", im.Width, im.Height, im.Channels, c.want.Width, c.want.Height)
				default:
					if sum := sha256.Sum256(im.Pix); hex.EncodeToString(sum[:]) != c.want.SHA256 {
						t.Errorf("%s: the pixels differ", c.pipeline)
					}
				}
			}
		})
	}
}

// A decoder that put one picture on a background can drop the alpha of the next.
func TestBackgroundIsNotKept(t *testing.T) {
	path := filepath.Join("testdata", "pictures", "rgba.png")
	before, err := Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, err := DecodeFor(path, parsed(t, "background(9)")); err != nil {
			t.Fatal(err)
		}
		after, err := Decode(path)
		if err != nil || string(after.Pix) != string(before.Pix) {
			t.Fatalf("another picture: %v", err)
		}
	}
}

// The loader uses its pipeline's background, with and without a cache, and a cache used by
// two pipelines stores their pictures separately.
func TestLoaderBackground(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 { // transparent red
		im := image.NewNRGBA(image.Rect(0, 0, 4, 4))
		for p := 0; p < len(im.Pix); p += 4 {
			im.Pix[p], im.Pix[p+3] = 255, 0
		}
		im.Set(0, 0, color.NRGBA{0, 0, 255, 255})
		path := filepath.Join(dir, "c", string(rune('a'+i))+".png")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, im); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	set := &Dataset{Root: dir, Classes: []string{"c"}}
	for _, name := range []string{"a", "b", "c"} {
		set.Items = append(set.Items, Item{Path: filepath.Join(dir, "c", name+".png")})
	}
	cache := NewCache(set, 1<<20)
	for range 2 {
		for _, c := range []struct {
			spec string
			want [3]float32 // of a transparent pixel
		}{
			{"totensor", [3]float32{1, 0, 0}},
			{"background | totensor", [3]float32{1, 1, 1}},
			{"background([0,255,0]) | totensor", [3]float32{0, 1, 0}},
		} {
			for _, from := range []Set{set, cache, Subset{cache, []int{0, 1, 2}}} {
				l, err := NewLoader(from, LoaderOptions{Pipeline: parsed(t, c.spec), Batch: 3, Workers: 2})
				if err != nil {
					t.Fatal(err)
				}
				for b, err := range l.Batches(t.Context(), 0, 0) {
					if err != nil {
						t.Fatal(err)
					}
					for i := range 3 {
						at := b.Images[i*48:]
						if got := [3]float32{at[5], at[16+5], at[32+5]}; got != c.want {
							t.Errorf("%s from %T: %v, want %v", c.spec, from, got, c.want)
						}
						if got := [3]float32{at[0], at[16], at[32]}; got != [3]float32{0, 0, 1} {
							t.Errorf("%s from %T: the opaque pixel is %v", c.spec, from, got)
						}
					}
				}
			}
		}
	}
}
