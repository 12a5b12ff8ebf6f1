package vit

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// PosResize is a method of resizing position embeddings to another grid. Every library has
// its own, and its weights are used with that one.
type PosResize int

const (
	// TimmBicubic is timm's resample_abs_pos_embed: torch's bicubic
	// interpolation with antialiasing (Catmull-Rom kernel, a = -0.5, widened when
	// shrinking). Transformers' and the original DINOv2 with registers use the
	// same.
	TimmBicubic PosResize = iota
	// HFBicubic is transformers' interpolate_pos_encoding of ViT, DeiT and
	// DINOv2: torch's bicubic interpolation (a = -0.75), no antialiasing.
	HFBicubic
	// DINOv2Bicubic is the original DINOv2 without registers: HFBicubic, but torch gets
	// the scale (to+0.1)/from instead of the size, which moves every sampling point a
	// little.
	DINOv2Bicubic
	// ZoomLinear is scipy.ndimage.zoom(order=1), which google-research's and lukemelas'
	// code use: linear, with the corners of both grids aligned. Where a rounding error
	// puts scipy's coordinate of the last row or column outside of the grid (from 8 to 26,
	// for one), scipy gives zeros there, and so does this.
	ZoomLinear
	// TorchvisionBicubic is torchvision's interpolate_embeddings: torch's bicubic
	// interpolation (a = -0.75) with the corners of both grids aligned.
	TorchvisionBicubic
)

var posResizeNames = [...]string{
	"bicubic with antialiasing (timm)", "bicubic (transformers)", "bicubic with offset 0.1 (DINOv2)", "linear (scipy zoom)", "bicubic with aligned corners (torchvision)",
}

// String is the method's name, for messages.
func (m PosResize) String() string {
	if m < 0 {
		return fmt.Sprintf("unknown(%d)", int(m))
	}
	return enumName(posResizeNames[:], int(m))
}

// maxGrid bounds the rows and columns of a grid of position embeddings.
const maxGrid = 1 << 14

// ResizePosEmbed resizes the position embeddings of a grid of patches. grid is
// [from[0]*from[1], dim], row by row, without those of the class token and other tokens,
// and the result is the same on the grid to. If both grids are equal, the result is a
// copy. A size that isn't positive, a grid of another length, and an unknown method are
// errors.
func ResizePosEmbed(grid []float32, dim int, from, to [2]int, method PosResize) ([]float32, error) {
	for _, n := range []int{from[0], from[1], to[0], to[1]} {
		if n <= 0 || n > maxGrid {
			return nil, fmt.Errorf("can't resize position embeddings from a grid of %d×%d to %d×%d: sizes go from 1 to %d", from[0], from[1], to[0], to[1], maxGrid)
		}
	}
	if dim <= 0 || len(grid)%dim != 0 || len(grid)/dim != from[0]*from[1] {
		return nil, fmt.Errorf("%d values aren't the position embeddings of %d×%d patches of width %d", len(grid), from[0], from[1], dim)
	}
	if to == from {
		return append([]float32(nil), grid...), nil
	}
	switch method {
	case TimmBicubic:
		return resizeAntialiased(grid, dim, from, to), nil
	case HFBicubic, DINOv2Bicubic, TorchvisionBicubic:
		return resizeBicubic(grid, dim, from, to, method), nil
	case ZoomLinear:
		return resizeZoom(grid, dim, from, to), nil
	}
	return nil, fmt.Errorf("there is no method of resizing position embeddings with the number %d", int(method))
}

// taps are the weights by which one row or column of the output sums neighbouring ones of
// the input, from start on.
type taps struct {
	start   int
	weights []float32
}

// fused is x*y+z with one rounding (except for rare double roundings), as torch's kernels
// compute it on processors with FMA. A float64 holds the product exactly.
func fused(x, y, z float32) float32 { return float32(float64(x)*float64(y) + float64(z)) }

// The two parts of the cubic convolution kernel of Keys (1981), |x| < 1 and 1 ≤ |x| < 2,
// with torch's order of operations.
func cubicNear(x, a float32) float32 {
	return fused(fused(a+2, x, -(a+3))*x, x, 1)
}

func cubicFar(x, a float32) float32 {
	return fused(fused(fused(a, x, -5*a), x, 8*a), x, -4*a)
}

// resizeAntialiased is torch's separable interpolation: columns, then rows.
func resizeAntialiased(grid []float32, dim int, from, to [2]int) []float32 {
	wide := grid
	if from[1] != to[1] {
		wide = make([]float32, from[0]*to[1]*dim)
		for x, t := range antialiasedTaps(from[1], to[1]) {
			for y := range from[0] {
				blend(wide[(y*to[1]+x)*dim:][:dim], grid[(y*from[1]+t.start)*dim:], dim, t.weights)
			}
		}
	}
	if from[0] == to[0] {
		return wide
	}
	out := make([]float32, to[0]*to[1]*dim)
	for y, t := range antialiasedTaps(from[0], to[0]) {
		for x := range to[1] {
			blend(out[(y*to[1]+x)*dim:][:dim], wide[(t.start*to[1]+x)*dim:], to[1]*dim, t.weights)
		}
	}
	return out
}

// blend sums vectors of src, stride apart, by their weights into dst.
func blend(dst, src []float32, stride int, weights []float32) {
	for i, w := range weights {
		for c, v := range src[i*stride:][:len(dst)] {
			dst[c] = fused(v, w, dst[c])
		}
	}
}

// antialiasedTaps are torch's weights of bicubic interpolation with
// antialiasing along one axis.
func antialiasedTaps(from, to int) []taps {
	scale := float32(from) / float32(to)
	support, inverse := float32(2), float32(1)
	if scale >= 1 {
		support, inverse = 2*scale, 1/scale
	}
	all := make([]taps, to)
	for i := range all {
		center := scale * (float32(i) + 0.5)
		start := max(int(float32(center-support)+0.5), 0)
		end := min(int(float32(center+support)+0.5), from)
		t := taps{start, make([]float32, end-start)}
		var sum float32
		for j := range t.weights {
			x := float32(math.Abs(float64(float32(float32(float32(j+start)-center)+0.5) * inverse)))
			switch {
			case x < 1:
				t.weights[j] = cubicNear(x, -0.5)
			case x < 2:
				t.weights[j] = cubicFar(x, -0.5)
			}
			sum += t.weights[j]
		}
		for j := range t.weights {
			t.weights[j] /= sum
		}
		all[i] = t
	}
	return all
}

// resizeBicubic is torch's interpolation without antialiasing, from 4×4 neighbours; those
// beyond an edge are clamped to it.
func resizeBicubic(grid []float32, dim int, from, to [2]int, method PosResize) []float32 {
	rows, cols := bicubicTaps(from[0], to[0], method), bicubicTaps(from[1], to[1], method)
	out := make([]float32, to[0]*to[1]*dim)
	line := make([]float32, dim)
	for y, row := range rows {
		for x, col := range cols {
			dst := out[(y*to[1]+x)*dim:][:dim]
			for i, wy := range row.weights {
				clear(line)
				sy := min(max(row.start+i, 0), from[0]-1)
				for j, wx := range col.weights {
					sx := min(max(col.start+j, 0), from[1]-1)
					blend(line, grid[(sy*from[1]+sx)*dim:], dim, []float32{wx})
				}
				for c, v := range line {
					dst[c] = fused(v, wy, dst[c])
				}
			}
		}
	}
	return out
}

// bicubicTaps are torch's weights of bicubic interpolation along one axis. The first index
// may lie before the axis and the last one after it.
func bicubicTaps(from, to int, method PosResize) []taps {
	scale := float32(from) / float32(to)
	switch {
	case method == DINOv2Bicubic:
		scale = float32(1 / ((float64(to) + 0.1) / float64(from)))
	case method == TorchvisionBicubic && to > 1:
		scale = float32(from-1) / float32(to-1)
	case method == TorchvisionBicubic:
		scale = 0
	}
	all := make([]taps, to)
	for i := range all {
		at := fused(scale, float32(i)+0.5, -0.5)
		if method == TorchvisionBicubic {
			at = scale * float32(i)
		}
		first := min(int(math.Floor(float64(at))), from-1)
		t := min(max(at-float32(first), 0), 1)
		u := 1 - t
		all[i] = taps{first - 1, []float32{cubicFar(t+1, -0.75), cubicNear(t, -0.75), cubicNear(u, -0.75), cubicFar(u+1, -0.75)}}
	}
	return all
}

// resizeZoom is scipy.ndimage.zoom(order=1, mode="constant"), which computes in
// float64.
func resizeZoom(grid []float32, dim int, from, to [2]int) []float32 {
	out := make([]float32, to[0]*to[1]*dim)
	for y := range to[0] {
		y0, y1, ty, inRows := zoomPlace(y, from[0], to[0])
		for x := range to[1] {
			x0, x1, tx, inCols := zoomPlace(x, from[1], to[1])
			if !inRows || !inCols {
				continue
			}
			dst := out[(y*to[1]+x)*dim:][:dim]
			for c := range dst {
				at := func(y, x int) float64 { return float64(grid[(y*from[1]+x)*dim+c]) }
				sum := float64(float64(at(y0, x0)*(1-ty)) * (1 - tx))
				sum += float64(float64(at(y0, x1)*(1-ty)) * tx)
				sum += float64(float64(at(y1, x0)*ty) * (1 - tx))
				sum += float64(float64(at(y1, x1)*ty) * tx)
				dst[c] = float32(sum)
			}
		}
	}
	return out
}

// zoomPlace finds the two indices of the input between which index i of the output lies,
// the fraction of the way from the first to the second, and whether the coordinate is
// inside the grid, to the last bit.
func zoomPlace(i, from, to int) (first, second int, t float64, inside bool) {
	zoom := 1.0
	if to > 1 {
		zoom = float64(from-1) / float64(to-1)
	}
	at := float64(i) * zoom
	if at > float64(from-1) {
		return 0, 0, 0, false
	}
	first = int(at)
	return first, min(first+1, from-1), at - float64(first), true
}

// PositionEmbeddings is the patches' position embeddings, [rows*columns, dim] row by row,
// without those of the class token and other tokens, and their grid, rows and columns. The
// values may be the file's own memory.
func (m *Model) PositionEmbeddings() (patches []float32, grid [2]int, err error) {
	data, err := m.positions()
	if err != nil {
		return nil, grid, err
	}
	return data[m.Config.positionPrefix()*m.Config.Dim:], m.Config.Grid(), nil
}

// positions is all position embeddings. They are finite.
func (m *Model) positions() ([]float32, error) {
	if err := m.params.CheckFinite([]nn.Param{{Name: "positions"}}); err != nil {
		return nil, err
	}
	data, _, err := m.Parameter("positions")
	return data, err
}

// ResizedTo returns the model for pictures of another size. Its position embeddings are
// resized to the new grid by the layout's method, of which Warnings tells; the rest is
// shared with m, which must stay open.
func (m *Model) ResizedTo(height, width int) (*Model, error) {
	cfg, err := m.Config.WithImageSize(height, width)
	if err != nil {
		return nil, err
	}
	if cfg.Grid() == m.Config.Grid() {
		same := *m
		same.Config = cfg
		return &same, nil
	}
	all, _, err := m.Parameter("positions")
	if err != nil {
		return nil, err
	}
	data, err := resizePositions(all, m.Config, cfg, m.resize)
	if err != nil {
		return nil, err
	}
	resized := *m
	resized.Config = cfg
	resized.Warnings = append(append([]string(nil), m.Warnings...), resizeWarning(m.Config, cfg, m.resize))
	resized.params = maps.Clone(m.params)
	shape := []int{1, len(data) / cfg.Dim, cfg.Dim}
	resized.params["positions"] = nn.Own(weights.NewTensor("positions", shape, data))
	return &resized, nil
}

// resizePositions resizes the position embeddings of the patches and keeps those of the
// tokens before them.
func resizePositions(all []float32, from, to Config, method PosResize) ([]float32, error) {
	prefix := all[:from.positionPrefix()*from.Dim]
	patches, err := ResizePosEmbed(all[len(prefix):], from.Dim, from.Grid(), to.Grid(), method)
	if err != nil {
		return nil, err
	}
	return slices.Concat(prefix, patches), nil
}

func resizeWarning(from, to Config, method PosResize) string {
	a, b := from.Grid(), to.Grid()
	return fmt.Sprintf("position embeddings resized from a grid of %d×%d to %d×%d patches (%v): the model was made for pictures of %d×%d, these are %d×%d",
		a[0], a[1], b[0], b[1], method, from.ImageSize[0], from.ImageSize[1], to.ImageSize[0], to.ImageSize[1])
}

// PosResize is the method by which the layout's own library resizes position embeddings.
func (m *Model) PosResize() PosResize { return m.resize }
