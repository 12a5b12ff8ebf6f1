package transform

import (
	"slices"
	"testing"
)

func TestEvaluation(t *testing.T) {
	for _, c := range []struct{ train, want string }{
		{"randomhflip | centercrop(256) | resize(256,256) | rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | perspective(0.2,p=0.5) | totensor | normalize(0.5,0.5)",
			"centercrop(256) | resize(256,256,bilinear) | totensor | normalize(0.5,0.5)"},
		{"randomresizedcrop(224) | hflip(p=0.5) | totensor | randomerasing", "resize(256,bilinear) | centercrop(224) | totensor"},
		{"randomresizedcrop(64,96,bicubic) | totensor", "resize(64,96,bicubic) | totensor"},
		{"randomcrop(32,padding=4) | totensor", "centercrop(32) | totensor"},
		{"hflip | totensor", "hflip | totensor"},
	} {
		got := mustParse(t, c.train).Evaluation()
		if got.String() != mustParse(t, c.want).String() || got.Random() {
			t.Errorf("%s is evaluated by %s, want %s", c.train, got, c.want)
		}
	}
}

func TestEndsInTensorAndScaling(t *testing.T) {
	for _, c := range []struct {
		pipeline  string
		tensor    bool
		scale     float64
		mean, std []float32
	}{
		{"resize(8)", false, 0, []float32{0}, []float32{1}},
		{"resize(8) | totensor", true, 0, []float32{0}, []float32{1}},
		{"totensor(scale=1) | normalize(0.5,0.25)", true, 1, []float32{0.5}, []float32{0.25}},
		{"totensor | normalize([1,2,3],[4,5,6]) | randomerasing", true, 0, []float32{1, 2, 3}, []float32{4, 5, 6}},
	} {
		p := mustParse(t, c.pipeline)
		if got := p.EndsInTensor(); got != c.tensor {
			t.Errorf("%s ends in a tensor: %v, want %v", c.pipeline, got, c.tensor)
		}
		tensor, n := p.Scaling()
		if tensor.Scale != c.scale || !slices.Equal(n.Mean, c.mean) || !slices.Equal(n.Std, c.std) {
			t.Errorf("%s scales by %v and %v, want %v, %v and %v", c.pipeline, tensor, n, c.scale, c.mean, c.std)
		}
	}
}

func TestCheckChannels(t *testing.T) {
	for _, c := range []struct {
		pipeline string
		channels int
		ok       bool
	}{
		{"totensor", 3, true},
		{"totensor | normalize(0.5,0.5)", 4, true},
		{"totensor | normalize([1,2,3],0.5)", 3, true},
		{"totensor | normalize([1,2,3],0.5)", 1, false},
		{"totensor | normalize(0.5,0.5) | normalize(0.5,[1,2])", 3, false},
	} {
		if err := mustParse(t, c.pipeline).CheckChannels(c.channels); (err == nil) != c.ok {
			t.Errorf("%s for %d channels: error %v, want none: %v", c.pipeline, c.channels, err, c.ok)
		}
	}
}

func TestRegion(t *testing.T) {
	for _, c := range []struct {
		pipeline string
		want     Region
		ok       bool
	}{
		{"totensor", Region{0, 0, 200, 100}, true},
		{"centercrop(50) | totensor | normalize(0.5,0.5)", Region{75, 25, 125, 75}, true},
		{"resize(50) | centercrop(50)", Region{50, 0, 150, 100}, true},
		{"resize(10,10) | crop(0,5,5,5)", Region{100, 0, 200, 50}, true},
		{"crop(10,20,50,60) | resize(5,6) | crop(1,1,2,2)", Region{30, 20, 50, 40}, true},
		{"centercrop(120)", Region{}, false},
		{"rotate(10)", Region{}, false},
		{"randomcrop(50)", Region{}, false},
	} {
		if got, ok := mustParse(t, c.pipeline).Region(200, 100); got != c.want || ok != c.ok {
			t.Errorf("%s leaves %v, %v, want %v, %v", c.pipeline, got, ok, c.want, c.ok)
		}
	}
}

func TestOutputSize(t *testing.T) {
	for _, c := range []struct {
		spec                    string
		channels, height, width int
		fixed                   bool
	}{
		{"identity", 0, 0, 0, false},
		{"totensor", 0, 0, 0, false},
		{"resize(256) | totensor", 0, 0, 0, false},
		{"resize(256,longest=300) | totensor", 0, 0, 0, false},
		{"resize(30,40,cover)", 0, 0, 0, false},
		{"resize(30,40,contain)", 0, 0, 0, false},
		{"resize(30,40) | totensor | normalize(0.5,0.5)", 3, 30, 40, true},
		{"resize(256) | centercrop(224) | totensor", 3, 224, 224, true},
		{"resize(256) | centercrop(224,192,floor) | totensor", 3, 224, 192, true},
		{"centercrop(224,192,fill=7) | totensor", 3, 224, 192, true},
		{"crop(-1,2,30,40)", 3, 30, 40, true},
		{"pad(4)", 0, 0, 0, false},
		{"resize(30,40) | pad(1,2,3,-4)", 3, 28, 44, true},
		{"resize(30,40) | pad(-20)", 0, 0, 0, false},
		{"resize(30,40) | resize(15)", 3, 15, 20, true},
		{"resize(30,40) | resize(64,64,cover)", 3, 64, 85, true},
		{"resize(30,40) | resize(64,64,contain)", 3, 48, 64, true},
		{"resize(30,40) | resize(15,longest=18)", 3, 14, 18, true},
		{"grayscale(1) | resize(8,8) | totensor", 1, 8, 8, true},
		{"resize(8,8) | grayscale(3)", 3, 8, 8, true},
		{"resize(8,8) | randomgrayscale | hflip | jitter(0.1,0.1,0.1)", 3, 8, 8, true},
		{"resize(8,8) | randomgrayscale(1)", 0, 0, 0, false},
		{"resize(8,8) | randomgrayscale(1,p=1)", 1, 8, 8, true},
		{"resize(8,8) | randomgrayscale(1,p=0)", 3, 8, 8, true},
		{"randomcrop(20,30) | totensor | randomerasing", 3, 20, 30, true},
		{"randomresizedcrop(24) | randomhflip", 3, 24, 24, true},
		{"resize(8,9) | rotation(30)", 3, 8, 9, true},
		{"resize(8,9) | rotation(30,expand)", 0, 0, 0, false},
		{"resize(8,9) | rotation(30,expand) | resize(5,5)", 3, 5, 5, true},
		{"resize(8,9) | rotate(90,expand)", 3, 9, 8, true},
		{"rotate(90,expand)", 0, 0, 0, false},
		{"resize(8,9) | randomrotate(90,expand)", 0, 0, 0, false},
		{"resize(9,9) | randomrotate(90,expand)", 3, 9, 9, true},
		{"randomresize(8,8)", 0, 0, 0, false},
		{"resize(8,8) | randaugment | trivialaugmentwide | 3augment | perspective | affine(9) | gaussianblur(3)", 3, 8, 8, true},
	} {
		channels, height, width, fixed := mustParse(t, c.spec).OutputSize()
		if fixed != c.fixed || fixed && [3]int{channels, height, width} != [3]int{c.channels, c.height, c.width} {
			t.Errorf("%s: %d, %d, %d, %v; want %d, %d, %d, %v", c.spec, channels, height, width, fixed, c.channels, c.height, c.width, c.fixed)
		}
	}
	in := Pipeline{Sequence{ResizeTo{9, 8, Bilinear}, Grayscale{1}}}
	if c, h, w, ok := in.OutputSize(); !ok || c != 1 || h != 9 || w != 8 {
		t.Errorf("a sequence: %d, %d, %d, %v", c, h, w, ok)
	}
}

// OutputSize is right for pictures of all shapes, for all draws and for every step.
func TestOutputSizeHolds(t *testing.T) {
	specs := append([]string{
		"resize(12)", "resize(12,longest=14)", "resize(9,12,cover)", "resize(9,12,contain)", "resize(9,12)", "centercrop(9)", "centercrop(9,floor)",
		"centercrop(9,fill=3)", "crop(1,1,4,5)", "pad(2)", "randomcrop(4)", "randomresizedcrop(6)", "hflip", "vflip", "rotate(90,expand)", "rotate(30)",
		"rotation(30)", "rotation(30,expand)", "affinemap(1,1,1,1,0,0)", "affine(3)", "warp(0,0,9,0,9,9,0,9 -> 1,1,8,0,9,8,0,9)", "perspective", "identity",
		"brightness(1)", "contrast(1)", "saturation(1)", "hue(0)", "sharpness(1)", "jitter(0.1)", "grayscale(1)", "randomgrayscale(1)", "gaussianblur(3)",
		"gaussianblur(3,1)", "pilblur(1)", "invert", "posterize(3)", "solarize(9)", "equalize", "autocontrast", "randaugment", "trivialaugmentwide", "3augment",
	}, randomSpecs...)
	for _, spec := range specs {
		for _, before := range []string{"", "resize(60,70) | ", "resize(62,62) | "} {
			p := mustParse(t, before+spec)
			channels, height, width, fixed := p.OutputSize()
			if !fixed {
				continue
			}
			for i, size := range [][2]int{{60, 70}, {71, 61}, {64, 64}, {60, 200}} {
				for index := range uint64(4) {
					im, err := p.ImageAt(uint64(i), 0, index, noise(size[0], size[1], 3))
					if err != nil {
						t.Fatalf("%s: %v", p, err)
					}
					if im.Channels != channels || im.Height != height || im.Width != width {
						t.Errorf("%s: %d, %d, %d; said to be %d, %d, %d", p, im.Channels, im.Height, im.Width, channels, height, width)
					}
				}
			}
		}
	}
}

// The short side is known after a resize until another step may change the size, and the
// pictures have it.
func TestShortSide(t *testing.T) {
	for spec, want := range map[string]int{
		"hflip": 0, "resize(30)": 30, "resize(30) | vflip | invert | totensor | normalize(0.5,0.5)": 30, "resize(20) | resize(30)": 30,
		"resize(30) | pad(1)": 0, "resize(30) | crop(0,0,3,3)": 0, "resize(30) | resize(20,40,cover)": 0, "resize(30,longest=40)": 0, "resize(30,30)": 0,
		"resize(30) | randomcrop(30)": 0, "resize(30) | randomresizedcrop(30)": 0, "resize(30) | rotation(30,expand)": 0, "resize(30) | rotation(30)": 30,
		"resize(30) | randompad(3)": 0, "resize(30) | randominvert": 30, "randomresize(30,p=0.5)": 0, "resize(30) | randaugment | jitter(0.5,0.5,0.5)": 30,
	} {
		p := mustParse(t, spec)
		if got := p.ShortSide(); got != want {
			t.Errorf("%s: %d, want %d", spec, got, want)
		}
		for _, size := range [][2]int{{40, 50}, {61, 35}, {33, 33}} {
			if want == 0 {
				break
			}
			im, err := p.ImageAt(1, 2, 3, noise(size[0], size[1], 3))
			if err != nil || min(im.Width, im.Height) != want {
				t.Errorf("%s: %v of a picture of %v (%v)", spec, im, size, err)
			}
		}
	}
	if got := (Pipeline{Sequence{ResizeShort{30, Bilinear}, HFlip{}}}).ShortSide(); got != 30 {
		t.Errorf("in a sequence: %d", got)
	}
}
