package caption

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/transform"
)

// TestPreprocess compares the bytes after resizing with PIL's, by their digest,
// and the values with torch's.
func TestPreprocess(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "preprocess.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Width, Height int
		Size          [2]int
		SHA256        string
		First         []float32
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 8 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		im := transform.NewImage(c.Width, c.Height, 3)
		for i, u := range stream(fmt.Sprintf("preprocess %dx%d", c.Width, c.Height), len(im.Pix)) {
			im.Pix[i] = uint8((float32(u) + 1) * 127.5)
		}
		got, err := CATR().Preprocess(im)
		if err != nil {
			t.Errorf("%d×%d: %v", c.Width, c.Height, err)
			continue
		}
		if got.Shape != [3]int{3, c.Size[1], c.Size[0]} {
			t.Errorf("%d×%d: shape %v, want %v", c.Width, c.Height, got.Shape, c.Size)
			continue
		}
		cells := c.Size[0] * c.Size[1]
		pixels := make([]byte, 3*cells)
		for i, v := range got.Data {
			pixels[i%cells*3+i/cells] = uint8((v+1)*127.5 + 0.5)
		}
		if sum := sha256.Sum256(pixels); hex.EncodeToString(sum[:]) != c.SHA256 {
			t.Errorf("%d×%d: other pixels than PIL's", c.Width, c.Height)
		}
		for i, want := range c.First {
			if got.Data[i*cells] != want {
				t.Errorf("%d×%d: channel %d begins with %v, want %v", c.Width, c.Height, i, got.Data[i*cells], want)
			}
		}
	}
	if _, err := CATR().Preprocess(transform.NewImage(1000, 2, 3)); err == nil || !strings.Contains(err.Error(), "too narrow") {
		t.Errorf("a picture of 1000×2: %v", err)
	}
}
