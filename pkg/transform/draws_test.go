package transform

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"testing"
)

// draws is what tools/golden/transform_draws.py writes: for each parameter,
// values and the part of torchvision's draws that are at most as large.
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

// Every drawn parameter is distributed as torchvision's: a two-sample
// Kolmogorov-Smirnov test. There are about 130 parameters, so that a chance of
// one in 100,000 for each makes a false alarm rare with other seeds, too.
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
			// Of a parameter that isn't always drawn there are fewer on both sides.
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

// drawParameters draws once and takes the parameters apart.
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
