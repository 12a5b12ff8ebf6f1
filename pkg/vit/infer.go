package vit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// shapesOf is the shapes of a file's parameters under Gaze's names.
type shapesOf map[string][]int

// dim is an axis of a parameter, 0 where there is none.
func (s shapesOf) dim(name string, axis int) int {
	if shape, ok := s[name]; ok && axis < len(shape) {
		return shape[axis]
	}
	return 0
}

func (s shapesOf) has(name string) bool { _, ok := s[name]; return ok }

// inferConfig reads the configuration from the parameters' shapes, with the
// layout's defaults for what they can't tell and file's word, where there is a
// configuration file, for what it says. warnings name what was assumed.
func inferConfig(t *table, s shapesOf, file *configFile) (c Config, resize PosResize, warnings []string, err error) {
	patch := s["patch/weight"]
	if len(patch) != 4 {
		return c, 0, nil, fmt.Errorf("the patch embedding has shape %v, not [dim, channels, height, width]", patch)
	}
	stem, warnings, err := inferStem(s, file)
	if err != nil {
		return c, 0, nil, err
	}
	c = Config{
		Dim: patch[0], Channels: patch[1], PatchSize: [2]int{patch[2], patch[3]}, Stem: stem,
		PatchBias:  s.has("patch/bias"),
		ClassToken: s.has("class_token"), DistToken: s.has("dist_token"), Registers: s.dim("registers", 1),
		QKVBias: s.has("block_0/attn/qkv/bias"), LayerScale: s.has("block_0/scale1"),
		MLPDim:  s.dim("block_0/mlp/fc2/weight", 1),
		PreNorm: s.has("pre_norm/weight"), FinalNorm: s.has("norm/weight"), PoolNorm: s.has("pool_norm/weight"),
		Representation: s.dim("pre_logits/weight", 0), Classes: s.dim("head/weight", 0),
	}
	if stem != nil {
		c.Channels = 3
		c.PatchSize = [2]int{patch[2] * stem.Stride(), patch[3] * stem.Stride()}
	}
	for name := range s {
		if rest, ok := strings.CutPrefix(name, "block_"); ok {
			index, _, _ := strings.Cut(rest, "/")
			if i, err := strconv.Atoi(index); err == nil && i < maxDepth {
				c.Depth = max(c.Depth, i+1)
			}
		}
	}
	resize = t.defaults(&c)
	if c.MLPDim > 0 && s.dim("block_0/mlp/fc1/weight", 0) == 2*c.MLPDim {
		c.Activation = SwiGLU
	}
	switch {
	case s.has("head_dist/weight"):
		c.Pool = PoolClassDist
	case c.PoolNorm || !c.ClassToken:
		c.Pool = PoolMean
	case c.Classes > 0 && c.Representation == 0 && s.dim("head/weight", 1) == 2*c.Dim:
		c.Pool = PoolClassMean
	}
	if err := file.apply(&c); err != nil {
		return c, 0, nil, err
	}
	if eps, ok := file.saidEps(); ok {
		c.NormEps = eps
	}
	if heads := file.saidHeads(); c.Heads == 0 && heads > 0 {
		c.Heads = heads
	}
	if c.Heads == 0 {
		if c.Heads, err = headsOf(c.Dim); err != nil {
			if file.present() {
				err = fmt.Errorf("a width of %d doesn't tell the number of heads: add num_attention_heads to %s", c.Dim, file.path)
			}
			return c, 0, nil, err
		}
		switch {
		case !file.present():
			warnings = append(warnings, assumed(t.layout, c))
		case file.text("architecture") == "": // timm's functions take the usual number
			warnings = append(warnings, fmt.Sprintf("%s doesn't say how many heads: took %s, as is usual for width %d", file.path, counted(c.Heads, "head"), c.Dim))
		}
	}
	if err := inferPositions(&c, s.dim("positions", 1)); err != nil {
		return c, 0, nil, err
	}
	return c, resize, warnings, c.Validate()
}

// assumed says what is taken for granted where there is no configuration file.
func assumed(layout Layout, c Config) string {
	return fmt.Sprintf("there is no config.json beside the weights: took %s and a LayerNorm epsilon of %g, the usual values for a width of %d in the %s layout", counted(c.Heads, "head"), c.NormEps, c.Dim, layout)
}

// saidHeads is the number of heads that whole pickled modules give, 0 if none do.
func (f *configFile) saidHeads() int {
	if f == nil {
		return 0
	}
	n, _ := asSize(f.said["heads"])
	return n
}

// saidEps is the epsilon that whole pickled modules give, unless a configuration does.
func (f *configFile) saidEps() (float64, bool) {
	if f == nil {
		return 0, false
	}
	eps, ok := f.said["eps"]
	_, told := f.number("layer_norm_eps", "eps", "norm_eps")
	return eps, ok && !told && eps > 0 && eps < 1
}

// maxDepth bounds the block numbers that are believed.
const maxDepth = 1000

// headsOf is the number of heads that models of a width have. Heads are 64 wide
// but in the largest models.
func headsOf(dim int) (int, error) {
	switch dim {
	case 1152, 1280, 1408, 1664: // SO400M, H, g, G of "Scaling Vision Transformers"
		return 16, nil
	}
	if dim%64 != 0 {
		return 0, fmt.Errorf("a width of %d doesn't tell the number of heads: put a config.json with num_attention_heads beside the weights", dim)
	}
	return dim / 64, nil
}

// inferPositions finds which tokens have position embeddings, and the picture's
// size where no configuration file told it, from their number n.
func inferPositions(c *Config, n int) error {
	classes := c.Prefix() - c.Registers
	candidates := []struct {
		kind  Positions
		extra int
	}{{PositionsClass, classes}, {PositionsAll, c.Prefix()}, {PositionsPatches, 0}}
	known := c.ImageSize != [2]int{}
	for _, try := range candidates {
		patches := n - try.extra
		if known && c.checkImageSize() == nil && patches == c.Patches() {
			c.Positions = try.kind
			return nil
		}
	}
	// Some configuration files give the size of fine-tuning; the embeddings are
	// right about their own grid, if that is a square.
	for _, try := range candidates {
		side := int(math.Round(math.Sqrt(float64(n - try.extra))))
		if side > 0 && side*side == n-try.extra {
			c.Positions = try.kind
			c.ImageSize = [2]int{side * c.PatchSize[0], side * c.PatchSize[1]}
			return nil
		}
	}
	return fmt.Errorf("%d position embeddings don't make a square grid: put a config.json with image_size [height, width] beside the weights", n)
}

// counted is a number of things, as "1 head" or "12 heads".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
