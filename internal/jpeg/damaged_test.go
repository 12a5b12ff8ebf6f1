package jpeg

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gaze/internal/damagedfile"
)

// damagedCase is a damaged file and the result of Pillow 13 with libjpeg-turbo 3.2
// (tools/golden/jpeg_damaged.py).
type damagedCase struct {
	name, recipe, result, warnings string
}

func damagedCases(t testing.TB) (list []damagedCase) {
	t.Helper()
	cases, err := damagedfile.Cases(read(t, "damaged/damaged.txt"))
	if err != nil || len(cases) < 3000 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		list = append(list, damagedCase{c.Name, c.Recipe, c.Rest[0], c.Rest[1]})
	}
	return list
}

// warningWords are the words in Damage for each of libjpeg's warnings.
var warningWords = map[rune]string{
	'h': "data ends early", 'b': "invalid Huffman code", 'r': "where restart marker", 'e': "extra bytes before",
	'p': "doesn't continue where", 'n': "scan header of the wrong kind", 'j': "JFIF version", 'a': "colour transform",
}

// Each damaged file is decoded to Pillow's pixels, or refused where Pillow refuses it,
// and libjpeg's warnings are given. One decoder decodes them all, with undamaged files in
// between.
func TestDamagedAsPillow(t *testing.T) {
	var d Decoder
	var pix []uint8
	whole := map[string][]byte{}
	for _, c := range damagedCases(t) {
		if whole[c.name] == nil {
			whole[c.name] = read(t, "damaged/"+c.name+".jpg")
			p, err := d.Decode(whole[c.name], pix)
			if err != nil || p.Damage != "" {
				t.Fatalf("%s, undamaged: %q, %v", c.name, p.Damage, err)
			}
			pix = p.Pix
		}
		data, err := damagedfile.Apply(whole[c.name], c.recipe, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := d.Decode(data, pix)
		got := result(p, err)
		if got == "truncated" && c.result == "refused" {
			got = c.result // libjpeg checks the part that exists of a cut segment
		}
		if got != c.result {
			t.Errorf("%s %s: %s (%v), Pillow: %s", c.name, c.recipe, got, err, c.result)
			continue
		}
		if err != nil {
			continue
		}
		pix = p.Pix
		checkWarnings(t, c, p)
		if h, err := d.DecodeHeader(data); err != nil || h.Width != p.Width || h.Height != p.Height || h.Channels != p.Channels {
			t.Errorf("%s %s: header %+v, %v", c.name, c.recipe, h, err)
		}
	}
}

// result is in the words of damaged.txt.
func result(p Picture, err error) string {
	switch {
	case err == nil:
		sum := sha256.Sum256(p.Pix)
		return fmt.Sprintf("%d %d %d %x", p.Width, p.Height, p.Channels, sum[:8])
	case errors.Is(err, errSuspended) || errors.Is(err, errDamaged):
		return "an error without a meaning to users"
	case errors.Is(err, ErrTruncated) && !strings.HasPrefix(err.Error(), "there "):
		return "truncated"
	}
	return "refused"
}

// checkWarnings checks that all of libjpeg's warnings are given, and few others.
func checkWarnings(t *testing.T, c damagedCase, p Picture) {
	t.Helper()
	rest := p.Damage
	for letter, words := range warningWords {
		if strings.ContainsRune(c.warnings, letter) != strings.Contains(p.Damage, words) {
			// libjpeg is silent about bad codes far from the end of the data.
			if letter == 'b' && !strings.ContainsRune(c.warnings, 'b') {
				continue
			}
			t.Errorf("%s %s: warning %q, libjpeg's: %s", c.name, c.recipe, p.Damage, c.warnings)
		}
	}
	if c.warnings == "" && rest != "" && !strings.Contains(rest, "the last scans are missing") &&
		!strings.Contains(rest, "there is no data for") && !strings.Contains(rest, "invalid Huffman code") {
		t.Errorf("%s %s: warning %q, libjpeg has none", c.name, c.recipe, p.Damage)
	}
	if strings.ContainsAny(rest, "\n\r") {
		t.Errorf("%s %s: warning of several lines: %q", c.name, c.recipe, rest)
	}
}

// The warning names the fault and its place, on one line.
func TestDamageInWords(t *testing.T) {
	good := read(t, "damaged/restart.jpg")
	progressive := read(t, "damaged/progressive.jpg")
	rst := bytes.Index(good, []byte{0xFF, 0xD2})
	lastScan := bytes.LastIndex(progressive, []byte{0xFF, mSOS})
	lastTables := bytes.LastIndex(progressive[:lastScan], []byte{0xFF, mDHT})
	for _, c := range []struct {
		name string
		data []byte
		says []string
	}{
		{"early end", append(bytes.Clone(good[:rst]), 0xFF, mEOI), []string{"the data ends early, in row", "(at marker D9)"}},
		{"wrong number", bytes.Replace(good, []byte{0xFF, 0xD2}, []byte{0xFF, 0xD6}, 1), []string{"marker D6 where restart marker D2 should be"}},
		{"bytes before the end", append(bytes.Clone(good[:len(good)-2]), 1, 2, 3, 0xFF, mEOI), []string{"extra bytes before marker D9"}},
		{"last scan missing", append(bytes.Clone(progressive[:lastTables]), 0xFF, mEOI), []string{"the last scans are missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Decode(c.data)
			if err != nil {
				t.Fatal(err)
			}
			for _, words := range c.says {
				if !strings.Contains(p.Damage, words) {
					t.Errorf("%q doesn't say %q", p.Damage, words)
				}
			}
		})
	}
}

// A file of a few bytes that claims to be a large picture with many scans is decoded
// quickly.
func TestManyEmptyScans(t *testing.T) {
	good := read(t, "damaged/progressive_grey.jpg")
	sof := bytes.Index(good, []byte{0xFF, mSOF2})
	sos := bytes.Index(good, []byte{0xFF, mSOS})
	copy(good[sof+5:], []byte{0x10, 0, 0x10, 0}) // 4096 by 4096
	scan := good[sos : sos+10]
	data := bytes.Clone(good[:sos])
	for range maxScans - 1 {
		data = append(data, scan...)
	}
	p, err := Decode(append(data, 0xFF, mEOI))
	if err != nil || p.Width != 4096 || !strings.Contains(p.Damage, "ends early") {
		t.Fatalf("%d pixels wide, %q, %v", p.Width, p.Damage, err)
	}
	for range 2 {
		data = append(data, scan...)
	}
	if _, err := Decode(append(data, 0xFF, mEOI)); err == nil || !strings.Contains(err.Error(), "bomb") {
		t.Errorf("more than %d scans: %v", maxScans, err)
	}
}
