package caption

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// parity is how far a result may be from PyTorch's, relative to the greatest
// value of its array.
const parity = 1e-4

// goldenPictures is the pictures of a golden case laid into one frame:
// [batch, 3, height, width].
func goldenPictures(name string, sizes [][2]int) (data []float32, height, width int) {
	for _, s := range sizes {
		height, width = max(height, s[0]), max(width, s[1])
	}
	data = make([]float32, len(sizes)*3*height*width)
	for i, s := range sizes {
		u := stream(fmt.Sprintf("%s picture %d", name, i), 3*s[0]*s[1])
		for row := range 3 * s[0] {
			at := ((i*3+row/s[0])*height + row%s[0]) * width
			copy(data[at:], u[row*s[1]:(row+1)*s[1]])
		}
	}
	return data, height, width
}

func pairs(flat []int) [][2]int {
	var list [][2]int
	for i := 0; i+1 < len(flat); i += 2 {
		list = append(list, [2]int{flat[i], flat[i+1]})
	}
	return list
}

// TestGolden runs the small models against PyTorch: memory, positions, logits,
// every layer's attention, on each backend.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.npz"))
	if err != nil || len(files) < 6 {
		t.Fatalf("golden cases %v (%v): tools/golden/caption.py makes them", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".npz")
		if name == "full" {
			continue
		}
		for i, b := range testBackends(t) {
			if i > 0 && name != "resnet_padded" && name != "patch" { // two are enough to see that XLA computes the same
				continue
			}
			t.Run(name+"/"+b.Name(), func(t *testing.T) { compareGolden(t, b, name) })
		}
	}
}

func compareGolden(t *testing.T, b compute.Backend, name string) {
	cfg, g := readConfig(t, name), openGolden(t, name)
	n, err := newNetwork(b, drawnModel(t, cfg), false)
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	flatSizes, _ := g.ints("sizes")
	sizes := pairs(flatSizes)
	images, height, width := goldenPictures(name, sizes)
	padding := cfg.GridPadding(sizes, height, width)
	wantPadding, _ := g.ints("padding")
	for i, p := range padding {
		if p != (wantPadding[i] == 1) {
			t.Fatalf("padding of cell %d is %v", i, p)
		}
	}
	ids, shape := g.ints("tokens")
	tokens, pads := make([]int32, len(ids)), make([]bool, len(ids))
	for i, id := range ids {
		row, at := i/shape[1], i%shape[1]
		tokens[i], pads[i] = int32(id), row == 0 && at >= shape[1]-2
	}
	grid := cfg.Grid(height, width)
	var names []string
	results, err := run(n, "golden", func(scope *model.Scope, images, padding, tokens, pads *Node) []*Node {
		m := Encode(scope, cfg, images, padding)
		d := Decode(scope, cfg, m, tokens, pads)
		nodes := []*Node{m.Tokens, m.Positions, d.Logits}
		names = []string{"memory", "positions", "logits"}
		for i, e := range m.Encoder {
			nodes, names = append(nodes, e.Attention.Probabilities()), append(names, fmt.Sprint("encoder_", i))
		}
		for i, l := range d.Layers {
			nodes, names = append(nodes, l.Self, l.Cross), append(names, fmt.Sprint("self_", i), fmt.Sprint("cross_", i))
		}
		return nodes
	}, must(input(n, images, len(sizes), 3, height, width)), must(input(n, padding, len(sizes), grid[0], grid[1])),
		must(input(n, tokens, shape...)), must(input(n, pads, shape...)))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		want, _ := g.floats(names[i])
		if d := relative(t, flat(t, r), want); d > parity {
			t.Errorf("%s: off by %.2g of its range", names[i], d)
		} else if testing.Verbose() {
			t.Logf("%s: off by %.2g", names[i], d)
		}
	}
	if want := len(g.file.Names()) - 4; len(results) != want {
		t.Errorf("%d of the reference's %d arrays were compared", len(results), want)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
