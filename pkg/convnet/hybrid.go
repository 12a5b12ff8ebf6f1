package convnet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Infer finds a network from the shapes of its parameters. A [ResNetV2] is told by them. Of
// an EfficientNet-Lite they don't tell the strides, which are taken to be the published
// ones, nor the output stride, which is taken to be 32, nor how maps are padded and the
// epsilon, which are taken to be those of TensorFlow's weights; assumed says so. Shapes that
// make no network are an error.
func Infer(shapes map[string][]int) (c Config, assumed string, err error) {
	if _, ok := shapes["stem/conv/weight"]; ok {
		c, err = inferFromOurs(shapes)
		assumed = "strides, padding and epsilon of the published EfficientNet-Lite, and an output stride of 32"
	} else {
		c, err = inferResNet(shapes)
	}
	if err == nil {
		err = c.Check()
	}
	return c, assumed, err
}

// axis is the size of a parameter along an axis; 0 if there is none.
func axis(shapes map[string][]int, name string, i int) int {
	if s := shapes[name]; i < len(s) {
		return s[i]
	}
	return 0
}

// blocksOf counts the stages and the blocks of each, up to the first that isn't there. part
// is a parameter that every block has.
func blocksOf(shapes map[string][]int, part string) []int {
	var list []int
	for i := 0; ; i++ {
		n := 0
		for shapes[fmt.Sprintf("stage_%d/block_%d/%s", i, n, part)] != nil {
			n++
		}
		if n == 0 {
			return list
		}
		list = append(list, n)
	}
}

func inferResNet(shapes map[string][]int) (Config, error) {
	r := &ResNet{Width: axis(shapes, "root/conv/weight", 0)}
	if r.Width == 0 {
		return Config{}, errors.New("convnet: the tensors aren't those of a network that is known: neither an EfficientNet's first convolution nor a ResNet's is among them")
	}
	for i, n := range blocksOf(shapes, "conv3/weight") {
		r.Stages = append(r.Stages, ResNetStage{n, axis(shapes, fmt.Sprintf("stage_%d/block_0/conv3/weight", i), 0)})
	}
	return Config{Kind: ResNetV2, ResNet: r}, nil
}

// inferFromOurs is inferTimm of shapes under Gaze's names.
func inferFromOurs(shapes map[string][]int) (Config, error) {
	expands := func(stage, block string) bool {
		return shapes[fmt.Sprintf("stage_%s/block_%s/expand/conv/weight", stage, block)] != nil
	}
	renamed := map[string][]int{}
	for name, shape := range shapes {
		renamed[TimmName(name, expands, false)] = shape
	}
	c, _, err := inferTimm(renamed)
	if err != nil {
		err = fmt.Errorf("convnet: %w", err)
	}
	return c, err
}

// CheckShapes returns an error unless the shapes are those of the network's parameters.
func (c Config) CheckShapes(shapes map[string][]int) error {
	list := c.Parameters()
	known := map[string]bool{}
	for _, p := range list {
		known[p.Name] = true
		have, ok := shapes[p.Name]
		if !ok {
			return fmt.Errorf("convnet: %s is missing", p.Name)
		}
		if !slices.Equal(have, p.Shape) {
			return fmt.Errorf("convnet: %s has shape %v, not %v", p.Name, have, p.Shape)
		}
	}
	var more []string
	for name := range shapes {
		if !known[name] {
			more = append(more, name)
		}
	}
	if len(more) > 0 {
		slices.Sort(more)
		return fmt.Errorf("convnet: the network has no %s", strings.Join(more[:min(len(more), 4)], ", "))
	}
	return nil
}
