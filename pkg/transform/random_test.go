package transform

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
)

// report is exactly the pipeline of the report's study.
const report = "randomhflip | centercrop(256) | resize(256,256) | rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | perspective(0.2,p=0.5) | totensor | normalize(0.5,0.5)"

func mustParse(t testing.TB, spec string) Pipeline {
	t.Helper()
	p, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// All random steps, with every kind of argument.
var randomSpecs = []string{
	report,
	"randomhflip(p=0.3) | randomvflip | randomcrop(20,padding=4,reflect)",
	"randomcrop(60,50,ifneeded,fill=[1,2,3])",
	"randomcrop(9,12,padding=[1,2,3,4],fill=7) | pad(1,2)",
	"randomresizedcrop(24,32,scale=0.2:0.9,ratio=0.5:2,bicubic)",
	"rotation(-10:45,bilinear,expand,fill=9)",
	"affine(10,translate=[0.1,0.2],scale=0.8:1.2,shear=5,sheary=-3:4,bicubic,fill=[9,8,7])",
	"perspective(0.6,p=1,nearest,fill=3)",
	"jitter(0.4,0.4,0.4,0.1) | randomgrayscale(p=0.5)",
	"gaussianblur([5,3],0.1:2) | gaussianblur(3)",
	"randomposterize(3) | randomsolarize(128,p=0.9) | randominvert | randomequalize | randomautocontrast | randomsharpness(2)",
	"randaugment(3,12,bins=20) | trivialaugmentwide | 3augment",
	"randaugment | randomrotation(5) | totensor | randomerasing(p=0.9,value=random)",
	"totensor | randomerasing(p=1,scale=0.1:0.2,ratio=1,value=[0.5,1,2]) | normalize([1,2,3],4) | randomerasing",
	"totensor | randomerasecells(7,share=0.1:0.75) | randomerasecells(50,share=0.3:0.6,value=[1,2,3])",
}

// The steps returned by Draw give the same result as the seed, also after formatting and
// parsing, in reused memory, and in any order.
func TestDrawThenApply(t *testing.T) {
	im := noise(41, 53, 3)
	var used Buffers
	for _, spec := range randomSpecs {
		p := mustParse(t, spec)
		if !p.Random() {
			t.Errorf("%s isn't random", spec)
		}
		different := map[string]bool{}
		for index := range uint64(30) {
			drawn, err := p.Draw(1, 2, index, im.Width, im.Height)
			if err != nil {
				t.Fatalf("%s: %v", spec, err)
			}
			if drawn.Random() {
				t.Fatalf("%s: %s is still random", spec, drawn)
			}
			different[drawn.String()] = true
			again := mustParse(t, drawn.String())
			if again.String() != drawn.String() {
				t.Fatalf("%s: %s reads as %s", spec, drawn, again)
			}
			want := result(t, drawn, 0, im)
			for name, got := range map[string]any{
				"read again": result(t, again, 0, im), "with a seed": result(t, p, index, im), "in used memory": resultIn(t, &used, p, index, im),
			} {
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s: %s gives something else %s", spec, drawn, name)
				}
			}
		}
		if len(different) < 15 {
			t.Errorf("%s: only %d different draws", spec, len(different))
		}
	}
}

func result(t *testing.T, p Pipeline, index uint64, im *Image) any {
	return resultIn(t, new(Buffers), p, index, im)
}

func resultIn(t *testing.T, b *Buffers, p Pipeline, index uint64, im *Image) any {
	t.Helper()
	if !strings.Contains(p.String(), "totensor") {
		out, err := b.Image(p, 1, 2, index, im)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		return *separate(out, im)
	}
	out, err := b.Tensor(p, 1, 2, index, im)
	if err != nil {
		t.Fatalf("%s: %v", p, err)
	}
	return Tensor{Data: slices.Clone(out.Data), Shape: out.Shape}
}

// Other seeds, epochs, indices and positions draw other parameters.
func TestDrawFollowsEveryNumber(t *testing.T) {
	p := mustParse(t, "rotation(30) | rotation(30)")
	seen := map[string]bool{}
	for seed := range uint64(4) {
		for epoch := range uint64(4) {
			for index := range uint64(4) {
				drawn, err := p.Draw(seed, epoch, index, 9, 9)
				if err != nil {
					t.Fatal(err)
				}
				for _, op := range drawn {
					if seen[op.String()] {
						t.Fatalf("%s twice", op)
					}
					seen[op.String()] = true
				}
			}
		}
	}
}

// Any number of workers makes the same tensors.
func TestWorkersAgree(t *testing.T) {
	p := mustParse(t, report)
	pictures := []*Image{noise(300, 280, 3), noise(41, 53, 3), noise(256, 256, 3)}
	const count = 24
	var want [count]*Tensor
	for i := range want {
		var err error
		if want[i], err = p.TensorAt(3, 1, uint64(i), pictures[i%3]); err != nil {
			t.Fatal(err)
		}
	}
	batch := make([]float32, count*3*256*256)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			var b Buffers
			for i := worker; i < count; i += 4 {
				place := batch[i*3*256*256 : (i+1)*3*256*256]
				if _, err := b.TensorInto(place, p, 3, 1, uint64(i), pictures[i%3]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range want {
		if !slices.Equal(batch[i*3*256*256:(i+1)*3*256*256], want[i].Data) {
			t.Errorf("picture %d: another tensor", i)
		}
	}
}

// In steady state nothing is allocated.
func TestNoAllocation(t *testing.T) {
	im := noise(300, 280, 3)
	for _, spec := range append([]string{
		"resize(256,bicubic) | centercrop(224) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
		"randomresizedcrop(64) | randomhflip | totensor | normalize(0.5,0.5)",
	}, randomSpecs...) {
		if !strings.Contains(spec, "totensor") {
			spec += " | totensor"
		}
		p := mustParse(t, spec)
		var b Buffers
		index := uint64(0)
		run := func() {
			if _, err := b.Tensor(p, 1, 1, index%40, im); err != nil {
				t.Fatal(err)
			}
			index++
		}
		for range 40 { // every size that the counted runs will need
			run()
		}
		if n := testing.AllocsPerRun(40, run); n > 0 {
			t.Errorf("%s: %v allocations", spec, n)
		}
	}
}

func TestRandomErrors(t *testing.T) {
	im := noise(20, 30, 3)
	p := mustParse(t, "rotation(30) | totensor | randomerasing")
	if _, err := p.Image(im); err == nil || !strings.Contains(err.Error(), "draw them first") {
		t.Errorf("Image: %v", err)
	}
	if _, err := p.Tensor(im); err == nil || !strings.Contains(err.Error(), "draw them first") {
		t.Errorf("Tensor: %v", err)
	}
	for _, c := range []struct{ spec, says string }{
		{"randomcrop(21)", "doesn't fit"},
		{"randomcrop(21,padding=[0,-1,0,0])", "doesn't fit"},
		{"rotation(5,fill=[1,2])", "2 values"},
		{"gaussianblur(61,0.5:1)", "too small"},
	} {
		p := mustParse(t, c.spec)
		if _, err := p.ImageAt(1, 1, 1, im); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.spec, err, c.says)
		}
		drawn, err := p.Draw(1, 1, 1, im.Width, im.Height)
		if err == nil {
			_, err = drawn.Image(im)
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s drawn: %v, want %q", c.spec, err, c.says)
		}
	}
	var b Buffers
	fixed := mustParse(t, "totensor")
	for _, dst := range [][]float32{nil, make([]float32, 5)} {
		if _, err := b.TensorInto(dst, fixed, 0, 0, 0, im); err == nil || !strings.Contains(err.Error(), "doesn't fit") {
			t.Errorf("into %d numbers: %v", len(dst), err)
		}
	}
	if _, err := mustParse(t, "hflip").TensorAt(0, 0, 0, im); err == nil {
		t.Error("no error without totensor")
	}
	if drawn, err := mustParse(t, "randomhflip(p=0)").Draw(0, 0, 0, 3, 3); err != nil || drawn.String() != "identity" {
		t.Errorf("nothing happens: %s, %v", drawn, err)
	}
}

func TestFiveCrop(t *testing.T) {
	im := noise(9, 12, 3)
	crops, err := FiveCrop(im, 4, 5)
	if err != nil {
		t.Fatal(err)
	}
	for i, spec := range []string{"crop(0,0,4,5)", "crop(0,7,4,5)", "crop(5,0,4,5)", "crop(5,7,4,5)", "centercrop(4,5)"} {
		want, err := mustParse(t, spec).Image(im)
		if err != nil || !reflect.DeepEqual(crops[i], want) {
			t.Errorf("crop %d isn't %s (%v)", i, spec, err)
		}
	}
	for _, size := range [][2]int{{10, 3}, {3, 13}, {0, 3}} {
		if _, err := FiveCrop(im, size[0], size[1]); err == nil {
			t.Errorf("no error for %v", size)
		}
	}
}

func TestRand(t *testing.T) {
	r := NewRand(1, 2, 3, 4)
	if a, b := NewRand(1, 2, 3, 4).Float64(), r.Float64(); a != b {
		t.Errorf("%v and %v from the same numbers", a, b)
	}
	var counts [7]int
	sum, squares := 0.0, 0.0
	for range 70000 {
		counts[r.IntN(7)]++
		x := r.Normal()
		sum, squares = sum+x, squares+x*x
	}
	for i, n := range counts {
		if n < 9600 || n > 10400 {
			t.Errorf("%d came %d times of 70000", i, n)
		}
	}
	if mean, variance := sum/70000, squares/70000; mean < -0.02 || mean > 0.02 || variance < 0.97 || variance > 1.03 {
		t.Errorf("mean %v, variance %v", mean, variance)
	}
}

// A picture with an extreme shape, or an empty one, is processed or gives an error.
func TestExtremePictures(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 300}, {300, 1}, {2, 2}, {3, 1}} {
		for _, channels := range []int{1, 3, 4} {
			im := noise(size[0], size[1], channels)
			for _, spec := range randomSpecs {
				p := mustParse(t, spec)
				for i := range uint64(3) {
					var err error
					func() {
						defer func() {
							if r := recover(); r != nil {
								t.Errorf("%dx%dx%d %s: panic: %v", size[0], size[1], channels, spec, r)
							}
						}()
						_, err = p.ImageAt(1, 1, i, im)
					}()
					if err != nil && !strings.Contains(err.Error(), ": ") {
						t.Errorf("%s: error without its step: %v", spec, err)
					}
				}
			}
		}
	}
	if got := fmt.Sprint(Identity{}, Sequence{}, PadMode(9)); got != "identity identity PadMode(9)" {
		t.Error(got)
	}
}

// draws is the output of tools/golden/transform_draws.py: for each parameter, values and
// the fraction of torchvision's draws that are at most as large.
type draws struct {
	Draws []struct {
		Spec          string
		Width, Height int
		Parameters    map[string][2][]float64
	}
	Magnitudes []struct {
		Which               string
		Bins, Width, Height int
		Values              [][]float64
	}
}

// Every drawn parameter has torchvision's distribution, by a two-sample
// Kolmogorov-Smirnov test. There are about 130 parameters, so with a probability of
// 1 in 100,000 for each, a false alarm is rare with other seeds too.
func TestDrawsAsTorchvision(t *testing.T) {
	const count, theirs = 8000, 40000
	var golden draws
	readJSON(t, "draws.json", &golden)
	tested := 0
	for k, c := range golden.Draws {
		values := map[string][]float64{}
		for i := range count {
			for name, v := range drawParameters(t, c.Spec, c.Width, c.Height, NewRand(11, uint64(k), uint64(i), 0), uint64(i)) {
				values[name] = append(values[name], v)
			}
		}
		if len(values) != len(c.Parameters) {
			t.Errorf("%s: %d parameters, want %d", c.Spec, len(values), len(c.Parameters))
		}
		for name, want := range c.Parameters {
			v := values[name]
			if len(v) == 0 {
				t.Errorf("%s: no %s", c.Spec, name)
				continue
			}
			// A parameter that isn't always drawn has fewer samples on both sides.
			n, m := float64(len(v)), theirs*float64(len(v))/count
			limit := math.Sqrt(-math.Log(1e-5/2)/2) * math.Sqrt((n+m)/(n*m))
			if d, at := distance(v, want); d > limit {
				t.Errorf("%s: %s ≤ %v in a part that is %.4f off, more than %.4f", c.Spec, name, at, d, limit)
			}
			tested++
		}
	}
	if tested < 120 {
		t.Errorf("only %d parameters", tested)
	}
}

// distance is the largest difference between two distributions.
func distance(v []float64, want [2][]float64) (most, at float64) {
	slices.Sort(v)
	for i, x := range want[0] {
		x += 1e-6 * math.Abs(x) // the file's values are rounded
		d := math.Abs(float64(sort.Search(len(v), func(j int) bool { return v[j] > x }))/float64(len(v)) - want[1][i])
		if d > most {
			most, at = d, x
		}
	}
	return most, at
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// drawParameters draws once and extracts the parameters.
func drawParameters(t *testing.T, spec string, width, height int, r *Rand, i uint64) map[string]float64 {
	var mix Mix
	if n, _ := fmt.Sscanf(spec, "mix(%g,%g,%g,%g)", &mix.MixupAlpha, &mix.CutMixAlpha, &mix.P, &mix.Switch); n == 4 {
		return mixParameters(mix.Draw(5, i, width, height))
	}
	switch op := parseOne(t, spec).(type) {
	case RandAugment:
		return augmentParameters(op.draw(r, width, height))
	case TrivialAugment:
		return augmentParameters(op.draw(r))
	case RandomErasing:
		e := op.DrawTensor(r, width, height).(Erase)
		if e.Height == 0 {
			return map[string]float64{"happens": 0}
		}
		p := boxParameters(Crop{e.Top, e.Left, e.Height, e.Width}, width, height)
		p["happens"] = 1
		return p
	case RandomOp:
		return imageParameters(t, op.Draw(r, width, height), op, width, height)
	default:
		t.Fatalf("%s isn't random", spec)
		return nil
	}
}

var parsed = map[string]Op{}

func parseOne(t *testing.T, spec string) Op {
	if op, ok := parsed[spec]; ok {
		return op
	}
	text := spec
	if spec == "randomerasing" || spec[:min(len(spec), 14)] == "randomerasing(" {
		text = "totensor | " + spec
	}
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	parsed[spec] = p[len(p)-1]
	return parsed[spec]
}

func imageParameters(t *testing.T, drawn ImageOp, from RandomOp, width, height int) map[string]float64 {
	switch op := drawn.(type) {
	case Identity:
		return map[string]float64{"happens": 0}
	case HFlip:
		return map[string]float64{"happens": 1}
	case Grayscale:
		if _, ok := from.(ThreeAugment); ok {
			return map[string]float64{"kind": 0}
		}
		return map[string]float64{"happens": 1}
	case Solarize:
		return map[string]float64{"kind": 1}
	case PILBlur:
		return map[string]float64{"kind": 2, "radius": op.Radius}
	case Rotate:
		return map[string]float64{"degrees": op.Degrees}
	case GaussianBlur:
		return map[string]float64{"sigma": op.Sigma}
	case Affine:
		return map[string]float64{"degrees": op.Angle, "dx": float64(op.DX), "dy": float64(op.DY), "both": float64(op.DX + op.DY),
			"scale": op.Scale, "shearx": op.ShearX, "sheary": op.ShearY}
	case Warp:
		p := map[string]float64{"happens": 1, "across": op.To[1][0] - op.To[0][0]}
		for i, corner := range op.To {
			p[fmt.Sprint("x", i)], p[fmt.Sprint("y", i)] = corner[0], corner[1]
		}
		return p
	case Crop:
		return boxParameters(op, width, height)
	case Sequence:
		if crop, ok := op[0].(Crop); ok {
			return boxParameters(crop, width, height)
		}
		return jitterParameters(t, op)
	}
	t.Fatalf("%s has no parameters here", drawn)
	return nil
}

func boxParameters(c Crop, width, height int) map[string]float64 {
	return map[string]float64{"top": float64(c.Top), "left": float64(c.Left), "height": float64(c.Height), "width": float64(c.Width),
		"area": float64(c.Height*c.Width) / float64(width*height), "ratio": float64(c.Width) / float64(c.Height),
		"bottom": float64(height - c.Top - c.Height), "right": float64(width - c.Left - c.Width)}
}

func jitterParameters(t *testing.T, steps Sequence) map[string]float64 {
	if len(steps) != 4 {
		t.Fatalf("%s: %d steps", steps, len(steps))
	}
	p, order := map[string]float64{}, [4]int{}
	for place, step := range steps {
		kind := 0
		switch op := step.(type) {
		case Brightness:
			p["brightness"] = op.Factor
		case Contrast:
			kind, p["contrast"] = 1, op.Factor
		case Saturation:
			kind, p["saturation"] = 2, op.Factor
		case Hue:
			kind, p["hue"] = 3, op.Shift
		}
		p[fmt.Sprint("place", kind)] = float64(place)
		order[place] = kind
	}
	p["first two"] = float64(order[0]*4 + order[1])
	return p
}

func augmentParameters(a augmentation) map[string]float64 {
	p := map[string]float64{"kind": float64(a.kind)}
	if name := augmentNames[a.kind]; name != "" {
		p[name] = a.magnitude
	}
	return p
}

// augmentNames are torchvision's names of the steps that have a magnitude.
var augmentNames = [augmentations]string{"", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate",
	"Brightness", "Color", "Contrast", "Sharpness", "Posterize", "Solarize", "", ""}

func mixParameters(m Mixing) map[string]float64 {
	cut := m.Cut && m.Lambda != 1
	p := map[string]float64{"happens": yes(m.Lambda != 1), "cut": yes(cut), "lambda": m.Lambda}
	if cut {
		p["top"], p["bottom"], p["left"], p["right"] = float64(m.Top), float64(m.Bottom), float64(m.Left), float64(m.Right)
	}
	return p
}

// The strengths of the fourteen steps are torch's numbers.
func TestMagnitudesAsTorchvision(t *testing.T) {
	var golden draws
	readJSON(t, "draws.json", &golden)
	if len(golden.Magnitudes) != 12 {
		t.Fatalf("%d tables", len(golden.Magnitudes))
	}
	for _, c := range golden.Magnitudes {
		s := TrivialAugment{c.Bins}.space()
		if c.Which == "rand" {
			s = RandAugment{Bins: c.Bins}.space(c.Width, c.Height)
		}
		for kind, values := range c.Values {
			for bin, want := range values {
				if got := s.magnitude(kind, bin, c.Bins); got != want {
					t.Errorf("%s %s bin %d of %d: %v, want %v", c.Which, augmentNames[kind], bin, c.Bins, got, want)
				}
			}
		}
	}
}
