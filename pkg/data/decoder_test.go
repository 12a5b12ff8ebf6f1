package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// One decoder gives every picture's bytes whatever it decoded or refused before,
// forwards and backwards.
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

// A picture of the package's Decode is the caller's own.
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

// What is allocated for a JPEG file, a picture of 900 KB, is less than a page.
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
