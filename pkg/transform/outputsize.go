package transform

// OutputSize is the size of what the pipeline makes of an RGB picture: channels,
// height and width. fixed is false where that depends on the picture or on what is
// drawn, as after resize(256) alone; the numbers then mean nothing.
//
// Random steps that aren't this package's are taken to keep the size unless they
// implement [Sizer].
func (p Pipeline) OutputSize() (channels, height, width int, fixed bool) {
	e := extent{channels: 3}
	for _, op := range p {
		e = e.after(op)
	}
	fixed = e.channels > 0 && e.height > 0 && e.width > 0
	return e.channels, e.height, e.width, fixed
}

// extent is a picture's channels, height and width; 0 where they aren't known.
type extent struct{ channels, height, width int }

// after is the extent of what a step makes of a picture of extent e.
func (e extent) after(op Op) extent {
	switch op := op.(type) {
	case Chance:
		return e.maybe(op)
	case Sequence:
		for _, step := range op {
			e = e.after(step)
		}
	case Grayscale:
		if op.Channels > 0 {
			e.channels = op.Channels
		}
	case Background:
		e.channels = 3
	case RandomCrop:
		e.height, e.width = op.Height, op.Width
	case RandomResizedCrop:
		e.height, e.width = op.Height, op.Width
	case RandomRotation:
		if op.Expand {
			e.height, e.width = 0, 0
		}
	case ResizeTo, Crop, CenterCrop, CenterCropFloor, CenterCropFill:
		e.width, e.height = op.(Sizer).Output(0, 0)
	case Sizer:
		if e.height == 0 || e.width == 0 {
			return extent{channels: e.channels}
		}
		e.width, e.height = op.Output(e.width, e.height)
	}
	return e
}

// maybe is the extent after a step that happens at random: what it would be
// either way, where that is the same.
func (e extent) maybe(c Chance) extent {
	then := e.after(c.Op)
	switch {
	case c.P >= 1:
		return then
	case c.P <= 0:
		return e
	case then.channels != e.channels:
		e.channels = 0
	}
	if then.height != e.height || then.width != e.width {
		e.height, e.width = 0, 0
	}
	return e
}

// ShortSide is the length of the shorter side of every picture that the pipeline makes,
// where it brings that to a length and leaves the other to the picture's shape, as
// resize(256) does; 0 where that isn't so.
func (p Pipeline) ShortSide() int {
	short := 0
	for _, op := range p {
		switch op := op.(type) {
		case ResizeShort:
			short = op.Size
		case Sequence:
			steps := make(Pipeline, len(op))
			for i, step := range op {
				steps[i] = step
			}
			if inner := steps.ShortSide(); inner > 0 || steps.resizes() {
				short = inner
			}
		default:
			if (Pipeline{op}).resizes() {
				short = 0
			}
		}
	}
	return short
}

// resizes tells whether any step may change a picture's size.
func (p Pipeline) resizes() bool {
	for _, op := range p {
		switch op := op.(type) {
		case Chance:
			if (Pipeline{op.Op}).resizes() {
				return true
			}
		case Sequence:
			for _, step := range op {
				if (Pipeline{step}).resizes() {
					return true
				}
			}
		case RandomCrop, RandomResizedCrop:
			return true
		case RandomRotation:
			if op.Expand {
				return true
			}
		case Sizer:
			return true
		}
	}
	return false
}
