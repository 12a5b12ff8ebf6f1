package plots

import (
	"fmt"
	"image"
	"math"

	xdraw "golang.org/x/image/draw"
)

// Interpolation is the way a map is enlarged to the size at which it is drawn.
type Interpolation uint8

// The interpolations. Sample positions are those of torch's interpolate with
// align_corners=False: the outer half of an edge cell repeats its value.
const (
	Auto     Interpolation = iota // Nearest for a heat map, Bilinear over a picture
	Nearest                       // cells with sharp edges
	Bilinear                      // linear between the cells' centres
	Bicubic                       // Catmull-Rom splines, kept within the range of the map's values
)

func (ip Interpolation) or(other Interpolation) Interpolation {
	if ip == Auto {
		return other
	}
	return ip
}

// Upsample enlarges (or samples) a map to rows x cols values. A NaN cell stays NaN
// up to its borders and doesn't affect its neighbours. It returns an error for an
// empty or ragged map and for a size below 1.
func Upsample(m [][]float64, rows, cols int, ip Interpolation) ([][]float64, error) {
	h, w, err := checkMatrix(m)
	if err != nil {
		return nil, err
	}
	if rows < 1 || cols < 1 || float64(rows)*float64(cols) > maxPixels {
		return nil, fmt.Errorf("plots: can't enlarge a map to %dx%d: both must be at least 1", rows, cols)
	}
	ty, tx := taps(h, rows, ip.or(Bilinear)), taps(w, cols, ip.or(Bilinear))
	lo, hi := finiteRange(m)
	at := blender(m, ip.or(Bilinear), lo, hi)
	out := make([][]float64, rows)
	for r := range out {
		out[r] = make([]float64, cols)
		for c := range out[r] {
			out[r][c] = at(&ty[r], &tx[c])
		}
	}
	return out, nil
}

// tap has the inputs of one output position: up to four neighbouring inputs with
// their weights, and the input cell that contains the position.
type tap struct {
	index   [4]int
	weight  [4]float64
	n       int
	nearest int
}

func taps(in, out int, ip Interpolation) []tap {
	ts := make([]tap, out)
	for o := range ts {
		pos := (float64(o)+0.5)*float64(in)/float64(out) - 0.5
		t := tap{n: 1, nearest: min(in-1, max(0, int(math.Floor(pos+0.5))))}
		base := int(math.Floor(pos))
		f := pos - float64(base)
		switch ip {
		case Bilinear:
			t.n, t.weight = 2, [4]float64{1 - f, f}
			t.index = [4]int{base, base + 1}
		case Bicubic:
			t.n = 4
			t.index = [4]int{base - 1, base, base + 1, base + 2}
			t.weight = [4]float64{
				((-0.5*f+1)*f - 0.5) * f, (1.5*f-2.5)*f*f + 1,
				((-1.5*f+2)*f + 0.5) * f, (0.5*f - 0.5) * f * f,
			}
		default:
			t.index[0], t.weight[0] = t.nearest, 1
		}
		for k := range t.n {
			t.index[k] = min(in-1, max(0, t.index[k]))
		}
		ts[o] = t
	}
	return ts
}

func blend(m [][]float64, y, x tap, lo, hi float64) float64 {
	if v := m[y.nearest][x.nearest]; math.IsNaN(v) || y.n == 1 {
		return v
	}
	var sum, weight float64
	for i := range y.n {
		for j := range x.n {
			v := m[y.index[i]][x.index[j]]
			if math.IsNaN(v) {
				continue
			}
			wt := y.weight[i] * x.weight[j]
			sum += wt * min(hi, max(lo, v)) // an infinite value counts as the largest finite one
			weight += wt
		}
	}
	if math.Abs(weight) < 1e-9 {
		return m[y.nearest][x.nearest]
	}
	return min(hi, max(lo, sum/weight))
}

// blender is [blend] for a map: a quicker one, with the same results to the last bit, for
// bilinear interpolation of a map whose values are all in the range.
func blender(m [][]float64, ip Interpolation, lo, hi float64) func(y, x *tap) float64 {
	inside := ip == Bilinear
	for _, row := range m {
		for _, v := range row {
			inside = inside && v >= lo && v <= hi
		}
	}
	if !inside {
		return func(y, x *tap) float64 { return blend(m, *y, *x, lo, hi) }
	}
	return func(y, x *tap) float64 {
		a, b := m[y.index[0]], m[y.index[1]]
		i, j := x.index[0], x.index[1]
		w, v, s, t := y.weight[0]*x.weight[0], y.weight[0]*x.weight[1], y.weight[1]*x.weight[0], y.weight[1]*x.weight[1]
		sum, weight := w*a[i]+v*a[j], w+v
		sum, weight = sum+s*b[i], weight+s
		sum, weight = sum+t*b[j], weight+t
		return min(hi, max(lo, sum/weight))
	}
}

func finiteRange(m [][]float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, row := range m {
		for _, v := range row {
			if isFinite(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

// mapLimit is the largest number of rows or columns of a map that are drawn one by
// one. Beyond it, cells are smaller than a pixel and are averaged.
const mapLimit = 2048

// mapImage colours a map, one pixel for each cell.
func mapImage(m [][]float64, r resolved) *image.RGBA {
	m = shrink(m)
	img := image.NewRGBA(image.Rect(0, 0, len(m[0]), len(m)))
	for y, row := range m {
		for x, v := range row {
			img.SetRGBA(x, y, r.color(v))
		}
	}
	return img
}

// shrink averages blocks of cells until the map is within mapLimit.
func shrink(m [][]float64) [][]float64 {
	ky, kx := (len(m)+mapLimit-1)/mapLimit, (len(m[0])+mapLimit-1)/mapLimit
	if ky == 1 && kx == 1 {
		return m
	}
	var out [][]float64
	for y := 0; y < len(m); y += ky {
		var row []float64
		for x := 0; x < len(m[0]); x += kx {
			row = append(row, blockMean(m[y:min(len(m), y+ky)], x, min(len(m[0]), x+kx)))
		}
		out = append(out, row)
	}
	return out
}

func blockMean(rows [][]float64, x0, x1 int) float64 {
	var sum, n float64
	for _, row := range rows {
		for _, v := range row[x0:x1] {
			if !math.IsNaN(v) {
				sum += v
				n++
			}
		}
	}
	return sum / n // if all are NaN, 0/0 is NaN, as intended
}

// toSize scales a picture smoothly to w x h pixels.
func toSize(img image.Image, w, h int) *image.RGBA {
	if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
		if _, quick := img.(*image.RGBA); !quick {
			// The scaler is several times faster for this type and gives the same.
			copied := image.NewRGBA(img.Bounds())
			xdraw.Draw(copied, copied.Bounds(), img, img.Bounds().Min, xdraw.Src)
			img = copied
		}
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	xdraw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), xdraw.Src, nil)
	return out
}

// blendMap blends a coloured map with a picture: (1-alpha) of the picture, in its own
// size and colours, plus alpha of the map, enlarged to that size. Where the map is NaN
// the picture is unchanged.
func blendMap(picture *image.RGBA, m [][]float64, r resolved, alpha float64, fade bool, ip Interpolation) {
	b := picture.Bounds()
	h, w := len(m), len(m[0])
	ty, tx := taps(h, b.Dy(), ip), taps(w, b.Dx(), ip)
	var rest, share [256]float64
	for i := range rest {
		rest[i], share[i] = (1-alpha)*float64(i), alpha*float64(i)
	}
	mix := func(a, b uint8) uint8 { return uint8(rest[a] + share[b] + 0.5) }
	at := blender(m, ip, r.lo, r.hi)
	for y := range b.Dy() {
		row := picture.Pix[picture.PixOffset(b.Min.X, b.Min.Y+y):][:4*b.Dx()]
		for x := range b.Dx() {
			v := at(&ty[y], &tx[x])
			if math.IsNaN(v) {
				continue
			}
			p, c := row[4*x:][:4:4], r.color(v)
			if fade {
				w := alpha * math.Sqrt(min(math.Abs(2*r.unit(v)-1), 1))
				mix := func(a, b uint8) uint8 { return uint8((1-w)*float64(a) + w*float64(b) + 0.5) }
				p[0], p[1], p[2], p[3] = mix(p[0], c.R), mix(p[1], c.G), mix(p[2], c.B), max(p[3], mix(p[3], 255))
				continue
			}
			p[0], p[1], p[2], p[3] = mix(p[0], c.R), mix(p[1], c.G), mix(p[2], c.B), max(p[3], mix(p[3], 255))
		}
	}
}
