package vit

import (
	"errors"
	"fmt"

	"gaze/pkg/transform"
)

// CheckPipeline says why the pictures that a pipeline prepares can't be the
// model's: no tensor, another number of channels, means for another number of
// channels, or a size that patches don't divide. It is nil where they can be, and
// where their size depends on the picture, unless no picture's can be.
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
	patch := c.PatchSize
	if !fixed {
		return checkShortSide(p.ShortSide(), patch)
	}
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

// checkShortSide refuses a side that patches don't divide whichever way a picture lies.
func checkShortSide(short int, patch [2]int) error {
	if short == 0 || patch[0] <= 0 || patch[1] <= 0 || short%patch[0] == 0 || short%patch[1] == 0 {
		return nil
	}
	near := fmt.Sprintf("%d or %d", below(short, patch[0]), above(short, patch[0]))
	if short < patch[0] {
		near = fmt.Sprint(patch[0])
	}
	return fmt.Errorf("the pipeline makes pictures whose short side is %d pixels, which can't be cut into patches of %d×%d: use %s, and crop the other side to a size that can",
		short, patch[0], patch[1], near)
}

// below and above are the nearest multiples of a patch's side; there is none below
// one patch.
func below(size, patch int) int { return max(patch, size-size%patch) }
func above(size, patch int) int { return (size + patch - 1) / patch * patch }
