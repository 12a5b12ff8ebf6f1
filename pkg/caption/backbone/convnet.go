package backbone

import (
	"errors"
	"fmt"

	"gaze/pkg/convnet"
)

// ConvNetOf is a network of package convnet as a backbone for pictures that are resized to
// squares of side pixels, without its classifier: its last map is the features of the cells.
// Pictures are normalised as the network's own pipeline does.
func ConvNetOf(m *convnet.Model, side int) (Config, error) {
	cfg := m.Config
	b := Config{Kind: ConvNet, Conv: &cfg, Side: side}
	p, err := m.Preprocessing()
	if err != nil {
		return b, fmt.Errorf("backbone: %w", err)
	}
	tensor, normalize := p.Scaling()
	if tensor.Scale != 0 {
		return b, fmt.Errorf("backbone: the network's pictures are made by %s: only totensor can be carried out here", tensor)
	}
	b.Mean, b.Std = normalize.Mean, normalize.Std
	return b, b.validateConvNet()
}

func (b Config) validateConvNet() error {
	if b.Conv == nil {
		return errors.New("a convolutional network without a configuration")
	}
	if err := b.Conv.Check(); err != nil {
		return err
	}
	if b.Side < b.Conv.Stride() || b.Side > maxSide {
		return fmt.Errorf("pictures of %d pixels: they must have %d to %d", b.Side, b.Conv.Stride(), maxSide)
	}
	return b.validateNorm()
}

// validateNorm checks the channels' means and deviations.
func (b Config) validateNorm() error {
	if len(b.Mean) != len(b.Std) || len(b.Mean) != 0 && len(b.Mean) != 1 && len(b.Mean) != 3 {
		return fmt.Errorf("pictures normalised by %d means and %d deviations", len(b.Mean), len(b.Std))
	}
	for _, s := range b.Std {
		if !(s > 0) {
			return fmt.Errorf("pictures normalised by a deviation of %g", s)
		}
	}
	return nil
}

func (b Config) validateGiven() error {
	if b.Values < 1 || b.Values > maxWidth || min(b.Cells[0], b.Cells[1]) < 1 || max(b.Cells[0], b.Cells[1]) > maxSide || b.CellStride < 1 || b.CellStride > maxSide {
		return fmt.Errorf("given features of %d values in %d×%d cells of %d pixels: all must be at least 1", b.Values, b.Cells[0], b.Cells[1], b.CellStride)
	}
	return nil
}
