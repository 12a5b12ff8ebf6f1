package transform

import (
	"errors"
	"fmt"
	"slices"
)

// randomStep is a random step that can be drawn and applied without allocating.
type randomStep interface {
	RandomOp
	run(b *Buffers, r *Rand, im *Image) (*Image, error)
}

// Image is [Pipeline.ImageAt] in reused memory: the result is valid until the
// buffers are used again, and may be im itself.
func (b *Buffers) Image(p Pipeline, seed, epoch, index uint64, im *Image) (*Image, error) {
	im, _, err := b.pictures(p, seed, epoch, index, im)
	return im, err
}

// pictures runs the steps on pictures and returns their number.
func (b *Buffers) pictures(p Pipeline, seed, epoch, index uint64, im *Image) (*Image, int, error) {
	for i, op := range p {
		var err error
		switch op := op.(type) {
		case randomStep:
			b.rand.reset(seed, epoch, index, uint64(i))
			im, err = op.run(b, &b.rand, im)
		case RandomOp:
			b.rand.reset(seed, epoch, index, uint64(i))
			im, err = b.run(op.Draw(&b.rand, im.Width, im.Height), im)
		case ImageOp:
			im, err = b.run(op, im)
		default:
			return im, i, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", op, err)
		}
	}
	return im, len(p), nil
}

// Tensor is [Pipeline.TensorAt] in reused memory: the result is valid until the
// buffers are used again.
func (b *Buffers) Tensor(p Pipeline, seed, epoch, index uint64, im *Image) (*Tensor, error) {
	if err := b.tensorAt(p, seed, epoch, index, im, nil); err != nil {
		return nil, err
	}
	return &b.tensor, nil
}

// TensorInto is [Pipeline.TensorAt] into the caller's memory, such as a position in a
// batch; dst must have exactly the tensor's size. It returns the tensor's shape
// [channels, height, width].
func (b *Buffers) TensorInto(dst []float32, p Pipeline, seed, epoch, index uint64, im *Image) ([3]int, error) {
	if dst == nil {
		dst = []float32{}
	}
	own := b.tensor.Data
	err := b.tensorAt(p, seed, epoch, index, im, dst)
	b.tensor.Data = own
	return b.tensor.Shape, err
}

var errNoTensor = errors.New("the pipeline doesn't end in a tensor: add '| totensor' and the normalisation")

func (b *Buffers) tensorAt(p Pipeline, seed, epoch, index uint64, im *Image, dst []float32) error {
	im, at, err := b.pictures(p, seed, epoch, index, im)
	if err != nil {
		return err
	}
	t := &b.tensor
	if at == len(p) {
		return errNoTensor
	}
	toTensor, ok := p[at].(ToTensor)
	if !ok {
		return fmt.Errorf("%s: it comes before totensor", p[at])
	}
	t.Shape = [3]int{im.Channels, im.Height, im.Width}
	size := im.Channels * im.Height * im.Width
	if dst != nil && len(dst) != size {
		return fmt.Errorf("a tensor of shape %v doesn't fit in %d numbers", t.Shape, len(dst))
	}
	if dst == nil {
		dst = resized(t.Data, size)
	}
	t.Data = dst
	rest := at + 1
	scales := &b.scales
	if n, ok := next[Normalize](p, rest); ok {
		if err := scales.normalized(toTensor, n, im.Channels); err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
		rest++
	} else {
		scales.plain(toTensor, im.Channels)
	}
	scales.convert(t.Data, im)
	for i := rest; i < len(p); i++ {
		if err := b.tensorStep(p[i], seed, epoch, index, uint64(i)); err != nil {
			return fmt.Errorf("%s: %w", p[i], err)
		}
	}
	return nil
}

// next is the step at a position, if it has type T.
func next[T Op](p Pipeline, at int) (op T, ok bool) {
	if at < len(p) {
		op, ok = p[at].(T)
	}
	return op, ok
}

func (b *Buffers) tensorStep(op Op, seed, epoch, index, position uint64) error {
	switch op := op.(type) {
	case RandomErasing: // the same as below, but without allocating
		b.rand.reset(seed, epoch, index, position)
		return op.draw(&b.rand, b.tensor.Shape[2], b.tensor.Shape[1]).Apply(&b.tensor)
	case RandomEraseCells: // the same
		b.rand.reset(seed, epoch, index, position)
		return op.draw(&b.rand).Apply(&b.tensor)
	case TensorOp:
		return op.Apply(&b.tensor)
	case RandomTensorOp:
		b.rand.reset(seed, epoch, index, position)
		return op.DrawTensor(&b.rand, b.tensor.Shape[2], b.tensor.Shape[1]).Apply(&b.tensor)
	}
	return errors.New("it works on pictures: move it before totensor")
}

// scaleTable holds the tensor's value for each value of each channel, so that ToTensor
// and the Normalize after it need only one pass over the picture.
type scaleTable struct {
	from      ToTensor
	mean, std []float32 // the normalisation that values was computed for; empty for ToTensor alone
	values    [][256]float32
}

func (s *scaleTable) plain(t ToTensor, channels int) {
	if s.from == t && len(s.mean) == 0 && len(s.values) == channels {
		return
	}
	s.from, s.mean, s.std = t, s.mean[:0], s.std[:0]
	s.values = resized(s.values, channels)
	for c := range s.values {
		s.values[c] = *t.table()
	}
}

func (s *scaleTable) normalized(t ToTensor, n Normalize, channels int) error {
	if err := n.check(channels); err != nil {
		return err
	}
	if s.from == t && len(s.values) == channels && slices.Equal(s.mean, n.Mean) && slices.Equal(s.std, n.Std) {
		return nil
	}
	s.from, s.mean, s.std = t, append(s.mean[:0], n.Mean...), append(s.std[:0], n.Std...)
	s.values = resized(s.values, channels)
	for c := range s.values {
		mean, std := n.channel(c)
		for v, x := range t.table() {
			s.values[c][v] = (x - mean) / std
		}
	}
	return nil
}

// convert writes a picture as [channels, height, width].
func (s *scaleTable) convert(dst []float32, im *Image) {
	n, size := im.Channels, im.Width*im.Height
	if n == 3 {
		r, g, b := dst[:size], dst[size:2*size], dst[2*size:3*size]
		tr, tg, tb := &s.values[0], &s.values[1], &s.values[2]
		pix := im.Pix
		for i := range r {
			p := pix[3*i : 3*i+3 : 3*i+3]
			r[i], g[i], b[i] = tr[p[0]], tg[p[1]], tb[p[2]]
		}
		return
	}
	for c := range n {
		plane, t := dst[c*size:(c+1)*size], &s.values[c]
		for i := range plane {
			plane[i] = t[im.Pix[i*n+c]]
		}
	}
}

// Buffers is the memory that a worker reuses for every picture, so that a pipeline
// allocates nothing in steady state: two pictures that steps write to alternately,
// scratch rows, resampling coefficients, a tensor. The zero value is ready to use. Buffers
// may be used by one goroutine at a time.
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
	oldest int // index in taps of the next to be replaced
}

// tapsKept is the number of coefficient tables that are kept: two for each size and filter
// in use. Random crops always need new tables, which reuse the same memory.
const tapsKept = 16

// image returns an unused picture of the given size. Its content is undefined.
func (b *Buffers) image(busy *Image, width, height, channels int) *Image {
	out := &b.images[0]
	if out == busy {
		out = &b.images[1]
	}
	out.Pix = resized(out.Pix, width*height*channels)
	out.Width, out.Height, out.Channels = width, height, channels
	return out
}

// like returns another picture of the same size and channels as im.
func (b *Buffers) like(im *Image) *Image { return b.image(im, im.Width, im.Height, im.Channels) }

// resized returns s with n elements of undefined content, in the same memory if its
// capacity is enough.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// coefficients returns the resampling coefficients, kept ones or newly computed.
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

// step is a picture step that works in reused memory: the result is im itself or one of
// the buffers' pictures.
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

// fresh applies a step; the result shares no memory with im.
func fresh(s step, im *Image) (*Image, error) {
	out, err := s.apply(new(Buffers), im)
	if err != nil {
		return nil, err
	}
	return separate(out, im), nil
}

// separate copies a result that is in reused memory, or is im itself, to new memory.
func separate(out, im *Image) *Image {
	c := *out
	if out == im {
		c.Pix = append([]uint8(nil), im.Pix...)
	}
	return &c
}
