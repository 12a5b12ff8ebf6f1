package backbone

import (
	"errors"
	"fmt"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/convnet"
)

// ConvOf is an EfficientNet-Lite as a backbone, without its classifier. It is frozen:
// training a captioner doesn't change it. Pictures keep their shape and are normalised as
// the network's own pipeline does; one that scales them to another range than 0 to 1 is an
// error.
func ConvOf(m *convnet.Model) (Config, error) {
	cfg := m.Config
	b := Config{Kind: cfg.Kind, Conv: &cfg}
	p, err := m.Preprocessing()
	if err != nil {
		return b, fmt.Errorf("backbone: %w", err)
	}
	tensor, normalize := p.Scaling()
	if tensor.Scale != 0 {
		return b, fmt.Errorf("backbone: the network's pictures are made by %s: only totensor can be carried out here", tensor)
	}
	b.Mean, b.Std = normalize.Mean, normalize.Std
	if b.Kind != EfficientNetLite {
		return b, fmt.Errorf("backbone: a network of kind %q: only %q can be a captioner's", b.Kind, EfficientNetLite)
	}
	return b, b.validateConv()
}

func (b Config) validateConv() error {
	if b.Conv == nil {
		return errors.New("an EfficientNet-Lite without a configuration")
	}
	if b.Conv.Kind != b.Kind {
		return fmt.Errorf("a backbone of kind %q with the configuration of a network of kind %q", b.Kind, b.Conv.Kind)
	}
	if err := b.Conv.Check(); err != nil {
		return err
	}
	if b.Side < 0 || b.Side > maxSide {
		return fmt.Errorf("pictures of %d pixels: there may be 1 to %d, or 0 for pictures that keep their shape", b.Side, maxSide)
	}
	return b.validateScaling()
}

// inConv says whether a parameter of this name is an EfficientNet-Lite's. No other backbone
// has these parts.
func inConv(name string) bool {
	if strings.HasPrefix(name, "stem/") || strings.HasPrefix(name, "head/") {
		return true
	}
	for _, part := range []string{"/expand/", "/depthwise/", "/project/"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// efficientNetLite computes features [batch, rows, columns, channels] of pictures [batch, 3,
// height, width], through which no gradient flows.
func (m module) efficientNetLite(images *Node) *Node {
	return StopGradient(m.cfg.Conv.Features(m.Variables, images))
}
