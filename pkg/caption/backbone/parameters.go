package backbone

import (
	"fmt"
	"strings"

	"gaze/pkg/nn"
)

// Frozen says whether a parameter of this name is one that training doesn't change: of a
// frozen batch norm, or of an EfficientNet-Lite.
func Frozen(name string) bool {
	return strings.HasPrefix(name, "bn") || strings.Contains(name, "/bn") || inConv(name)
}

// Parameters lists every parameter of the architecture, in the order in which the graph
// reads them.
func (b Config) Parameters() []nn.Param {
	var l parameterList
	switch b.Kind {
	case ViT:
		return b.ViT.Parameters()
	case EfficientNetLite:
		return b.Conv.Parameters()
	case Given:
		return nil
	case Patch:
		l.patchNet(b)
	default:
		l.resNet(b)
	}
	return l.ParamList
}

// parameterList lists the parameters of the backbones' parts.
type parameterList struct{ nn.ParamList }

func (l *parameterList) resNet(b Config) {
	l.Add("conv1/weight", b.Width, 3, 7, 7)
	l.frozenNorm("bn1", b.Width)
	in := b.Width
	for layer, depth := range b.Depths {
		for i := range depth {
			at := fmt.Sprintf("layer%d/block_%d/", layer+1, i)
			stride, _ := b.blockStride(layer, i)
			in = l.resNetBlock(at, b, in, b.Width<<layer, stride, i == 0)
		}
	}
}

// resNetBlock appends the parameters of a block and returns the channels of its output.
func (l *parameterList) resNetBlock(at string, b Config, in, n, stride int, first bool) int {
	out := n * b.expansion()
	shapes := [][3]int{{n, in, 3}, {n, n, 3}} // out, in, size of each convolution
	if b.Bottleneck {
		shapes = [][3]int{{n, in, 1}, {n, n, 3}, {out, n, 1}}
	}
	for i, s := range shapes {
		l.Add(fmt.Sprintf("%sconv%d/weight", at, i+1), s[0], s[1], s[2], s[2])
		l.frozenNorm(fmt.Sprintf("%sbn%d", at, i+1), s[0])
	}
	if first && b.shortcut(in, out, stride) {
		l.Add(at+"down/conv/weight", out, in, 1, 1)
		l.frozenNorm(at+"down/bn", out)
	}
	return out
}

func (l *parameterList) frozenNorm(name string, n int) {
	for _, what := range []string{"weight", "bias", "mean", "var"} {
		l.Add(name+"/"+what, n)
	}
}

func (l *parameterList) patchNet(b Config) {
	in, size := 3, b.PatchSize
	for i, s := range b.Stages {
		at := fmt.Sprintf("stage_%d/", i)
		l.Add(at+"conv/weight", s.Channels, in, size, size)
		l.Add(at+"conv/bias", s.Channels)
		for j := range s.Blocks {
			block := fmt.Sprintf("%sblock_%d/", at, j)
			l.Norm(block+"norm", s.Channels)
			for _, conv := range []string{"conv1", "conv2"} {
				l.Add(block+conv+"/weight", s.Channels, s.Channels, 3, 3)
				l.Add(block+conv+"/bias", s.Channels)
			}
		}
		in, size = s.Channels, 3
	}
	l.Norm("norm", in)
}
