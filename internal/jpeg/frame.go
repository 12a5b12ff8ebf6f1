package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// component is one colour plane of the frame.
type component struct {
	frame

	pair   [128]int16 // two blocks being decoded, see coefficients
	queued []uint8    // destination of the first of them, nil if there is none
	rows   []uint8    // samples: the last row of the MCUs above, then v*8 rows of stride
	kept   []kept     // all blocks, for progressive and multi-scan files
	wide   []uint8    // a row at the picture's full width
	sums   []uint16
}

// frame holds a component's data from the frame header and the scans.
type frame struct {
	id      byte
	h, v    int // sampling factors, 1 to 4
	quant   byte
	dcTable byte
	acTable byte
	pred    int32 // prediction of the next DC coefficient

	width, height    int // size in samples, without padding ("downsampled" in libjpeg)
	blocksX, blocksY int // blocks that cover the samples, for scans of one component
	paddedX, paddedY int // blocks covered by whole MCUs
	stride           int // row length in bytes

	table  [128]int16 // quantisation table at the start of the first scan, stored twice
	tabled bool

	rowsInMCU int // v of the frame header; v itself is set to 1 for a single component
}

// maxSide is libjpeg's limit for width and height.
const maxSide = 65500

// frame reads the frame header (T.81 B.2.2).
func (d *Decoder) frame(s []byte, progressive bool) error {
	if len(d.comps) > 0 {
		return errors.New("corrupt: a second frame header: the file holds more than one picture")
	}
	if len(s) < 6 {
		return errors.New("corrupt: the frame header is too short")
	}
	if err := checkFrame(s); err != nil {
		return err
	}
	d.height, d.width = int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	n := int(s[5])
	d.progressive = progressive
	comps := d.memory[:n]
	for i := range comps {
		c := &comps[i]
		c.frame, c.queued = frame{}, nil
		c.id, c.h, c.v, c.quant = s[6+3*i], int(s[7+3*i]>>4), int(s[7+3*i]&15), s[8+3*i]
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return fmt.Errorf("corrupt: component %d has impossible sampling %dx%d", i, c.h, c.v)
		}
		c.rowsInMCU = c.v
		if n == 1 {
			c.h, c.v = 1, 1 // the blocks of a single component aren't grouped
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
	}
	d.comps = comps
	return d.layOut()
}

// layOut computes the number of blocks of each component.
func (d *Decoder) layOut() error {
	d.mcusX = ceilDiv(d.width, 8*d.maxH)
	d.mcusY = ceilDiv(d.height, 8*d.maxV)
	for i := range d.comps {
		c := &d.comps[i]
		if d.maxH%c.h != 0 || d.maxV%c.v != 0 {
			return fmt.Errorf("fractional chroma sampling (%dx%d of %dx%d) isn't supported", c.h, c.v, d.maxH, d.maxV)
		}
		c.width, c.height = ceilDiv(d.width*c.h, d.maxH), ceilDiv(d.height*c.v, d.maxV)
		c.blocksX, c.blocksY = ceilDiv(c.width, 8), ceilDiv(c.height, 8)
		c.paddedX, c.paddedY = d.mcusX*c.h, d.mcusY*c.v
		c.stride = c.paddedX * 8
	}
	if err := checkRoom(d.width, d.height, len(d.data)); err != nil {
		return err
	}
	if d.width > maxSide || d.height > maxSide {
		return fmt.Errorf("%dx%d pixels exceed the %d per side that libjpeg supports", d.width, d.height, maxSide)
	}
	return nil
}

// quantTables reads quantisation tables (T.81 B.2.4.1).
func (d *Decoder) quantTables(s []byte) error {
	for len(s) > 0 {
		wide, id := s[0]>>4 != 0, s[0]&15
		if id > 3 {
			return fmt.Errorf("corrupt: quantisation table %d doesn't exist", id)
		}
		size := 64
		if wide {
			size = 128
		}
		if len(s) < 1+size {
			return errors.New("corrupt: a quantisation table is cut off")
		}
		table := &d.quant[id]
		for i := range 64 {
			v := int16(s[1+i])
			if wide {
				v = int16(s[1+2*i])<<8 | int16(s[2+2*i])
			}
			table[zigzag[i]], table[zigzag[i]+8] = v, v
		}
		d.quantDefined[id] = true
		s = s[1+size:]
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// zigzag maps the order of coefficients in the file (T.81 figure A.6) to their
// indices in rows of 16. The padding lets a corrupt run go past the end safely.
var zigzag = [128]uint8{
	0, 1, 16, 32, 17, 2, 3, 18,
	33, 48, 64, 49, 34, 19, 4, 5,
	20, 35, 50, 65, 80, 96, 81, 66,
	51, 36, 21, 6, 7, 22, 37, 52,
	67, 82, 97, 112, 113, 98, 83, 68,
	53, 38, 23, 39, 54, 69, 84, 99,
	114, 115, 100, 85, 70, 55, 71, 86,
	101, 116, 117, 102, 87, 103, 118, 119,
	119, 119, 119, 119, 119, 119, 119, 119,
	119, 119, 119, 119, 119, 119, 119, 119,
	119, 119, 119, 119, 119, 119, 119, 119,
	119, 119, 119, 119, 119, 119, 119, 119,
	119, 119, 119, 119, 119, 119, 119, 119,
	119, 119, 119, 119, 119, 119, 119, 119,
	119, 119, 119, 119, 119, 119, 119, 119,
	119, 119, 119, 119, 119, 119, 119, 119,
}
