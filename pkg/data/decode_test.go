package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"gaze/internal/realdata"
)

// want is PIL's result for a file (tools/golden/decode.py).
type want struct {
	Height, Width int
	SHA256        string
}

func goldens(t testing.TB) map[string]want {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
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
			path := filepath.Join("testdata", "pictures", name)
			if rest, shared := strings.CutPrefix(name, "shared:"); shared {
				path = realdata.Path(t, rest)
			}
			im, err := Decode(path)
			if err != nil {
				t.Fatal(err)
			}
			if im.Height != w.Height || im.Width != w.Width || im.Channels != 3 {
				t.Fatalf("%dx%d of %d channels, want %dx%d of 3", im.Width, im.Height, im.Channels, w.Width, w.Height)
			}
			if sum := sha256.Sum256(im.Pix); hex.EncodeToString(sum[:]) != w.SHA256 {
				t.Error("the pixels differ from PIL's")
			}
		})
	}
}

func picture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "pictures", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Half of any file gives an error that names it, and never a panic. For most formats the
// same is true of every other part.
func TestTruncated(t *testing.T) {
	for _, name := range []string{
		"rgb.png", "palette.png", "rgba_16.png", "palette.gif", "animated.gif", "lossy.webp", "lossless.webp",
		"lossy_alpha.webp", "animated.webp", "rgb.bmp", "palette.bmp", "rgb.tiff", "tiff_lzw.tif", "orientation_1.jpg",
	} {
		data := picture(t, name)
		for _, n := range []int{len(data) / 4, len(data) / 3, len(data) / 2} {
			_, err := DecodeReader(bytes.NewReader(data[:n]), name)
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s cut to %d of %d bytes: %v", name, n, len(data), err)
			}
		}
		for n := range data {
			_, _ = DecodeReader(bytes.NewReader(data[:n]), name)
		}
	}
	for _, name := range []string{"rgb.png", "palette.gif", "lossy.webp", "rgb.bmp", "orientation_1.jpg"} {
		data := picture(t, name)
		if _, err := DecodeReader(bytes.NewReader(data[:len(data)/2]), name); !errors.Is(err, ErrTruncated) {
			t.Errorf("%s: %v, want ErrTruncated", name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	box := func(brand string) string { return "\x00\x00\x00\x18ftyp" + brand + strings.Repeat("\x00", 40) }
	patch := func(name string, at int, b ...byte) string {
		data := bytes.Clone(picture(t, name))
		copy(data[at:], b)
		return string(data)
	}
	webpCanvas := bytes.Index(picture(t, "animated.webp"), []byte("VP8X")) + 12
	anmf := bytes.Index(picture(t, "animated.webp"), []byte("ANMF")) + 8
	jpegSize := bytes.Index(picture(t, "orientation_1.jpg"), []byte{0xFF, 0xC0}) + 5
	frame := bytes.Index(picture(t, "part.gif"), []byte(",\x03\x00\x02\x00"))
	for _, c := range []struct {
		name, data string
		is         error
		says       string
	}{
		{"empty", "", ErrFormat, "empty"},
		{"text", "filename,label\n", ErrFormat, "isn't JPEG, PNG"},
		{"heic", box("heic"), ErrFormat, "HEIC"},
		{"avif", box("avif"), ErrFormat, "AVIF"},
		{"AVIF of a general brand", "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif" + strings.Repeat("\x00", 40), ErrFormat, "AVIF"},
		{"HEIC of a general brand", "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic" + strings.Repeat("\x00", 40), ErrFormat, "HEIC"},
		{"mp4", box("isom"), ErrFormat, "video"},
		{"web page", "<!DOCTYPE html><html>404</html>", ErrFormat, "web page"},
		{"lfs", "version https://git-lfs.github.com/spec/v1\n", ErrFormat, "git lfs pull"},
		{"svg", "<svg></svg>", ErrFormat, "drawing"},
		{"pdf", "%PDF-1.7", ErrFormat, "PDF"},
		{"short box", "\x00\x00\x00\x18fty", ErrFormat, "isn't JPEG"},
		{"PNG bomb", patchPNGSize(picture(t, "rgb.png"), 60000, 60000), ErrTooLarge, "60000x60000 pixels, more than the limit of 178956970"},
		{"PNG that lies", patchPNGSize(picture(t, "rgb.png"), 13000, 13000), ErrTruncated, "truncated"},
		{"JPEG bomb", patch("orientation_1.jpg", jpegSize, 0xFF, 0xF0, 0xFF, 0xF0), ErrTruncated, "truncated"},
		{"GIF bomb", patch("palette.gif", 6, 0xFF, 0xFF, 0xFF, 0xFF), ErrTooLarge, "65535x65535"},
		{"WebP bomb", patch("animated.webp", webpCanvas, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0), ErrTooLarge, "65536x65536"},
		{"WebP of another size", patch("orientation.webp", bytes.Index(picture(t, "orientation.webp"), []byte("VP8X"))+12, 30), nil, "the header says 31x"},
		{"WebP frame outside", patch("animated.webp", anmf, 90), nil, "outside the picture"},
		{"BMP bomb", patch("rgb.bmp", 18, 0, 0, 1, 0, 0, 0, 1, 0), ErrTooLarge, "65536x65536"},
		{"BMP that lies", patch("rgb.bmp", 18, 0, 16, 0, 0, 0, 16, 0, 0), ErrTruncated, "truncated"},
		{"BMP of 16 bits", patch("rgb.bmp", 28, 16), nil, "save it as PNG"},
		{"GIF without a picture", "GIF89a\x01\x00\x01\x00\x00\x00\x00;", nil, "no picture"},
		{"GIF of an unknown block", "GIF89a\x01\x00\x01\x00\x00\x00\x00??", nil, "unknown kind"},
		{"GIF that ends in a comment", "GIF89a\x01\x00\x01\x00\x00\x00\x00!\xFE\x05ab", ErrTruncated, "truncated"},
		{"GIF that ends in its colours", "GIF89a\x01\x00\x01\x00\x87\x00\x00abc", ErrTruncated, "truncated"},
		{"GIF frame too far", patch("part.gif", frame+1, 0xFF, 0xFF), nil, "outside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeReader(strings.NewReader(c.data), "dir/it.jpg")
			if err == nil || !strings.HasPrefix(err.Error(), "dir/it.jpg: ") || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v, want one that names the file and says %q", err, c.says)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v isn't %v", err, c.is)
			}
		})
	}
}

// patchPNGSize changes the size in a PNG's header, and its checksum.
func patchPNGSize(data []byte, width, height uint32) string {
	data = bytes.Clone(data)
	binary.BigEndian.PutUint32(data[16:], width)
	binary.BigEndian.PutUint32(data[20:], height)
	binary.BigEndian.PutUint32(data[29:], crc(data[12:29]))
	return string(data)
}

func TestDecodePaths(t *testing.T) {
	if _, err := Decode(t.TempDir()); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("of a folder: %v", err)
	}
	if _, err := Decode(filepath.Join(t.TempDir(), "none.jpg")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
	broken := errors.New("unplugged")
	if _, err := DecodeReader(iotest.ErrReader(broken), "it"); !errors.Is(err, broken) {
		t.Errorf("of a broken reader: %v", err)
	}
	half := bytes.NewReader(make([]byte, 0))
	if _, err := DecodeReader(half, "it"); !errors.Is(err, ErrFormat) {
		t.Errorf("of nothing: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/pictures/*")
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
		im, err := DecodeReader(bytes.NewReader(data), "it")
		if err == nil && (im.Width < 1 || im.Height < 1 || len(im.Pix) != im.Width*im.Height*3) {
			t.Fatalf("%d bytes for %dx%d", len(im.Pix), im.Width, im.Height)
		}
	})
}

// A reused decoder gives every picture's bytes whatever it decoded or refused before, in
// both orders.
func TestDecoderReuse(t *testing.T) {
	var names []string
	all := goldens(t)
	for name := range all {
		if !strings.HasPrefix(name, "shared:") {
			names = append(names, name)
		}
	}
	var d Decoder
	check := func(name string) {
		t.Helper()
		im, err := d.Decode(filepath.Join("testdata", "pictures", name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if sum := sha256.Sum256(im.Pix); hex.EncodeToString(sum[:]) != all[name].SHA256 {
			t.Errorf("%s: the pixels differ from PIL's", name)
		}
		half := picture(t, name)
		if _, err := d.DecodeReader(bytes.NewReader(half[:len(half)/3]), name); err == nil {
			t.Errorf("%s: a third of it decodes", name)
		}
	}
	for _, name := range names {
		check(name)
	}
	for i := range names {
		check(names[len(names)-1-i])
	}
}

// A picture returned by the package's Decode belongs to the caller.
func TestDecodeOwnsItsPicture(t *testing.T) {
	path := filepath.Join("testdata", "pictures", "orientation_6.jpg")
	first, err := Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(first.Pix)
	for _, other := range []string{"orientation_1.jpg", "orientation_3.jpg", "rgb.png"} {
		if _, err := Decode(filepath.Join("testdata", "pictures", other)); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(before, first.Pix) {
		t.Error("a later picture was written over it")
	}
}

// Less than a page is allocated for a JPEG file with a picture of 900 KB.
func TestDecoderAllocates(t *testing.T) {
	im := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for i := range im.Pix {
		im.Pix[i] = uint8(i * i / 7)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, im, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "it.jpg")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var d Decoder
	decode := func() {
		if _, err := d.Decode(path); err != nil {
			t.Fatal(err)
		}
	}
	decode()
	const rounds = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		decode()
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / rounds; n > 4096 {
		t.Errorf("%d bytes a picture", n)
	}
}

func TestDecoderReads(t *testing.T) {
	data := picture(t, "rgb.png")
	want, err := DecodeReader(bytes.NewReader(data), "it")
	if err != nil {
		t.Fatal(err)
	}
	var d Decoder
	got, err := d.DecodeReader(iotest.OneByteReader(bytes.NewReader(data)), "it")
	if err != nil || !bytes.Equal(got.Pix, want.Pix) {
		t.Errorf("a byte at a time: %v", err)
	}
	broken := errors.New("unplugged")
	if _, err := d.DecodeReader(unplugged(data[:100], broken), "it"); !errors.Is(err, broken) {
		t.Errorf("unplugged after 100 bytes: %v", err)
	}
	if _, err := d.Decode(t.TempDir()); err == nil {
		t.Error("a folder decodes")
	}
	if _, err := d.Decode("none.jpg"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
}

// unplugged reads data and then fails.
func unplugged(data []byte, err error) *failing { return &failing{data, err} }

type failing struct {
	data []byte
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		return 0, f.err
	}
	n := copy(p, f.data)
	f.data = f.data[n:]
	return n, nil
}
