package vit

import (
	"strings"
	"testing"

	"gaze/pkg/transform"
)

func TestCheckPipeline(t *testing.T) {
	rgb := Config{Channels: 3, PatchSize: [2]int{8, 8}}
	grey := Config{Channels: 1, PatchSize: [2]int{8, 8}}
	oblong := Config{Channels: 3, PatchSize: [2]int{8, 14}}
	for _, c := range []struct {
		config Config
		spec   string
		says   string // nothing if it fits
	}{
		{rgb, "resize(32,32) | totensor | normalize(0.5,0.5)", ""},
		{rgb, "resize(32,64) | totensor | normalize([0,0,0],[1,1,1])", ""},
		{rgb, "resize(30,32) | totensor", "pictures of 30×32 pixels, which can't be cut into patches of 8×8: the nearest sizes that can are 24×32 or 32×32"},
		{rgb, "resize(256) | centercrop(225) | totensor", "the nearest sizes that can are 224×224 or 232×232"},
		{rgb, "resize(5,5) | totensor", "the nearest sizes that can are 8×8"},
		{rgb, "randomresizedcrop(33) | totensor", "32×32 or 40×40"},
		{rgb, "resize(33,33) | randomcrop(32) | totensor", ""},
		{rgb, "resize(32) | totensor", ""},                                                                                    // depends on the picture
		{rgb, "resize(33) | totensor", "whose short side is 33 pixels, which can't be cut into patches of 8×8: use 32 or 40"}, // whatever the picture
		{rgb, "background | resize(32) | resize(33) | hflip | randomjitter(0.5,0.5,0.5) | totensor", "short side is 33"},
		{rgb, "resize(5) | totensor", "short side is 5 pixels, which can't be cut into patches of 8×8: use 8"},
		{rgb, "resize(33) | pad(1) | totensor", ""},
		{rgb, "resize(33) | resize(40,longest=50) | totensor", ""},
		{rgb, "resize(33) | randomrotate(90,expand,p=0.5) | totensor", ""},
		{rgb, "resize(33) | centercrop(32) | totensor", ""},
		{oblong, "resize(28) | totensor", ""}, // of a picture that lies
		{oblong, "resize(30) | totensor", "short side is 30"},
		{rgb, "resize(33,33) | rotation(30,expand) | totensor", ""},
		{oblong, "resize(16,28) | totensor", ""},
		{oblong, "resize(28,16) | totensor", "patches of 8×14: the nearest sizes that can are 24×14 or 32×28"},
		{rgb, "resize(32,32)", "must end in a tensor"},
		{rgb, "grayscale(1) | resize(32,32) | totensor", "pictures of 1 channels, the model takes 3 (grayscale(3)"},
		{rgb, "grayscale(1) | totensor", "the model takes 3"},
		{rgb, "grayscale(3) | resize(32,32) | totensor", ""},
		{rgb, "resize(32,32) | randomgrayscale(1) | totensor", ""}, // depends on chance
		{grey, "resize(32,32) | totensor", "pictures of 3 channels, the model takes 1 (grayscale(1)"},
		{grey, "grayscale(1) | resize(32,32) | totensor | normalize(0.5,0.5)", ""},
		{grey, "grayscale(1) | resize(32,32) | totensor | normalize([1,2,3],0.5)", "3 means and 1 deviations for pictures of 1 channels"},
		{rgb, "resize(32,32) | totensor | normalize([1,2],[1,2,3])", "2 means and 3 deviations"},
		{rgb, "resize(32,32) | totensor | normalize(1,1) | normalize(1,[2,3])", "1 means and 2 deviations"},
		{Config{Channels: 4, PatchSize: [2]int{8, 8}}, "totensor", "the model takes 4"},
		{Config{Channels: 3}, "resize(33,33) | totensor", ""}, // no patches to divide
	} {
		p, err := transform.Parse(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.config.CheckPipeline(p); (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.spec, err, c.says)
		}
	}
}
