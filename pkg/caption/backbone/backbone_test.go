package backbone

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/backend"
	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// testBackends is the Go backend and, where the machine has a plugin, XLA.
func testBackends(t *testing.T) []compute.Backend {
	t.Helper()
	pure, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	usual, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	if usual.Name() == pure.Name() {
		t.Log("no XLA plugin found: only the Go backend is tested")
		return []compute.Backend{pure}
	}
	return []compute.Backend{pure, usual}
}

// features are those of one picture, with their shape, and the names of the parameters
// that the graph has read.
func features(t *testing.T, b compute.Backend, c Config, weights nn.Parameters, height, width int) (values []float32, shape []int, read []string) {
	t.Helper()
	uploaded, err := weights.Upload(b, c.Parameters(), nil)
	if err != nil {
		t.Fatal(err)
	}
	store, programs := model.NewStore(), nn.NewPrograms(b, 1)
	uploaded.AddTo(store)
	defer func() {
		programs.Close()
		if err := uploaded.Free(); err != nil {
			t.Error(err)
		}
	}()
	picture := make([]float32, 3*height*width)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range picture {
		picture[i] = 2*r.Float32() - 1
	}
	image, err := nn.Input(b, picture, 1, 3, height, width)
	if err != nil {
		t.Fatal(err)
	}
	defer nn.Free(image)
	out, err := nn.Run(programs, store, "features", func(scope *model.Scope, images *Node) *Node {
		read = nil
		f := c.Features(nn.NewVariables(scope, images, 1e-5, nn.Training{}), images)
		for v := range store.IterVariables() {
			if v.InUseByGraph(images.Graph()) {
				read = append(read, strings.TrimPrefix(v.Path(), "/"))
			}
		}
		return f
	}, image)
	if err != nil {
		t.Fatal(err)
	}
	defer nn.Free(out...)
	if values, err = tensors.CopyFlatData[float32](out[0]); err != nil {
		t.Fatal(err)
	}
	return values, out[0].Shape().Dimensions, read
}

// drawn is weights for a configuration: norms near one, all else so that features neither
// vanish nor grow.
func drawn(c Config) nn.Parameters {
	all := nn.Parameters{}
	for i, p := range c.Parameters() {
		r := rand.New(rand.NewPCG(3, uint64(i)))
		scale, shift := 0.1, 0.0
		switch {
		case len(p.Shape) > 1:
			scale = math.Sqrt(3 / float64(p.Len()/p.Shape[0]))
		case strings.HasSuffix(p.Name, "/weight"), strings.HasSuffix(p.Name, "/var"):
			shift = 1
		}
		values := make([]float32, p.Len())
		for k := range values {
			values[k] = float32(shift + scale*(2*r.Float64()-1))
		}
		all[p.Name] = nn.Own(weights.NewTensor(p.Name, p.Shape, values))
	}
	return all
}

// TestFeatures checks for each kind of backbone that its graph reads the parameters that
// are listed and no others, that features have the channels and the grid that the
// configuration promises, and that XLA computes what the Go backend does.
func TestFeatures(t *testing.T) {
	onViT, err := ViTOf(smallViT(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name          string
		config        Config
		height, width int
	}{
		{"two convolutions a block", Config{Kind: ResNet, Depths: [4]int{1, 2, 1, 1}, Width: 2}, 40, 70},
		{"three, dilated", Config{Kind: ResNet, Depths: [4]int{1, 1, 1, 2}, Width: 2, Bottleneck: true, Dilate: true}, 40, 70},
		{"patches", Config{Kind: Patch, PatchSize: 4, Stages: []Stage{{6, 1}, {10, 2}}}, 21, 30},
		{"Vision Transformer", onViT, 16, 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.config.Validate(); err != nil {
				t.Fatal(err)
			}
			weights := drawn(c.config)
			var listed []string
			for _, p := range c.config.Parameters() {
				listed = append(listed, p.Name)
			}
			slices.Sort(listed)
			grid := c.config.Grid(c.height, c.width)
			var first []float32
			for _, b := range testBackends(t) {
				values, shape, read := features(t, b, c.config, weights, c.height, c.width)
				if want := []int{1, grid[0], grid[1], c.config.Channels()}; !slices.Equal(shape, want) {
					t.Errorf("%s: features of shape %v, want %v", b.Name(), shape, want)
				}
				if slices.Sort(read); !slices.Equal(read, listed) {
					t.Errorf("%s: the graph reads %v, listed are %v", b.Name(), read, listed)
				}
				if first == nil {
					first = values
				}
				worst, largest := 0.0, 0.0
				for i, v := range values {
					worst = max(worst, math.Abs(float64(v-first[i])))
					largest = max(largest, math.Abs(float64(first[i])))
				}
				if !(largest > 0.1) || !(worst <= 1e-4*largest) {
					t.Errorf("%s: features up to %g are off from the first backend's by up to %g", b.Name(), largest, worst)
				}
			}
		})
	}
}

// TestFrozen checks which parameters of a ResNet training leaves alone.
func TestFrozen(t *testing.T) {
	var got []string
	for _, p := range (Config{Kind: ResNet, Depths: [4]int{1, 1, 1, 1}, Width: 2}).Parameters() {
		if Frozen(p.Name) {
			got = append(got, p.Name)
		}
	}
	var want []string
	norms := []string{"bn1"}
	for layer := 1; layer <= 4; layer++ {
		at := fmt.Sprintf("layer%d/block_0/", layer)
		norms = append(norms, at+"bn1", at+"bn2")
		if layer > 1 {
			norms = append(norms, at+"down/bn")
		}
	}
	for _, n := range norms {
		want = append(want, n+"/weight", n+"/bias", n+"/mean", n+"/var")
	}
	if !slices.Equal(got, want) {
		t.Errorf("frozen are %v, want %v", got, want)
	}
	for _, p := range (Config{Kind: Patch, PatchSize: 4, Stages: []Stage{{6, 1}, {10, 2}}}).Parameters() {
		if Frozen(p.Name) {
			t.Errorf("%s of a patch network is frozen", p.Name)
		}
	}
}
