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
