package data_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data"
)

// damagedPhotos are JPEG files, with Pillow's pixels in PNG files of the same names, and
// words of the expected warnings.
var damagedPhotos = map[string]string{
	"cut80_eoi.jpg":    "the data ends early, in row 96 of the picture",
	"dropped100.jpg":   "the data ends early, in row 112 of the picture",
	"rst_inserted.jpg": "extra bytes before marker D9",
	"rst_missing.jpg":  "where restart marker D3 should be",
}

func damagedPhoto(name string) string { return filepath.Join("testdata", "damaged", name) }

func TestDecodeWarn(t *testing.T) {
	for name, words := range damagedPhotos {
		want, damage, err := data.DecodeWarn(damagedPhoto(strings.TrimSuffix(name, ".jpg") + ".png"))
		if err != nil || damage != "" {
			t.Fatalf("%s: %q, %v", name, damage, err)
		}
		im, damage, err := data.DecodeWarn(damagedPhoto(name))
		if err != nil || !bytes.Equal(im.Pix, want.Pix) || im.Width != want.Width {
			t.Errorf("%s: pixels other than Pillow's, or %v", name, err)
		}
		if !strings.Contains(damage, words) || strings.Contains(damage, name) || strings.Contains(damage, "\n") {
			t.Errorf("%s: %q", name, damage)
		}
		if im, err := data.Decode(damagedPhoto(name)); err != nil || !bytes.Equal(im.Pix, want.Pix) {
			t.Errorf("%s by Decode: %v", name, err)
		}
	}
	if _, damage, err := data.DecodeWarn("none.jpg"); err == nil || damage != "" {
		t.Errorf("of no file: %q, %v", damage, err)
	}
}

// The warning is about the last decoded picture.
func TestDecoderDamage(t *testing.T) {
	var d data.Decoder
	for name, words := range damagedPhotos {
		if _, err := d.Decode(damagedPhoto(name)); err != nil || !strings.Contains(d.Damage(), words) {
			t.Errorf("%s: %q, %v", name, d.Damage(), err)
		}
		if _, err := d.Decode(damagedPhoto("cut80_eoi.png")); err != nil || d.Damage() != "" {
			t.Errorf("after it: %q, %v", d.Damage(), err)
		}
		if _, err := d.DecodeReader(strings.NewReader("no picture"), "it"); err == nil || d.Damage() != "" {
			t.Errorf("after nothing: %q, %v", d.Damage(), err)
		}
	}
}

// damagedSet makes a folder of good and damaged pictures of one size.
func damagedSet(t *testing.T) *data.Dataset {
	t.Helper()
	dir := t.TempDir()
	for i, name := range []string{"cut80_eoi.png", "cut80_eoi.jpg", "rst_missing.png", "rst_missing.jpg", "dropped100.jpg", "dropped100.png"} {
		content, err := os.ReadFile(damagedPhoto(name))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, []string{"0", "1"}[i%2]+"_"+string(rune('0'+i))+filepath.Ext(name))
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	splits, err := data.OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	return splits.Train
}

// A loader uses damaged pictures and names each once, for any number of workers.
func TestLoaderOfDamaged(t *testing.T) {
	set := damagedSet(t)
	var want []float32
	for _, workers := range []int{1, 3} {
		for _, cached := range []bool{false, true} {
			var source data.Set = set
			if cached {
				source = data.NewCache(set, 1<<30)
			}
			var told []string
			l, err := data.NewLoader(source, data.LoaderOptions{
				Pipeline: pipeline(t, "resize(16,16) | totensor"), Batch: 4, Shuffle: true, Seed: 3, Workers: workers,
				Damaged: func(p data.BadPicture) {
					if !strings.HasPrefix(p.Err.Error(), p.Name+": damaged: ") {
						t.Errorf("%v", p.Err)
					}
					told = append(told, filepath.Base(p.Name))
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := values(t, l, 0)
			order := slices.Clone(told)
			got = append(got, values(t, l, 1)...)
			if len(order) != 3 || !slices.Equal(told, order) {
				t.Errorf("%d workers, cached %v: told of %v, in the second epoch %v", workers, cached, order, told[len(order):])
			}
			if slices.Sort(told); !slices.Equal(told, []string{"0_4.jpg", "1_1.jpg", "1_3.jpg"}) {
				t.Errorf("told of %v", told)
			}
			if want == nil {
				want = got
			}
			if len(got) != 2*6*3*16*16 || !slices.Equal(got, want) {
				t.Errorf("%d workers, cached %v: other values, or %d", workers, cached, len(got))
			}
		}
	}
}

func ExampleDecodeWarn() {
	im, damage, err := data.DecodeWarn(filepath.Join("testdata", "damaged", "cut80_eoi.jpg"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d by %d pixels; %s\n", im.Width, im.Height, damage)
	// Output: 160 by 128 pixels; the data ends early, in row 96 of the picture (at marker D9)
}
