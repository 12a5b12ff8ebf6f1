package hub

import (
	"image"
	_ "image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCaptionPhotos: what ships is small, free and credited.
func TestCaptionPhotos(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	photos, err := CaptionPhotos()
	if err != nil || len(photos) != 5 {
		t.Fatalf("%d photographs, %v", len(photos), err)
	}
	known, _ := Lookup(CaptionPhotosName)
	if size, exact := known.Size(); size > 150_000 || !exact {
		t.Errorf("%d bytes: they must be at most 150 kB together", size)
	}
	credits, err := os.ReadFile(filepath.Join(filepath.Dir(photos[0].Path), "CREDITS.txt"))
	if err != nil {
		t.Fatal(err)
	}
	free := map[string]string{ // the licences under which pictures may ship
		"CC BY 2.0": "https://creativecommons.org/licenses/by/2.0/", "CC BY-SA 2.0": "https://creativecommons.org/licenses/by-sa/2.0/",
	}
	last := ""
	for _, p := range photos {
		if p.LicenseURL == "" || free[p.License] != p.LicenseURL || !strings.Contains(known.License, p.License) {
			t.Errorf("%s: licence %s, %s", p.Name, p.License, p.LicenseURL)
		}
		if len(p.Captions) != 5 || p.Name <= last {
			t.Errorf("%s after %s: %q", p.Name, last, p.Captions)
		}
		last = p.Name
		_, credit, found := strings.Cut(string(credits), p.Name+".jpg\n")
		credit, _, _ = strings.Cut(credit, "\n\n")
		for _, want := range []string{p.Page, p.License + ", " + p.LicenseURL, "changed"} {
			if !found || !strings.Contains(credit, want) {
				t.Errorf("the credit of %s doesn't have %q: %s", p.Name, want, credit)
			}
		}
		for _, want := range []string{p.Name, p.Page, p.License, p.LicenseURL, "scaled down"} {
			if !strings.Contains(p.Credit(), want) {
				t.Errorf("%q doesn't have %q", p.Credit(), want)
			}
		}
		f, err := os.Open(p.Path)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := image.DecodeConfig(f)
		f.Close()
		if err != nil || min(c.Width, c.Height) > 256 {
			t.Errorf("%s: %d×%d, %v", p.Name, c.Width, c.Height, err)
		}
	}
}
