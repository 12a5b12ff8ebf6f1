package quickpng

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"runtime"
	"testing"
)

// pictures of all kinds: smooth, noisy, one pixel, higher than bands, parts of others.
func pictures() map[string]image.Image {
	random := rand.New(rand.NewPCG(1, 2))
	rgba := func(w, h int, opaque bool) *image.RGBA {
		m := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				c := color.NRGBA{uint8(x + y), uint8(x * y / 16), uint8(random.IntN(256)), 255}
				if !opaque {
					c.A = uint8(random.IntN(256))
				}
				m.Set(x, y, c)
			}
		}
		return m
	}
	gray := image.NewGray(image.Rect(0, 0, 33, 21))
	for i := range gray.Pix {
		gray.Pix[i] = uint8(i)
	}
	return map[string]image.Image{
		"opaque": rgba(50, 301, true), "translucent": rgba(41, 97, false), "one pixel": rgba(1, 1, true), "one row": rgba(500, 1, true),
		"a part": rgba(80, 60, true).SubImage(image.Rect(7, 9, 40, 50)), "grey": gray, "uniform": image.NewRGBA(image.Rect(0, 0, 300, 200)),
		"a part, translucent": rgba(80, 60, false).SubImage(image.Rect(7, 9, 40, 50)),
	}
}

func TestEncode(t *testing.T) {
	for name, m := range pictures() {
		var ours, std bytes.Buffer
		if err := Encode(&ours, m); err != nil {
			t.Fatal(name, err)
		}
		if err := png.Encode(&std, m); err != nil {
			t.Fatal(err)
		}
		got, err := png.Decode(bytes.NewReader(ours.Bytes()))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, _ := png.Decode(&std)
		if got.Bounds() != want.Bounds() {
			t.Fatalf("%s: %v, want %v", name, got.Bounds(), want.Bounds())
		}
		for y := range want.Bounds().Dy() {
			for x := range want.Bounds().Dx() {
				a, b := color.NRGBAModel.Convert(got.At(x, y)), color.NRGBAModel.Convert(want.At(x, y))
				if a != b {
					t.Fatalf("%s: %v at %d, %d, want %v", name, a, x, y, b)
				}
			}
		}
	}
}

func TestSameFileForAnyNumberOfProcessors(t *testing.T) {
	m := pictures()["opaque"]
	var files []string
	for _, n := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(n)
		var b bytes.Buffer
		if err := Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		runtime.GOMAXPROCS(before)
		files = append(files, b.String())
	}
	if files[0] != files[1] || files[0] != files[2] {
		t.Error("the files differ")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestEncodeToAFullDisk(t *testing.T) {
	if err := Encode(full{}, pictures()["grey"]); err == nil {
		t.Error("no error")
	}
}

func BenchmarkEncode(b *testing.B) {
	m := image.NewRGBA(image.Rect(0, 0, 1800, 700))
	for i := range m.Pix {
		m.Pix[i] = uint8(i/4%1800/8 + i/7200%64)
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	for name, encode := range map[string]func() (int, error){
		"ours": func() (int, error) { var o bytes.Buffer; err := Encode(&o, m); return o.Len(), err },
		"std": func() (int, error) {
			var o bytes.Buffer
			err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&o, m)
			return o.Len(), err
		},
	} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				n, err := encode()
				if err != nil {
					b.Fatal(err)
				}
				size = n
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

func ExampleEncode() {
	var b bytes.Buffer
	err := Encode(&b, image.NewRGBA(image.Rect(0, 0, 4, 3)))
	c, _ := png.DecodeConfig(&b)
	fmt.Println(c.Width, c.Height, err)
	// Output: 4 3 <nil>
}
