package main

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	for _, c := range []struct{ w, h, width, height int }{
		{1600, 800, 608, 304}, {300, 1200, 96, 384}, {100, 50, 100, 50}, {5000, 1, 608, 1},
	} {
		var in, out bytes.Buffer
		if err := png.Encode(&in, image.NewGray(image.Rect(0, 0, c.w, c.h))); err != nil {
			t.Fatal(err)
		}
		if err := write(&out, &in, 608, 384); err != nil {
			t.Fatal(err)
		}
		got, _, err := image.DecodeConfig(&out)
		if err != nil || got.Width != c.width || got.Height != c.height {
			t.Errorf("%dx%d becomes %dx%d (%v), want %dx%d", c.w, c.h, got.Width, got.Height, err, c.width, c.height)
		}
	}
	if err := write(nil, strings.NewReader("no picture"), 608, 384); err == nil {
		t.Error("no error for a text")
	}
	if err := write(nil, nil, 0, 384); err == nil {
		t.Error("no error for a width of 0")
	}
}
