package weights

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/formats.md has a row for each format of the files in testdata, and no others.
func TestFormatsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## File formats\n")
	section, _, _ = strings.Cut(section, "\n## ")
	documented := map[Format]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(section, -1) {
		documented[Format(m[1])] = true
	}
	known := map[Format]bool{FormatSafetensors: true, FormatNPZ: true, FormatONNX: true, FormatPyTorch: true, FormatPyTorchLegacy: true}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Format]bool{}
	for _, e := range entries {
		if f, err := Open(filepath.Join("testdata", e.Name())); err == nil {
			seen[f.Format()] = true
			f.Close()
		}
	}
	for format := range known {
		if !documented[format] || !seen[format] {
			t.Errorf("%s: documented %v, in testdata %v", format, documented[format], seen[format])
		}
	}
	for format := range documented {
		if !known[format] {
			t.Errorf("%s is documented, but the code doesn't have it", format)
		}
	}
	for format := range seen {
		if !known[format] {
			t.Errorf("a file of format %s, which this test doesn't know", format)
		}
	}
}
