package transform

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floats is the output of tools/golden/transform_float.py.
type floats struct {
	Blurs, Erased []struct {
		Height, Width, Channels int
		Spec                    string
		Pixels                  []byte
	}
	Mixes []struct {
		Batch           int
		Lambda          float64
		Cut             []int // top, bottom, left, right
		Smoothing       float64
		Images, Targets []byte
	}
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// torch sums in a different order, which rarely makes a difference, of at most 1/255.
func TestBlurAsTorch(t *testing.T) {
	var golden floats
	readJSON(t, "float.json", &golden)
	values, off := 0, 0
	for _, c := range golden.Blurs {
		p, err := Parse(c.Spec)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Image(noise(c.Height, c.Width, c.Channels))
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Pix) != len(c.Pixels) {
			t.Fatalf("%s: %d bytes, want %d", c.Spec, len(out.Pix), len(c.Pixels))
		}
		for i, v := range out.Pix {
			d := int(v) - int(c.Pixels[i])
			if d*d > 1 {
				t.Fatalf("%dx%dx%d %s: byte %d is %d, want %d", c.Height, c.Width, c.Channels, c.Spec, i, v, c.Pixels[i])
			}
			off += d * d
		}
		values += len(out.Pix)
	}
	t.Logf("%d of %d values are 1/255 off", off, values)
	if values < 50000 || off*10000 > values {
		t.Errorf("%d of %d values are off", off, values)
	}
}

func TestEraseAsTorch(t *testing.T) {
	var golden floats
	readJSON(t, "float.json", &golden)
	for _, c := range golden.Erased {
		p, err := Parse(c.Spec)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Tensor(noise(c.Height, c.Width, c.Channels))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(floatBytes(out.Data), c.Pixels) {
			t.Errorf("%s: other numbers", c.Spec)
		}
	}
}

func TestMixAsTimm(t *testing.T) {
	var golden floats
	readJSON(t, "float.json", &golden)
	const channels, height, width, classes = 2, 5, 7, 5
	for _, c := range golden.Mixes {
		data := make([]float32, c.Batch*channels*height*width)
		state := uint32(height*1000003 + width*1009 + channels)
		for i := range data {
			state = state*1664525 + 1013904223
			data[i] = float32(state>>24)/255 - 0.5
		}
		labels := make([]int32, c.Batch)
		for i := range labels {
			labels[i] = int32((3*i + 1) % classes)
		}
		x := Mixing{Lambda: c.Lambda}
		if len(c.Cut) == 4 {
			x = Mixing{Cut: true, Top: c.Cut[0], Bottom: c.Cut[1], Left: c.Cut[2], Right: c.Cut[3]}
			x.Lambda = 1 - float64((x.Bottom-x.Top)*(x.Right-x.Left))/(height*width)
		}
		if err := x.Images(data, [4]int{c.Batch, channels, height, width}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(floatBytes(data), c.Images) {
			t.Errorf("%+v: other pictures", x)
		}
		targets, err := x.Targets(labels, classes, c.Smoothing)
		if err != nil {
			t.Fatal(err)
		}
		if len(targets)*4 != len(c.Targets) {
			t.Fatalf("%+v: %d targets", x, len(targets))
		}
		for i, v := range targets {
			want := math.Float32frombits(binary.LittleEndian.Uint32(c.Targets[4*i:]))
			if math.Abs(float64(v-want)) > 1e-7 {
				t.Errorf("%+v: target %d is %v, want %v", x, i, v, want)
			}
		}
	}
}

func TestMixErrors(t *testing.T) {
	x := Mixing{Lambda: 0.5}
	if err := x.Images(make([]float32, 5), [4]int{1, 1, 2, 2}); err == nil || !strings.Contains(err.Error(), "not a batch") {
		t.Error(err)
	}
	cut := Mixing{Lambda: 0.5, Cut: true, Bottom: 3, Right: 1}
	if err := cut.Images(make([]float32, 4), [4]int{1, 1, 2, 2}); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Error(err)
	}
	if _, err := x.Targets([]int32{0, 3}, 3, 0); err == nil || !strings.Contains(err.Error(), "label 1") {
		t.Error(err)
	}
	if _, err := x.Targets(nil, 0, 0); err == nil {
		t.Error("no error for no classes")
	}
	if _, err := x.Targets(nil, 2, 1.5); err == nil {
		t.Error("no error for a smoothing of 1.5")
	}
	if m := (Mix{P: 1}).Draw(1, 2, 3, 4); m != (Mixing{Lambda: 1}) {
		t.Errorf("nothing to mix with: %+v", m)
	}
}
