//go:build cgo && linux && !noxla && (amd64 || arm64)

package kernelstest

/*
#cgo CFLAGS: -O3 -std=c11 -D_GNU_SOURCE
#include "kernelstest.h"
*/
import "C"

import (
	"runtime"
	"unsafe"

	"gaze/internal/xla/kernels"
)

func init() { C.kernelstest_functions = (*C.kernel_functions)(kernels.Functions()) }

// Set is the kernels for one instruction set.
type Set struct {
	Name  string
	index C.int
}

// Sets are the kernels that run on this processor, and skipped the names of the others.
func Sets() (sets []Set, skipped []string) {
	for i := C.int(0); ; i++ {
		name := C.kernelstest_set_name(i)
		if name == nil {
			return sets, skipped
		}
		if C.kernelstest_runs(i) {
			sets = append(sets, Set{C.GoString(name), i})
		} else {
			skipped = append(skipped, C.GoString(name))
		}
	}
}

// Unit is what computes a product.
type Unit C.int

// Unit is what computes products with the set.
func (s Set) Unit() Unit { return Unit(s.index) }

// The other units: tiles, and tiles emulated on one thread.
const (
	AMX         Unit = C.ON_AMX
	EmulatedAMX Unit = C.ON_EMULATED_AMX
)

// HasAMX says whether this processor has AMX tiles.
func HasAMX() bool { return bool(C.kernelstest_has_amx()) }

// Matrix is a matrix whose element (i, j) is Data[i*RowStride+j*ColStride].
type Matrix struct {
	Data                 []float32
	RowStride, ColStride int
}

// At is an element.
func (m Matrix) At(i, j int) float64 { return float64(m.Data[i*m.RowStride+j*m.ColStride]) }

// Windows are what a convolution's kernel meets in pictures, as a matrix: see gemm.h.
type Windows struct {
	Pictures                                                                                             []float32
	Rows, Columns, Channels, KernelRows, KernelColumns, OutRows, OutColumns, Stride, Dilation, Top, Left int
}

// GEMM is a product C [M, N] = A·B with its prologue and epilogue, as in fusion.h. What is nil is
// left out.
type GEMM struct {
	A, B       Matrix
	BPacked    bool
	FewRows    bool
	M, N, K    int
	C          []float32
	Activation int
	Epsilon    float32

	Gamma, Beta, PreActivation, Activated, Bias, Scale, Shift, Residual, RowSums []float32
	ReLU                                                                         bool
	ResultActivation                                                             int

	Windows *Windows // instead of A
}

// Run computes the product. It returns false if memory ran out.
func (g *GEMM) Run(threads int, unit Unit) bool {
	var pin runtime.Pinner
	defer pin.Unpin()
	c := &C.gemm{
		a: matrixOf(&pin, g.A), b: matrixOf(&pin, g.B), b_packed: C.bool(g.BPacked), few_rows: C.bool(g.FewRows), c: floats(&pin, g.C),
		m: C.int64_t(g.M), n: C.int64_t(g.N), k: C.int64_t(g.K),
		fusion: C.fusion{
			gamma: floats(&pin, g.Gamma), beta: floats(&pin, g.Beta), epsilon: C.float(g.Epsilon), activation: C.int(g.Activation),
			pre_activation: floats(&pin, g.PreActivation), activated: floats(&pin, g.Activated),
			bias: floats(&pin, g.Bias), scale: floats(&pin, g.Scale), residual: floats(&pin, g.Residual), row_sums: floats(&pin, g.RowSums),
			shift: floats(&pin, g.Shift), relu: C.bool(g.ReLU), result_activation: C.int(g.ResultActivation),
		},
	}
	if w := g.Windows; w != nil {
		c.windows = &C.windows{
			pictures: floats(&pin, w.Pictures), rows: C.int64_t(w.Rows), columns: C.int64_t(w.Columns), channels: C.int64_t(w.Channels),
			kernel_rows: C.int64_t(w.KernelRows), kernel_columns: C.int64_t(w.KernelColumns), out_rows: C.int64_t(w.OutRows), out_columns: C.int64_t(w.OutColumns),
			stride: C.int64_t(w.Stride), dilation: C.int64_t(w.Dilation), top: C.int64_t(w.Top), left: C.int64_t(w.Left),
		}
		pin.Pin(c.windows)
	}
	return bool(C.kernelstest_gemm(c, C.int(threads), C.int(unit)))
}

func matrixOf(pin *runtime.Pinner, m Matrix) C.matrix {
	return C.matrix{data: floats(pin, m.Data), row_stride: C.int64_t(m.RowStride), col_stride: C.int64_t(m.ColStride)}
}

func floats(pin *runtime.Pinner, data []float32) *C.float {
	if data == nil {
		return nil
	}
	p := unsafe.SliceData(data)
	pin.Pin(p)
	return (*C.float)(p)
}

// Attention is the attention of the first queries or, with the gradient for that, the gradient
// for qkv. ok is false if memory ran out.
func (s Set) Attention(qkv, dout []float32, batch, tokens, heads, dim, queries, threads int) (result []float32, ok bool) {
	var pin runtime.Pinner
	defer pin.Unpin()
	a := &C.attention{
		qkv: floats(&pin, qkv), dout: floats(&pin, dout),
		batch: C.int64_t(batch), tokens: C.int64_t(tokens), heads: C.int64_t(heads), dim: C.int64_t(dim), queries: C.int64_t(queries),
	}
	if dout == nil {
		result = make([]float32, batch*queries*heads*dim)
		a.out = floats(&pin, result)
	} else {
		result = make([]float32, len(qkv))
		for i := range result {
			result[i] = 7 // every number has to be set
		}
		a.dqkv = floats(&pin, result)
	}
	return result, bool(C.kernelstest_attention(s.index, a, C.int(threads)))
}

// LayerNorm is the layer norm of x's rows or, with the gradient dy for that, the gradients for x,
// gamma and beta. ok is false if memory ran out.
func (s Set) LayerNorm(x, gamma, beta, dy []float32, epsilon float32, threads int) (result, dgamma, dbeta []float32, ok bool) {
	var pin runtime.Pinner
	defer pin.Unpin()
	n := len(gamma)
	result, dgamma, dbeta = make([]float32, len(x)), make([]float32, n), make([]float32, n)
	l := &C.layer_norm{
		x: floats(&pin, x), gamma: floats(&pin, gamma), beta: floats(&pin, beta), epsilon: C.float(epsilon),
		rows: C.int64_t(len(x) / n), n: C.int64_t(n), y: floats(&pin, result), dy: floats(&pin, dy),
		dx: floats(&pin, result), dgamma: floats(&pin, dgamma), dbeta: floats(&pin, dbeta),
	}
	return result, dgamma, dbeta, bool(C.kernelstest_layer_norm(s.index, l, C.int(threads)))
}

// Exp stands for e^x in [Set.Activation].
const Exp = -1

// Activation is the values and derivatives of an activation function at x.
func (s Set) Activation(function int, x []float32) (values, derivatives []float32) {
	values, derivatives = make([]float32, len(x)), make([]float32, len(x))
	C.kernelstest_activation(s.index, C.int(function), (*C.float)(unsafe.SliceData(x)), (*C.float)(unsafe.SliceData(values)), (*C.float)(unsafe.SliceData(derivatives)), C.int64_t(len(x)))
	return values, derivatives
}
