package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/backend"
	"gaze/pkg/weights"
)

func TestMain(m *testing.M) {
	os.Setenv("GAZE_COMPILED", "off")
	os.Exit(m.Run())
}

// network is a layer as a graph, and the inputs that it is differentiated by.
type network struct {
	name   string
	inputs [][]int
	build  func(x []*Node) *Node
}

var networks = []network{
	{"linear", [][]int{{2, 5, 24}, {40, 24}}, func(x []*Node) *Node { return Linear{Weight: x[1]}.Apply(x[0]) }},
	{"of a matrix", [][]int{{7, 24}, {40, 24}, {40}}, func(x []*Node) *Node { return Linear{Weight: x[1], Bias: x[2]}.Apply(x[0]) }},
	{"with bias and residual", [][]int{{2, 5, 24}, {40, 24}, {40}, {2, 5, 40}}, func(x []*Node) *Node {
		return Linear{Weight: x[1], Bias: x[2], Residual: x[3]}.Apply(x[0])
	}},
	{"with a scale", [][]int{{2, 5, 24}, {40, 24}, {40}, {40}, {2, 5, 40}}, func(x []*Node) *Node {
		return Linear{Weight: x[1], Bias: x[2], Scale: x[3], Residual: x[4]}.Apply(x[0])
	}},
	{"with a norm", [][]int{{2, 5, 24}, {40, 24}, {24}, {24}}, func(x []*Node) *Node {
		return Linear{Weight: x[1], Norm: &Norm{x[2], x[3], 1e-3}}.Apply(x[0])
	}},
	{"with all", [][]int{{2, 5, 24}, {24, 24}, {24}, {24}, {24}}, func(x []*Node) *Node {
		return Linear{Weight: x[1], Bias: x[2], Norm: &Norm{x[3], x[4], 1e-3}, Residual: x[0]}.Apply(x[0])
	}},
	{"GELU", [][]int{{3, 24}, {8, 24}, {8}}, func(x []*Node) *Node { return Linear{Weight: x[1], Bias: x[2], Activation: GELU}.Apply(x[0]) }},
	{"GELU by tanh", [][]int{{3, 24}, {8, 24}}, func(x []*Node) *Node { return Linear{Weight: x[1], Activation: GELUTanh}.Apply(x[0]) }},
	{"quick GELU", [][]int{{3, 24}, {8, 24}}, func(x []*Node) *Node { return Linear{Weight: x[1], Activation: QuickGELU}.Apply(x[0]) }},
	{"ReLU", [][]int{{3, 24}, {8, 24}, {8}, {3, 8}}, func(x []*Node) *Node {
		return Linear{Weight: x[1], Bias: x[2], Activation: ReLU, Residual: x[3]}.Apply(x[0])
	}},
	{"norm", [][]int{{3, 7, 24}, {24}, {24}}, func(x []*Node) *Node { return Norm{x[1], x[2], 1e-6}.Apply(x[0]) }},
	{"a norm without beta", [][]int{{3, 7, 24}, {24}}, func(x []*Node) *Node { return Norm{Gamma: x[1], Epsilon: 1e-6}.Apply(x[0]) }},
	{"with a norm without parameters", [][]int{{2, 5, 24}, {40, 24}}, func(x []*Node) *Node {
		return Linear{Weight: x[1], Norm: &Norm{Epsilon: 1e-3}}.Apply(x[0])
	}},
	{"attention", [][]int{{2, 9, 72}}, func(x []*Node) *Node { return Attention{QKV: x[0], Heads: 3}.Output() }},
	{"attention of two queries", [][]int{{2, 9, 72}}, func(x []*Node) *Node { return Attention{QKV: x[0], Heads: 3, Queries: 2}.Output() }},
	{"convolution", [][]int{{2, 9, 10, 8}, {3, 3, 8, 24}, {24}, {24}, {2, 9, 10, 24}}, func(x []*Node) *Node {
		return Convolution{Kernel: x[1], Padding: [2][2]int{{1, 1}, {1, 1}}, Scale: x[2], Shift: x[3], Residual: x[4], ReLU: true}.Apply(x[0])
	}},
	{"convolution, dilated", [][]int{{2, 9, 10, 8}, {3, 3, 8, 24}}, func(x []*Node) *Node {
		return Convolution{Kernel: x[1], Dilation: 2, Padding: [2][2]int{{2, 2}, {2, 2}}}.Apply(x[0])
	}},
	{"convolution with a stride", [][]int{{2, 18, 19, 8}, {3, 3, 8, 24}}, func(x []*Node) *Node {
		return Convolution{Kernel: x[1], Stride: 2, Padding: [2][2]int{{0, 1}, {1, 0}}}.Apply(x[0])
	}},
	{"convolution of patches", [][]int{{2, 24, 30, 8}, {3, 3, 8, 32}}, func(x []*Node) *Node {
		return Convolution{Kernel: x[1], Stride: 3}.Apply(x[0])
	}},
	{"convolution of pixels", [][]int{{2, 9, 10, 8}, {1, 1, 8, 24}}, func(x []*Node) *Node {
		return Convolution{Kernel: x[1], Stride: 2, ReLU: true}.Apply(x[0])
	}},
	{"a block", [][]int{{2, 9, 24}, {72, 24}, {24}, {24}, {24, 24}, {48, 24}, {24, 48}}, func(x []*Node) *Node {
		qkv := Linear{Weight: x[1], Norm: &Norm{x[2], x[3], 1e-6}}.Apply(x[0])
		y := Linear{Weight: x[4], Residual: x[0]}.Apply(Attention{QKV: qkv, Heads: 2}.Output())
		return Linear{Weight: x[6], Activation: GELU, Residual: y}.Apply(Linear{Weight: x[5], Norm: &Norm{x[2], x[3], 1e-6}}.Apply(y))
	}},
	{"a block computed again", [][]int{{2, 9, 24}, {72, 24}, {24}, {24}, {24, 24}}, func(x []*Node) *Node {
		in := x[0].Checkpoint()
		qkv := Linear{Weight: x[1], Norm: &Norm{x[2], x[3], 1e-6}}.Apply(in)
		return Linear{Weight: x[4], Residual: in}.Apply(Attention{QKV: qkv, Heads: 2}.Output()).StopCheckpoint()
	}},
}

// TestKernels compares what kernels give, and the gradients by every input, with what
// GoMLX's operations give.
func TestKernels(t *testing.T) {
	b := kernelBackend(t)
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			got := n.run(t, b, firstOrder)
			without = true
			defer func() { without = false }()
			nearAll(t, got, n.run(t, b, firstOrder))
		})
	}
}

// TestHigherDerivatives compares gradients of gradients with those of GoMLX's operations
// on the Go backend, which compiles them in no time.
func TestHigherDerivatives(t *testing.T) {
	b, pure := kernelBackend(t), backends(t)[0]
	orders := map[string]outputs{
		"with a scale": secondOrder, "with all": secondOrder, "quick GELU": thirdOrder, "norm": secondOrder,
		"attention of two queries": secondOrder, "a block computed again": secondOrder,
	}
	for _, n := range networks {
		order := orders[n.name]
		if order == nil {
			continue
		}
		delete(orders, n.name)
		t.Run(n.name, func(t *testing.T) {
			got, by := n.run(t, b, order), pure
			if strings.Contains(n.name, "again") {
				// GoMLX can't differentiate a copy of the Go backend's own softmax.
				without, by = true, b
				defer func() { without = false }()
			}
			nearAll(t, got, n.run(t, by, order))
		})
	}
	if len(orders) > 0 {
		t.Errorf("there are no networks for %v", orders)
	}
}

// kernelBackend is the process's backend, if it has kernels.
func kernelBackend(t *testing.T) compute.Backend {
	t.Helper()
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	if !backend.Kernels(b) {
		t.Skip("there are no kernels here: ", b.Name())
	}
	return b
}

// outputs builds what is compared of a network's result and its inputs.
type outputs func(y *Node, x []*Node) []*Node

// firstOrder is the result y, and the gradients of what it gives for a fixed weighting.
func firstOrder(y *Node, x []*Node) []*Node {
	weights := Sin(AddScalar(Iota(y.Graph(), y.Shape(), y.Rank()-1), 0.5))
	return append([]*Node{y}, Gradient(ReduceAllSum(Mul(y, weights)), x...)...)
}

// secondOrder is the gradients of the sum of the first order's squares.
func secondOrder(y *Node, x []*Node) []*Node {
	first := firstOrder(y, x)[1:]
	return append(first, Gradient(sumOfSquares(first), x...)...)
}

// thirdOrder is the gradients of the sum of the second order's squares.
func thirdOrder(y *Node, x []*Node) []*Node {
	return Gradient(sumOfSquares(secondOrder(y, x)[len(x):]), x...)
}

func sumOfSquares(nodes []*Node) *Node {
	sum := ReduceAllSum(Square(nodes[0]))
	for _, n := range nodes[1:] {
		sum = Add(sum, ReduceAllSum(Square(n)))
	}
	return sum
}

// run gives the outputs for drawn inputs.
func (n network) run(t *testing.T, b compute.Backend, build outputs) [][]float32 {
	t.Helper()
	random := rand.New(rand.NewPCG(3, uint64(len(n.name))))
	var inputs []any
	for _, dims := range n.inputs {
		inputs = append(inputs, drawn(random, dims))
	}
	exec, err := NewExec(b, func(x []*Node) []*Node {
		return build(n.build(x), x)
	})
	if err != nil {
		t.Fatal(err)
	}
	results, err := exec.Call(inputs...)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]float32
	for _, r := range results {
		all = append(all, tensors.MustCopyFlatData[float32](r))
	}
	return all
}

func drawn(random *rand.Rand, dims []int) *tensors.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(0.4 * random.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(data, dims...)
}

func nearAll(t *testing.T, got, want [][]float32) {
	t.Helper()
	for i := range want {
		near(t, fmt.Sprint("output ", i), got[i], want[i])
	}
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d numbers, want %d", what, len(got), len(want))
	}
	greatest, worst := 1.0, 0.0
	for i := range want {
		greatest = max(greatest, math.Abs(float64(want[i])))
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= worst) {
			worst = d
		}
	}
	if !(worst <= 5e-6*greatest) {
		t.Errorf("%s is off by %.2g, the greatest is %.2g", what, worst, greatest)
	}
}

// TestShapes checks that what doesn't fit is told when the graph is built, with kernels
// and without.
func TestShapes(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { without = false }()
	for _, n := range []network{
		{"weight", [][]int{{2, 5, 24}, {40, 23}}, func(x []*Node) *Node { return Linear{Weight: x[1]}.Apply(x[0]) }},
		{"bias", [][]int{{2, 5, 24}, {40, 24}, {1}}, func(x []*Node) *Node { return Linear{Weight: x[1], Bias: x[2]}.Apply(x[0]) }},
		{"scale", [][]int{{2, 5, 24}, {40, 24}, {24}}, func(x []*Node) *Node { return Linear{Weight: x[1], Scale: x[2]}.Apply(x[0]) }},
		{"residual in another order", [][]int{{2, 5, 24}, {40, 24}, {5, 2, 40}}, func(x []*Node) *Node { return Linear{Weight: x[1], Residual: x[2]}.Apply(x[0]) }},
		{"residual for all", [][]int{{2, 5, 24}, {40, 24}, {1, 5, 40}}, func(x []*Node) *Node { return Linear{Weight: x[1], Residual: x[2]}.Apply(x[0]) }},
		{"gamma", [][]int{{2, 24}, {12}, {24}}, func(x []*Node) *Node { return Norm{x[1], x[2], 1e-6}.Apply(x[0]) }},
		{"beta of a linear layer", [][]int{{2, 24}, {8, 24}, {24}, {8}}, func(x []*Node) *Node {
			return Linear{Weight: x[1], Norm: &Norm{x[2], x[3], 1e-6}}.Apply(x[0])
		}},
	} {
		for _, without = range []bool{false, true} {
			exec, err := NewExec(b, n.build)
			if err != nil {
				t.Fatal(err)
			}
			var inputs []any
			for _, dims := range n.inputs {
				inputs = append(inputs, drawn(rand.New(rand.NewPCG(1, 1)), dims))
			}
			if _, err := exec.Call(inputs...); err == nil || !strings.Contains(err.Error(), "nn: a ") {
				t.Errorf("%s, without kernels: %v: %v, want what doesn't fit", n.name, without, err)
			}
		}
	}
}

// TestProbabilities checks that all queries' rows, and some alone, are what mixes values.
func TestProbabilities(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := NewExec(b, func(qkv *Node) []*Node {
		a := Attention{QKV: qkv, Heads: 3}
		all := a.Probabilities()
		value := TransposeAllDims(Reshape(SliceAxis(qkv, 2, AxisRange(48, 72)), 2, 9, 3, 8), 0, 2, 1, 3)
		mixed := Einsum("bhqk,bhkd->bqhd", all, value)
		return []*Node{ReduceSum(all, -1), Sub(a.QueryProbabilities(2, 5), SliceAxis(all, 2, AxisRange(2, 5))), Sub(Reshape(mixed, 2, 9, 24), a.Output())}
	})
	if err != nil {
		t.Fatal(err)
	}
	results, err := exec.Call(drawn(rand.New(rand.NewPCG(1, 2)), []int{2, 9, 72}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1, 0, 0} {
		for _, x := range tensors.MustCopyFlatData[float32](results[i]) {
			if !(math.Abs(float64(x)-want) < 2e-6) {
				t.Fatalf("result %d: %g, want %g", i, x, want)
			}
		}
	}
}

// TestPackedWeights checks that packed weights give what weights as they are give.
func TestPackedWeights(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	const out, in = 75, 24
	if !backend.PacksWeights(b, out, in) {
		t.Skip("weights aren't packed here")
	}
	random := rand.New(rand.NewPCG(8, 8))
	x, weight := drawn(random, []int{2, 5, in}), drawn(random, []int{out, in})
	values := tensors.MustCopyFlatData[float32](weight)
	packed := make([]float32, backend.PackedRows(out)*in)
	backend.PackWeights(packed, values, out, in)
	exec, err := NewExec(b, func(x, weight, packed *Node) *Node {
		scale := AddScalar(Iota(x.Graph(), shapes.Make(x.DType(), out), 0), 1)
		return Sub(Linear{Weight: weight, Scale: scale}.Apply(x), Linear{Weight: packed, Packed: true, Out: out, Scale: scale}.Apply(x))
	})
	if err != nil {
		t.Fatal(err)
	}
	results, err := exec.Call(x, weight, tensors.FromFlatDataAndDimensions(packed, backend.PackedRows(out), in))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range tensors.MustCopyFlatData[float32](results[0]) {
		if !(math.Abs(float64(d)) < 1e-4) { // of numbers up to 300
			t.Fatalf("a number differs by %g", d)
		}
	}
}

// TestPackedKernel checks that uploaded packed kernels give what kernels in torch's order give,
// on all backends that pack them.
func TestPackedKernel(t *testing.T) {
	b := kernelBackend(t)
	random := rand.New(rand.NewPCG(9, 8))
	for _, size := range []int{1, 3} {
		const out, in = 32, 5
		if !backend.PacksWeights(b, out, in*size*size) {
			t.Skip("weights aren't packed here")
		}
		shape := []int{out, in, size, size}
		list := []Param{{"conv/weight", shape}}
		ps := Parameters{"conv/weight": Own(weights.NewTensor("conv/weight", shape, tensors.MustCopyFlatData[float32](drawn(random, shape))))}
		x, all := drawn(random, []int{2, 7, 9, in}), [2][]float32{}
		for i, how := range []Arrangement{TorchOrder, PackedKernel} {
			up, err := ps.Upload(b, list, func(Param) Arrangement { return how })
			if err != nil {
				t.Fatal(err)
			}
			store, programs := model.NewStore(), NewPrograms(b, 1)
			up.AddTo(store)
			results, err := Run(programs, store, "convolve", func(scope *model.Scope, x *Node) *Node {
				around := Convolution{Stride: 2, Padding: [2][2]int{{size / 2, size / 2}, {size / 2, size / 2}}, ReLU: true}
				around.Shift = AddScalar(Iota(x.Graph(), shapes.Make(x.DType(), out), 0), -16)
				return NewVariables(scope, x, 0, Training{}).Convolve("conv", x, out, size, around)
			}, x)
			if err != nil {
				t.Fatal(err)
			}
			all[i] = tensors.MustCopyFlatData[float32](results[0])
			programs.Close()
			if err := up.Free(); err != nil {
				t.Error(err)
			}
		}
		for i, want := range all[0] {
			if len(all[1]) != len(all[0]) || !(math.Abs(float64(all[1][i]-want)) < 1e-5) {
				t.Fatalf("size %d: number %d of %d is %g, want %g", size, i, len(all[1]), all[1][i], want)
			}
		}
	}
}

// TestConvolutionsThatDoNotFit checks that shapes that don't fit are refused.
func TestConvolutionsThatDoNotFit(t *testing.T) {
	b := goBackend(t)
	for name, c := range map[string]struct {
		x, kernel []int
		around    Convolution
	}{
		"channels": {[]int{1, 4, 4, 3}, []int{3, 3, 2, 5}, Convolution{}},
		"rank":     {[]int{4, 4, 3}, []int{3, 3, 3, 5}, Convolution{}},
		"size":     {[]int{1, 4, 4, 3}, []int{5, 5, 3, 5}, Convolution{}},
		"dilation": {[]int{1, 4, 4, 3}, []int{3, 3, 3, 5}, Convolution{Dilation: 2}},
		"padding":  {[]int{1, 4, 4, 3}, []int{3, 3, 3, 5}, Convolution{Padding: [2][2]int{{-1, 3}, {0, 0}}}},
		"packed":   {[]int{1, 4, 4, 3}, []int{3, 3, 3, 5}, Convolution{Packed: true}},
	} {
		_, err := ExecOnce(b, func(x, kernel *Node) *Node {
			c.around.Kernel = kernel
			return c.around.Apply(x)
		}, drawn(rand.New(rand.NewPCG(1, 1)), c.x), drawn(rand.New(rand.NewPCG(1, 2)), c.kernel))
		if err == nil {
			t.Errorf("%s: there is no error", name)
		}
	}
}

// TestGoBackendName keeps convolutions on the Go backend from falling back, silently, to its
// own slow ones.
func TestGoBackendName(t *testing.T) {
	if name := goBackend(t).Name(); name != goBackendName {
		t.Errorf("the Go backend calls itself %q", name)
	}
}

// TestFewRows compares layers of few rows, and their gradients, with those that don't ask for
// another kernel.
func TestFewRows(t *testing.T) {
	b := kernelBackend(t)
	for _, rows := range [][]int{{1, 1, 24}, {3, 5, 24}, {2, 8, 24}} {
		exec, err := NewExec(b, func(x, weight *Node) []*Node {
			bias := Iota(x.Graph(), shapes.Make(x.DType(), 40), 0)
			var all []*Node
			for _, few := range []bool{true, false} {
				y := Linear{Weight: weight, Bias: bias, Activation: QuickGELU, FewRows: few}.Apply(x)
				all = append(append(all, y), Gradient(ReduceAllSum(Mul(y, y)), x, weight)...)
			}
			return all
		})
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(9, 9))
		results, err := exec.Call(drawn(random, rows), drawn(random, []int{40, 24}))
		if err != nil {
			t.Fatal(err)
		}
		for r := range 3 {
			want := tensors.MustCopyFlatData[float32](results[r+3])
			for i, v := range tensors.MustCopyFlatData[float32](results[r]) {
				if !(math.Abs(float64(v-want[i])) < 1e-5*(1+math.Abs(float64(want[i])))*40) {
					t.Fatalf("%v, result %d: %g, want %g", rows, r, v, want[i])
				}
			}
		}
	}
}

// TestNoFusedAttention checks that a backend without attention of its own is no failure;
// cuDNN's needs a GPU.
func TestNoFusedAttention(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16} {
		exec, err := NewExec(b, func(qkv *Node) *Node {
			a := Attention{QKV: qkv, Heads: 3}
			if a.fused(dtype) != nil {
				t.Errorf("%s has attention of its own, of %s", b.Name(), dtype)
			}
			a.BFloat16 = dtype == dtypes.BFloat16
			return a.Output()
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := exec.Call(drawn(rand.New(rand.NewPCG(1, 2)), []int{2, 9, 72})); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoGradient checks that what has no gradient says why, and what to do.
func TestNoGradient(t *testing.T) {
	for _, c := range []struct {
		says  string
		build func(x *Node) *Node
	}{
		{"packed weights have no gradient", func(x *Node) *Node {
			return Linear{Weight: x, Packed: true}.kernel(x)
		}},
		{"no gradient for calls of functions", func(x *Node) *Node {
			f := NewFunction(x.Graph(), "square", func(g *Graph) []*Node { return []*Node{Square(Parameter(g, "x", x.Shape()))} })
			return f.Call(x)[0]
		}},
	} {
		exec, err := NewExec(kernelBackend(t), func(x *Node) *Node { return Gradient(ReduceAllSum(c.build(x)), x)[0] })
		if err == nil {
			_, err = exec.Call(drawn(rand.New(rand.NewPCG(1, 2)), []int{16, 16}))
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want one that says %q", err, c.says)
		}
	}
}

// TestPadGradient checks the gradients of padding on every side and between numbers.
func TestPadGradient(t *testing.T) {
	exec, err := NewExec(backends(t)[0], func(x, fill *Node) []*Node {
		y := Pad(x, fill, PadAxis{Start: 1, End: 2}, PadAxis{Start: 2, Interior: 1})
		weights := OnePlus(IotaFull(y.Graph(), y.Shape())) // 5 rows of 7 columns: 1, 2, ...
		return Gradient(ReduceAllSum(Mul(y, weights)), x, fill)
	})
	if err != nil {
		t.Fatal(err)
	}
	results, err := exec.Call(drawn(rand.New(rand.NewPCG(1, 2)), []int{2, 3}), float32(0))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the gradient by the operand", tensors.MustCopyFlatData[float32](results[0]), []float32{10, 12, 14, 17, 19, 21})
	near(t, "the gradient by what fills", tensors.MustCopyFlatData[float32](results[1]), []float32{35*36/2 - 93})
}

// TestRefused checks that what doesn't fit panics while the graph is built.
func TestRefused(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, build := range map[string]func(x, w *Node) *Node{
		"another width":               func(x, w *Node) *Node { return Linear{Weight: w}.Apply(SliceAxis(x, 1, AxisRange(0, 3))) },
		"norm and activation":         func(x, w *Node) *Node { return Linear{Weight: w, Norm: &Norm{x, x, 1}, Activation: GELU}.Apply(x) },
		"an unknown activation":       func(x, w *Node) *Node { return Activation(9).Apply(x) },
		"more queries than there are": func(x, w *Node) *Node { return Attention{QKV: Reshape(x, 1, 4, 12), Heads: 2, Queries: 5}.Output() },
		"heads that don't share":      func(x, w *Node) *Node { return Attention{QKV: Reshape(x, 1, 4, 12), Heads: 5}.Output() },
	} {
		exec, err := NewExec(b, func(x, w *Node) *Node { return build(x, w) })
		if err == nil {
			_, err = exec.Call(drawn(rand.New(rand.NewPCG(1, 2)), []int{4, 12}), drawn(rand.New(rand.NewPCG(1, 2)), []int{6, 12}))
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
