package jpeg

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/realdata"
)

// want is PIL's result for a file (tools/golden/jpeg.py).
type want struct {
	Height, Width, Channels int
	SHA256                  string
}

func goldens(t testing.TB) map[string]want {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g map[string]want
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSameBytesAsPIL(t *testing.T) {
	for name, w := range goldens(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			if rest, shared := strings.CutPrefix(name, "shared:"); shared {
				path = realdata.Path(t, rest)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if p.Height != w.Height || p.Width != w.Width || p.Channels != w.Channels {
				t.Fatalf("%dx%d of %d channels, want %dx%d of %d", p.Width, p.Height, p.Channels, w.Width, w.Height, w.Channels)
			}
			if sum := sha256.Sum256(p.Pix); hex.EncodeToString(sum[:]) != w.SHA256 {
				t.Error("the pixels differ from PIL's")
			}
			h, err := DecodeHeader(data)
			if err != nil || h.Width != w.Width || h.Height != w.Height || h.Channels != w.Channels {
				t.Errorf("header %+v, %v", h, err)
			}
			if strings.Contains(name, "progressive") != h.Progressive && !strings.HasPrefix(name, "shared:") {
				t.Errorf("progressive is %v", h.Progressive)
			}
		})
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A file cut off at any point is refused, unless only the marker at its end is missing
// and all pixels are there.
func TestTruncatedAnywhere(t *testing.T) {
	for _, name := range []string{"420_37x51_baseline.jpg", "420_37x51_progressive.jpg", "restart.jpg", "cmyk.jpg"} {
		data := read(t, name)
		whole, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(data) {
			p, err := Decode(data[:n])
			if err == nil && n >= len(data)-2 && bytes.Equal(p.Pix, whole.Pix) {
				continue
			}
			if !errors.Is(err, ErrTruncated) && n > 3 {
				t.Fatalf("%s cut to %d of %d bytes: %v", name, n, len(data), err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	good := read(t, "444_37x51_baseline.jpg")
	at := func(marker byte) int { return bytes.Index(good, []byte{0xFF, marker}) }
	edit := func(pos int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[pos:], b)
		return c
	}
	sof, sos := at(mSOF0), at(mSOS)
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"empty", nil, "not a JPEG"},
		{"a PNG", []byte("\x89PNG\r\n\x1a\n"), "not a JPEG"},
		{"no picture", []byte{0xFF, 0xD8, 0xFF, 0xD9}, "no picture"},
		{"arithmetic", edit(sof+1, 0xC9), "arithmetic"},
		{"lossless", edit(sof+1, 0xC3), "lossless"},
		{"12 bits", edit(sof+4, 12), "12 bits"},
		{"no rows", edit(sof+5, 0, 0), "51x0"},
		{"two components", edit(sof+9, 2), "2 colour components"},
		{"sampling 0", edit(sof+11, 0), "impossible sampling"},
		{"sampling 3 of 2", edit(sof+11, 0x31, 0, 2, 0x21), "fractional"},
		{"same name twice", edit(sof+13, good[sof+10]), "both called"},
		{"enormous", edit(sof+5, 0xFF, 0xFF, 0xFF, 0xFF), "don't fit in the"},
		{"unknown component", edit(sos+5, 99), "which isn't in the frame"},
		{"component twice", edit(sos+7, good[sos+5]), "twice"},
		{"missing Huffman table", edit(sos+6, 0x33), "missing"},
		{"impossible Huffman table", edit(sos+6, 0x77), "invalid numbers"},
		{"no scan", append(bytes.Clone(good[:sos]), 0xFF, 0xD9), "no pixels"},
		{"quantisation table 9", edit(at(mDQT)+4, 0x09), "doesn't exist"},
		{"Huffman table 9", edit(at(mDHT)+4, 0x09), "no Huffman table 9"},
		{"too many codes", edit(at(mDHT)+5, 3, 1, 2), "more codes than fit"},
		{"segment of 1 byte", edit(at(mDQT)+2, 0, 1), "claims 1 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.data)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(data)
		if err != nil {
			return
		}
		if len(p.Pix) != p.Width*p.Height*p.Channels {
			t.Fatalf("%d bytes for %dx%d of %d channels", len(p.Pix), p.Width, p.Height, p.Channels)
		}
		if h, err := DecodeHeader(data); err != nil || h.Width != p.Width || h.Height != p.Height {
			t.Fatalf("header %+v, %v for a picture of %dx%d", h, err, p.Width, p.Height)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data, err := os.ReadFile(realdata.Path(b, "images", "pd_cc0", "grace_hopper.jpg"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
