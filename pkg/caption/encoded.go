package caption

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
	"gaze/pkg/transform"
)

// encoded is encoded pictures on the backend. Each one's cells are padded to the number
// that the largest picture has, so that one decoder program serves all shapes. Cells
// beyond a picture are masked like those that the caller masks: they get no attention.
type encoded struct {
	cells int // with padding
	grids [][2]int
	// layers are keys and values of each decoder layer in turn, [pictures, heads, cells,
	// dim/heads], and then the gist, [pictures, dim], of a captioner that has one.
	layers  []*tensors.Tensor
	padding *tensors.Tensor // bool [pictures, cells]

	summaries [][]float32 // of each picture, to compare with neighbours; nil where there are none
}

func (s *encoded) free() { nn.Free(append(s.layers, s.padding)...) }

// encode encodes pictures one by one and lays them side by side. masked are the cells of
// each that nothing may attend to, nil for none.
func (c *Captioner) encode(inputs []*transform.Tensor, masked [][]bool) (*encoded, error) {
	s := &encoded{cells: c.config.MaxCells()}
	for i, t := range inputs {
		if t.Shape[0] != c.config.Backbone.Inputs() || t.Shape[1] < 1 || t.Shape[2] < 1 || len(t.Data) != t.Shape[0]*t.Shape[1]*t.Shape[2] {
			return nil, fmt.Errorf("picture %d has %d values in shape %v, not [%d, height, width]", i, len(t.Data), t.Shape, c.config.Backbone.Inputs())
		}
		grid := c.config.Grid(t.Shape[1], t.Shape[2])
		s.grids, s.cells = append(s.grids, grid), max(s.cells, grid[0]*grid[1])
	}
	var each [][]*tensors.Tensor
	defer func() {
		for _, layers := range each {
			nn.Free(layers...)
		}
	}()
	for i, t := range inputs {
		layers, err := c.encodeOne(t, s.cells, masked[i])
		if err != nil {
			return nil, err
		}
		if c.memories != nil {
			last := len(layers) - 1
			x, err := tensors.CopyFlatData[float32](layers[last])
			nn.Free(layers[last])
			layers = layers[:last]
			if err != nil {
				nn.Free(layers...)
				return nil, err
			}
			s.summaries = append(s.summaries, x)
		}
		each = append(each, layers)
	}
	if len(each) == 1 {
		s.layers, each = each[0], nil
	} else if err := c.join(s, each); err != nil {
		return nil, err
	}
	var padding []bool
	for i, grid := range s.grids {
		for cell := range s.cells {
			padding = append(padding, cell >= grid[0]*grid[1] || masked[i] != nil && masked[i][cell])
		}
	}
	var err error
	if s.padding, err = input(c.net, padding, len(inputs), s.cells); err != nil {
		s.free()
		return nil, err
	}
	return s, nil
}

// encodeOne computes the keys and values of one picture, padded to cells, then its gist and
// its summary where the captioner has them.
func (c *Captioner) encodeOne(t *transform.Tensor, cells int, masked []bool) ([]*tensors.Tensor, error) {
	image, err := input(c.net, t.Data, 1, t.Shape[0], t.Shape[1], t.Shape[2])
	if err != nil {
		return nil, err
	}
	defer nn.Free(image)
	keys := func(scope *model.Scope, image, masked *Node) []*Node {
		memory := encodeMasked(scope, c.config, image, nil, masked)
		layers := allPictureKeys(scope, c.config, memory)
		zero := Scalar(image.Graph(), image.DType(), 0)
		for i, x := range layers {
			layers[i] = Pad(x, zero, compute.PadAxis{}, compute.PadAxis{}, compute.PadAxis{End: cells - x.Shape().Dim(2)})
		}
		if memory.Gist != nil {
			layers = append(layers, memory.Gist)
		}
		if c.memories != nil {
			layers = append(layers, summary(scope, c.config, memory))
		}
		return layers
	}
	if masked == nil { // a program without a mask, which is faster
		return run(c.net, fmt.Sprint("encode ", t.Shape, cells), func(scope *model.Scope, image *Node) []*Node {
			return keys(scope, image, nil)
		}, image)
	}
	mask, err := input(c.net, masked, 1, len(masked))
	if err != nil {
		return nil, err
	}
	defer nn.Free(mask)
	return run(c.net, fmt.Sprint("encode masked ", t.Shape, cells), keys, image, mask)
}

// join lays the pictures' keys and values side by side, layer by layer.
func (c *Captioner) join(s *encoded, each [][]*tensors.Tensor) error {
	for layer := range each[0] {
		var parts []any
		for _, layers := range each {
			parts = append(parts, layers[layer])
		}
		joined, err := run(c.net, fmt.Sprint("join ", len(each), parts[0].(*tensors.Tensor).Shape()), func(_ *model.Scope, parts []*Node) []*Node {
			return []*Node{Concatenate(parts, 0)}
		}, parts...)
		if err != nil {
			nn.Free(s.layers...)
			return err
		}
		s.layers = append(s.layers, joined[0])
	}
	return nil
}
