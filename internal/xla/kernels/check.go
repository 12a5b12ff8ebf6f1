//go:build cgo && linux && !noxla && amd64

package kernels

/*
#include "check.h"
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// What follows runs kernels without XLA, for tests: cgo isn't to be had in their files.

// view is a matrix whose element (i, j) is at data[i*row+j*col].
type view struct {
	data     []float32
	row, col int
}

func (v view) at(i, j int) float64 { return float64(v.data[i*v.row+j*v.col]) }

// maker is what makes a product.
type maker C.int

const (
	byVectors       maker = C.BY_VECTORS
	byTiles         maker = C.BY_TILES
	byEmulatedTiles maker = C.BY_EMULATED_TILES
)

// direct is a product with what is around it; what is nil isn't there.
type direct struct {
	left, right                                       view
	packed                                            bool
	m, n, k                                           int
	gamma, beta                                       []float32
	epsilon                                           float32
	activation                                        int
	slopeAt, values, bias, scale, residual, sums, out []float32
}

func (d *direct) run(threads int, by maker) bool {
	var pin runtime.Pinner
	defer pin.Unpin()
	p := &C.product{
		left: matrixOf(&pin, d.left), right: matrixOf(&pin, d.right), packed: C.bool(d.packed), out: floats(&pin, d.out),
		m: C.int64_t(d.m), n: C.int64_t(d.n), k: C.int64_t(d.k),
		around: C.around{
			gamma: floats(&pin, d.gamma), beta: floats(&pin, d.beta), epsilon: C.float(d.epsilon), activation: C.int(d.activation),
			slope_at: floats(&pin, d.slopeAt), values: floats(&pin, d.values),
			bias: floats(&pin, d.bias), scale: floats(&pin, d.scale), residual: floats(&pin, d.residual), sums: floats(&pin, d.sums),
		},
	}
	return bool(C.gaze_check_product(p, C.int(threads), C.int(by)))
}

func matrixOf(pin *runtime.Pinner, v view) C.matrix {
	return C.matrix{data: floats(pin, v.data), row: C.int64_t(v.row), col: C.int64_t(v.col)}
}

func floats(pin *runtime.Pinner, data []float32) *C.float {
	if data == nil {
		return nil
	}
	p := unsafe.SliceData(data)
	pin.Pin(p)
	return (*C.float)(p)
}

// attend gives what attention of the first so many queries does, or the gradient with
// respect to qkv.
func attend(qkv, gradient []float32, batch, tokens, heads, dim, queries, threads int) ([]float32, bool) {
	var pin runtime.Pinner
	defer pin.Unpin()
	a := &C.attention{
		qkv: floats(&pin, qkv), gradient: floats(&pin, gradient),
		batch: C.int64_t(batch), tokens: C.int64_t(tokens), heads: C.int64_t(heads), dim: C.int64_t(dim), queries: C.int64_t(queries),
	}
	var out []float32
	if gradient == nil {
		out = make([]float32, batch*queries*heads*dim)
		a.mixed = floats(&pin, out)
	} else {
		out = make([]float32, len(qkv))
		for i := range out {
			out[i] = 7 // all of it is to be set
		}
		a.qkv_gradient = floats(&pin, out)
	}
	return out, bool(C.gaze_check_attention(a, C.int(threads)))
}

// normalize gives rows normalised or, with a gradient, those with respect to x, gamma
// and beta.
func normalize(x, gamma, beta, gradient []float32, epsilon float32, threads int) (out, onGamma, onBeta []float32, ok bool) {
	var pin runtime.Pinner
	defer pin.Unpin()
	n := len(gamma)
	out, onGamma, onBeta = make([]float32, len(x)), make([]float32, n), make([]float32, n)
	l := &C.norm{
		x: floats(&pin, x), gamma: floats(&pin, gamma), beta: floats(&pin, beta), epsilon: C.float(epsilon),
		rows: C.int64_t(len(x) / n), n: C.int64_t(n), out: floats(&pin, out), gradient: floats(&pin, gradient),
		x_gradient: floats(&pin, out), gamma_gradient: floats(&pin, onGamma), beta_gradient: floats(&pin, onBeta),
	}
	return out, onGamma, onBeta, bool(C.gaze_check_norm(l, C.int(threads)))
}

// activate gives an activation's values and slopes at x; function -1 is e^x.
func activate(function int, x []float32) (values, slopes []float32) {
	values, slopes = make([]float32, len(x)), make([]float32, len(x))
	C.gaze_check_activation(C.int(function), (*C.float)(unsafe.SliceData(x)), (*C.float)(unsafe.SliceData(values)), (*C.float)(unsafe.SliceData(slopes)), C.int64_t(len(x)))
	return values, slopes
}
