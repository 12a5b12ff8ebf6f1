package transform

import (
	"fmt"
	"math"
	"strconv"
)

// EraseCells fills a share of the square cells of a tensor, Size numbers wide and counted
// from the top left, with Value (one for all channels or one for each). The cells are
// chosen by Seed: the nearest whole number to Share of them, each set of that number
// equally likely.
type EraseCells struct {
	Size  int
	Share float64
	Seed  uint64
	Value []float32 // empty: 0
}

// String is the step's text.
func (e EraseCells) String() string {
	return fmt.Sprintf("erasecells(%d,%s,seed=%s%s)", e.Size, decimal(e.Share), strconv.FormatUint(e.Seed, 10), valueText(e.Value))
}

// valueText is the value as an argument, "" if it is 0.
func valueText(v []float32) string {
	if len(v) == 0 || len(v) == 1 && v[0] == 0 {
		return ""
	}
	return ",value=" + listText(v)
}

var zero = [1]float32{}

// Apply erases in place. Cells at the right and at the bottom may be cut off by the border.
func (e EraseCells) Apply(t *Tensor) error {
	channels, height, width := t.Shape[0], t.Shape[1], t.Shape[2]
	if e.Size < 1 || !(e.Share >= 0 && e.Share <= 1) {
		return fmt.Errorf("a share of %g of the cells of %d pixels: the size is at least 1, the share goes from 0 to 1", e.Share, e.Size)
	}
	value := e.Value
	if len(value) == 0 {
		value = zero[:]
	}
	if len(value) > 1 && len(value) != channels {
		return fmt.Errorf("%d values for %d channels", len(value), channels)
	}
	rows, cols := (height+e.Size-1)/e.Size, (width+e.Size-1)/e.Size
	left, wanted := rows*cols, int(math.RoundToEven(e.Share*float64(rows*cols)))
	var r Rand
	r.reset(e.Seed, 0, 0, 0)
	for cell := range rows * cols {
		// Each cell is taken with the probability that gives every set the same chance
		// (Knuth's selection sampling).
		if r.IntN(left) < wanted {
			wanted--
			box := Erase{Top: cell / cols * e.Size, Left: cell % cols * e.Size, Value: value}
			box.Height, box.Width = min(e.Size, height-box.Top), min(e.Size, width-box.Left)
			if err := box.Apply(t); err != nil {
				return err
			}
		}
		left--
	}
	return nil
}

// RandomEraseCells erases a share of the cells that is drawn from Share; Size and Value are
// as in [EraseCells]. A model trained with it knows pictures of which parts are missing.
type RandomEraseCells struct {
	Size  int
	Share Range
	Value []float32
}

// String is the step's text.
func (o RandomEraseCells) String() string {
	return fmt.Sprintf("randomerasecells(%d,share=%s%s)", o.Size, o.Share.text(), valueText(o.Value))
}

// DrawTensor draws the share and which cells it is.
func (o RandomEraseCells) DrawTensor(r *Rand, _, _ int) TensorOp { return o.draw(r) }

func (o RandomEraseCells) draw(r *Rand) EraseCells {
	return EraseCells{Size: o.Size, Share: r.Uniform(o.Share.Low, o.Share.High), Seed: r.pcg.Uint64(), Value: o.Value}
}

var cellMakers = map[string]maker{
	"erasecells": {"erasecells(size,share,seed=n[,value=0|[r,g,b]])", func(c *call) Op {
		e := EraseCells{Value: c.cellValue()}
		seed := c.takeNamed("seed")
		if e.Size, e.Share = c.whole("size", 0, 1, maxSide), c.number("share", none, 0, 1); seed == nil {
			c.misuse()
			return e
		}
		var err error
		if e.Seed, err = strconv.ParseUint(seed.text, 10, 64); err != nil || seed.ranged {
			c.fail(seed.at, "a whole number is expected here")
		}
		return e
	}},
	"randomerasecells": {"randomerasecells(size,share=from:to[,value=0|[r,g,b]])", func(c *call) Op {
		o := RandomEraseCells{Value: c.cellValue()}
		o.Size, o.Share = c.whole("size", 0, 1, maxSide), c.span("share", required, 0, 1, exactly)
		return o
	}},
}

// cellValue takes the value that fills cells; nil: 0.
func (c *call) cellValue() []float32 {
	a := c.takeNamed("value")
	if a == nil {
		return nil
	}
	if v := c.channels(a); len(v) > 1 || v[0] != 0 {
		return v
	}
	return nil
}
