package vit

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/backend"
	"gaze/pkg/nn"
)

func goBackend(t *testing.T) compute.Backend {
	t.Helper()
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// trainingGraph is the nodes of a graph of two blocks that is differentiated by
// its pictures.
func trainingGraph(t *testing.T, b compute.Backend, how nn.Training) []*Node {
	t.Helper()
	cfg, err := ParseConfig("vit:dim=8,depth=2,heads=2,patch=4,size=8")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 3
	g := NewGraph(b, t.Name())
	images := Parameter(g, "images", shapes.Make(dtypes.Float32, 2, 3, 8, 8))
	out := ForwardTraining(model.NewStore().RootScope(), cfg, images, how)
	if dtype := out.Logits.DType(); dtype != dtypes.Float32 {
		t.Errorf("%+v: logits are %s", how, dtype)
	}
	gradient := Gradient(ReduceAllSum(Square(out.Logits)), images)[0]
	if !gradient.Shape().Equal(images.Shape()) {
		t.Errorf("%+v: the gradient is %s", how, gradient.Shape())
	}
	return g.Nodes()
}

// TestTrainingGraph counts what a graph has to compute: with checkpoints each
// block's activation function once more, and in bfloat16 no product
// of anything else.
func TestTrainingGraph(t *testing.T) {
	count := func(nodes []*Node, kind NodeType) (n int) {
		for _, node := range nodes {
			if node.Type() == kind {
				n++
			}
		}
		return n
	}
	b := multiplyingHalf{goBackend(t)}
	plain, again, half := trainingGraph(t, b, nn.Training{}), trainingGraph(t, b, nn.Training{Checkpoint: true}), trainingGraph(t, b, nn.Training{BFloat16: true})
	if before, after := count(plain, NodeTypeErf), count(again, NodeTypeErf); before != 3 || after < 5 {
		t.Errorf("GELU %d times in two blocks, of which the last also for the class token alone, %d times with checkpoints", before, after)
	}
	products := 0
	for _, node := range half {
		if node.Type() == NodeTypeDotGeneral {
			products++
			for _, in := range node.Inputs() {
				if in.DType() != dtypes.BFloat16 {
					t.Errorf("a product of %s", in.Shape())
				}
			}
		}
	}
	// Forward the patches', six of each block, the head's, and five more of the last block
	// for the class token.
	if all := count(plain, NodeTypeDotGeneral); products != all || products < 19 {
		t.Errorf("%d products, in float32 %d", products, all)
	}
	// A backend that can't be relied on for them multiplies the same, rounded, in float32.
	elsewhere := 0
	for _, node := range trainingGraph(t, goBackend(t), nn.Training{BFloat16: true}) {
		if node.Type() == NodeTypeDotGeneral {
			elsewhere++
			for _, in := range node.Inputs() {
				if in.DType() != dtypes.Float32 || !fromHalf(in) {
					t.Errorf("a product of %s that wasn't rounded", in.Shape())
				}
			}
		}
	}
	if elsewhere != products {
		t.Errorf("%d products on the Go backend, elsewhere %d", elsewhere, products)
	}
}

// multiplyingHalf is a backend whose products of bfloat16 can be relied on, as XLA's, for
// graphs that aren't run.
type multiplyingHalf struct{ compute.Backend }

func (multiplyingHalf) PluginName() string { return "" }

// fromHalf says whether a node is a bfloat16's numbers in another order.
func fromHalf(n *Node) bool {
	for n.Type() != NodeTypeConvertDType {
		if t := n.Type(); t != NodeTypeReshape && t != NodeTypeTranspose {
			return false
		}
		n = n.Inputs()[0]
	}
	return n.Inputs()[0].DType() == dtypes.BFloat16
}

// TestTrainingRefuses factors of another number.
func TestTrainingRefuses(t *testing.T) {
	cfg, err := ParseConfig("vit:dim=8,depth=2,heads=2,patch=4,size=8")
	if err != nil {
		t.Fatal(err)
	}
	g := NewGraph(goBackend(t), t.Name())
	images := Parameter(g, "images", shapes.Make(dtypes.Float32, 2, 3, 8, 8))
	err = exceptions.TryCatch[error](func() {
		ForwardTraining(model.NewStore().RootScope(), cfg, images, nn.Training{DropPath: Ones(g, shapes.Make(dtypes.Float32, 3, 2))})
	})
	if err == nil {
		t.Error("three factors for two blocks")
	}
}
