package transform

// Buffers is the memory that a worker reuses from picture to picture, so that a
// pipeline in steady state allocates nothing: two pictures that steps write to
// in turn, scratch rows, resampling coefficients, a tensor. The zero value is
// ready. It serves one goroutine at a time.
type Buffers struct {
	images [2]Image
	rand   Rand
	sums   []int32
	wide   []int32
	floats []float32
	coords []float64
	bytes  []uint8
	kernel []float32
	tensor Tensor

	histogram [256]int
	table     [256]uint8

	scales scaleTable
	taps   [tapsKept]taps
	oldest int // the next of taps to be replaced
}

// tapsKept is how many tables of coefficients are kept: two for each size and
// filter in use. Random crops need new ones all the time, in the same memory.
const tapsKept = 16

// image returns a picture of the given size that isn't busy. Its content is
// whatever was there.
func (b *Buffers) image(busy *Image, width, height, channels int) *Image {
	out := &b.images[0]
	if out == busy {
		out = &b.images[1]
	}
	out.Pix = resized(out.Pix, width*height*channels)
	out.Width, out.Height, out.Channels = width, height, channels
	return out
}

// like returns a picture of the same size and channels as im, which isn't im.
func (b *Buffers) like(im *Image) *Image { return b.image(im, im.Width, im.Height, im.Channels) }

// resized returns s with n elements of undefined content, in the same memory if
// there is enough.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// coefficients returns the resampling coefficients, computed or kept.
func (b *Buffers) coefficients(in, out int, f Filter) *taps {
	for i := range b.taps {
		if t := &b.taps[i]; t.in == in && t.out == out && t.filter == f {
			return t
		}
	}
	t := &b.taps[b.oldest]
	b.oldest = (b.oldest + 1) % tapsKept
	t.compute(in, out, f)
	return t
}

// step is a picture step that works in reused memory: the result is im itself
// or one of the buffers' pictures.
type step interface {
	ImageOp
	apply(b *Buffers, im *Image) (*Image, error)
}

// run applies any picture step.
func (b *Buffers) run(op ImageOp, im *Image) (*Image, error) {
	if s, ok := op.(step); ok {
		return s.apply(b, im)
	}
	return op.Apply(im)
}

// fresh applies a step so that the result shares no memory with anything.
func fresh(s step, im *Image) (*Image, error) {
	out, err := s.apply(new(Buffers), im)
	if err != nil {
		return nil, err
	}
	return separate(out, im), nil
}

// separate turns a result of reused memory, or im itself, into a picture of its
// own.
func separate(out, im *Image) *Image {
	c := *out
	if out == im {
		c.Pix = append([]uint8(nil), im.Pix...)
	}
	return &c
}
