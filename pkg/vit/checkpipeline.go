package vit

import (
	"errors"
	"fmt"

	"gaze/pkg/transform"
)

// CheckPipeline says why the pictures that a pipeline prepares can't be the
// model's: no tensor, another number of channels, means for another number of
// channels, or a size that patches don't divide. It is nil where they can be, and
// where their size depends on the picture, as after resize(256) alone.
func (c Config) CheckPipeline(p transform.Pipeline) error {
	if !p.EndsInTensor() {
		return errors.New("the pipeline must end in a tensor: add '| totensor' and the normalisation")
	}
	channels, height, width, fixed := p.OutputSize()
	if channels > 0 && channels != c.Channels {
		hint := ""
		if c.Channels == 1 || c.Channels == 3 {
			hint = fmt.Sprintf(" (grayscale(%d) makes that many)", c.Channels)
		}
		return fmt.Errorf("the pipeline makes pictures of %d channels, the model takes %d%s", channels, c.Channels, hint)
	}
	if channels > 0 {
		if err := p.CheckChannels(channels); err != nil {
			return err
		}
	}
	if !fixed {
		return nil
	}
	patch := c.PatchSize
	if patch[0] <= 0 || patch[1] <= 0 || height%patch[0] == 0 && width%patch[1] == 0 {
		return nil
	}
	low := [2]int{below(height, patch[0]), below(width, patch[1])}
	high := [2]int{above(height, patch[0]), above(width, patch[1])}
	near := fmt.Sprintf("%d×%d or %d×%d", low[0], low[1], high[0], high[1])
	if low == high {
		near = fmt.Sprintf("%d×%d", low[0], low[1])
	}
	return fmt.Errorf("the pipeline makes pictures of %d×%d pixels, which can't be cut into patches of %d×%d: the nearest sizes that can are %s",
		height, width, patch[0], patch[1], near)
}

// below and above are the nearest multiples of a patch's side; there is none below
// one patch.
func below(size, patch int) int { return max(patch, size-size%patch) }
func above(size, patch int) int { return (size + patch - 1) / patch * patch }
