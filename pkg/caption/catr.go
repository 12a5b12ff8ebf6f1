package caption

import (
	"fmt"
	"regexp"
	"strings"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// catrRules turn Gaze's names into CATR's, applied one after the other.
var catrRules = []struct {
	pattern *regexp.Regexp
	becomes string
}{
	{regexp.MustCompile(`^backbone/`), "backbone.0.body."},
	{regexp.MustCompile(`/block_(\d+)/`), "/$1/"},
	{regexp.MustCompile(`/down/conv/`), "/downsample/0/"},
	{regexp.MustCompile(`/down/bn/`), "/downsample/1/"},
	{regexp.MustCompile(`/(mean|var)$`), "/running_$1"},
	{regexp.MustCompile(`^project/`), "input_proj/"},
	{regexp.MustCompile(`^(encoder|decoder)_(\d+)/`), "transformer/$1/layers/$2/"},
	{regexp.MustCompile(`^(encoder|decoder)_norm/`), "transformer/$1/norm/"},
	{regexp.MustCompile(`/self/`), "/self_attn/"},
	{regexp.MustCompile(`/cross/`), "/multihead_attn/"},
	{regexp.MustCompile(`/in/(weight|bias)$`), "/in_proj_$1"},
	{regexp.MustCompile(`/out/`), "/out_proj/"},
	{regexp.MustCompile(`/mlp/fc([12])/`), "/linear$1/"},
	{regexp.MustCompile(`^words$`), "transformer/embeddings/word_embeddings/weight"},
	{regexp.MustCompile(`^positions$`), "transformer/embeddings/position_embeddings/weight"},
	{regexp.MustCompile(`^embed_norm/`), "transformer/embeddings/LayerNorm/"},
	{regexp.MustCompile(`^head_(\d+)/`), "mlp/layers/$1/"},
	{regexp.MustCompile(`/`), "."},
}

// catrName is what CATR calls a parameter.
func catrName(ours string) string {
	for _, r := range catrRules {
		ours = r.pattern.ReplaceAllString(ours, r.becomes)
	}
	return ours
}

// catrIgnored says whether a tensor isn't a weight: batch norms that weren't frozen when
// the checkpoint was written have counters.
func catrIgnored(name string) bool { return strings.HasSuffix(name, ".num_batches_tracked") }

// shapeReader reads the shapes from which the configuration is inferred. It keeps an error
// for the first that is missing.
type shapeReader struct {
	file *weights.File
	err  error
}

// of is the shape of a parameter that must have rank dimensions.
func (r *shapeReader) of(ours string, rank int) []int {
	t, ok := r.file.Tensor(catrName(ours))
	if !ok || len(t.Shape) != rank {
		if r.err == nil {
			r.err = fmt.Errorf("it isn't a captioner: there is no %s of %d dimensions (its tensors: %s)", catrName(ours), rank, nn.FirstNames(r.file.Names(), 4))
		}
		return make([]int, rank)
	}
	return t.Shape
}

// count is how many of a numbered parameter there are.
func (r *shapeReader) count(format string) int {
	for n := 0; ; n++ {
		if _, ok := r.file.Tensor(catrName(fmt.Sprintf(format, n))); !ok {
			return n
		}
	}
}

// inferCATR infers the configuration from the shapes in a file with CATR's names.
func inferCATR(file *weights.File) (Config, error) {
	r := &shapeReader{file: file}
	c := CATR()
	words := r.of("words", 2)
	c.Vocab, c.Dim = words[0], words[1]
	c.Heads = max(1, c.Dim/32)
	c.MaxPositions = r.of("positions", 2)[0]
	c.Hidden = r.of("decoder_0/mlp/fc1/weight", 2)[0]
	c.EncoderLayers = r.count("encoder_%d/norm1/weight")
	c.DecoderLayers = r.count("decoder_%d/norm1/weight")
	c.HeadHidden = nil
	for i := range r.count("head_%d/weight") - 1 {
		c.HeadHidden = append(c.HeadHidden, r.of(fmt.Sprintf("head_%d/weight", i), 2)[0])
	}
	b := backbone.Config{Kind: backbone.ResNet, Width: r.of("backbone/conv1/weight", 4)[0]}
	for i := range b.Depths {
		b.Depths[i] = r.count(fmt.Sprintf("backbone/layer%d/block_%%d/conv1/weight", i+1))
	}
	b.Bottleneck = r.count("backbone/layer1/block_%d/conv3/weight") > 0
	b.Dilate = b.Bottleneck
	c.Backbone = b
	if r.err == nil {
		r.err = c.Validate()
	}
	return c, r.err
}
