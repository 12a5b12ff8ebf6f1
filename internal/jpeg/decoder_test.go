package jpeg

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ownNames are the golden files in testdata.
func ownNames(all map[string]want) (names []string) {
	for name := range all {
		if !strings.HasPrefix(name, "shared:") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// A reused decoder gives every picture's bytes, whatever it did before: a whole picture,
// only a header, or a failed decode.
func TestDecoderReuse(t *testing.T) {
	all := goldens(t)
	names := ownNames(all)
	var d Decoder
	var pix []uint8
	check := func(name string) {
		t.Helper()
		data := read(t, name)
		p, err := d.Decode(data, pix)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		pix = p.Pix
		if sum := sha256.Sum256(p.Pix); hex.EncodeToString(sum[:]) != all[name].SHA256 {
			t.Errorf("%s: the pixels differ from PIL's", name)
		}
		if _, err := d.Decode(data[:len(data)*3/4], pix); err == nil {
			t.Errorf("%s: three quarters of it decode", name)
		}
		if h, err := d.DecodeHeader(data); err != nil || h.Width != p.Width {
			t.Errorf("%s: header %+v, %v", name, h, err)
		}
	}
	for _, name := range names {
		check(name)
	}
	slices.Reverse(names)
	for _, name := range names {
		check(name)
	}
}

// Nothing is allocated for pictures like the previous ones.
func TestDecoderAllocates(t *testing.T) {
	for _, name := range ownNames(goldens(t)) {
		data := read(t, name)
		var d Decoder
		var pix []uint8
		if n := testing.AllocsPerRun(3, func() {
			p, err := d.Decode(data, pix)
			if err != nil {
				t.Fatal(err)
			}
			pix = p.Pix
		}); n > 0 {
			t.Errorf("%s: %v pieces of memory a picture", name, n)
		}
	}
}

func ExampleDecoder() {
	paths, err := filepath.Glob("testdata/42*_17x9_*.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	var d Decoder
	var pix []uint8
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			fmt.Println(err)
			continue
		}
		p, err := d.Decode(data, pix)
		if err != nil {
			fmt.Println(path, err)
			continue
		}
		pix = p.Pix // for the next one
		fmt.Printf("%s: %d rows of %d pixels, %d channels\n", filepath.Base(path), p.Height, p.Width, p.Channels)
	}
	// Output:
	// 420_17x9_baseline.jpg: 17 rows of 9 pixels, 3 channels
	// 420_17x9_progressive.jpg: 17 rows of 9 pixels, 3 channels
	// 422_17x9_baseline.jpg: 17 rows of 9 pixels, 3 channels
	// 422_17x9_progressive.jpg: 17 rows of 9 pixels, 3 channels
}
