package transform

// HFlip mirrors left and right.
type HFlip struct{}

// String is the step's text.
func (HFlip) String() string { return "hflip" }

// Apply mirrors the picture.
func (f HFlip) Apply(im *Image) (*Image, error) { return fresh(f, im) }

func (HFlip) apply(b *Buffers, im *Image) (*Image, error) {
	out := b.like(im)
	n := im.Channels
	stride := im.Width * n
	for y := range im.Height {
		mirrorRow(out.Pix[y*stride:(y+1)*stride], im.Pix[y*stride:(y+1)*stride], n)
	}
	return out, nil
}

func mirrorRow(dst, src []uint8, n int) {
	if n == 3 {
		for i := mirror3(dst, src); i+3 <= len(src); i += 3 {
			s, d := src[i:i+3:i+3], dst[len(dst)-3-i:][:3]
			d[0], d[1], d[2] = s[0], s[1], s[2]
		}
		return
	}
	for i := 0; i < len(dst); i += n {
		copy(dst[i:i+n], src[len(src)-n-i:])
	}
}

// VFlip mirrors top and bottom.
type VFlip struct{}

// String is the step's text.
func (VFlip) String() string { return "vflip" }

// Apply mirrors the picture.
func (f VFlip) Apply(im *Image) (*Image, error) { return fresh(f, im) }

func (VFlip) apply(b *Buffers, im *Image) (*Image, error) {
	out := b.like(im)
	stride := im.Width * im.Channels
	for y := range im.Height {
		copy(out.Pix[y*stride:(y+1)*stride], im.Pix[(im.Height-1-y)*stride:])
	}
	return out, nil
}

// Identity leaves a picture unchanged. A random step that isn't applied is drawn as an
// Identity.
type Identity struct{}

// String is the step's text.
func (Identity) String() string { return "identity" }

// Apply copies the picture.
func (i Identity) Apply(im *Image) (*Image, error) { return fresh(i, im) }

func (Identity) apply(_ *Buffers, im *Image) (*Image, error) { return im, nil }
