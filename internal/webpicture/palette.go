package webpicture

import (
	"image"
	"slices"
)

// maxColours is the number of different colours from which on a picture counts as a
// photograph; the notebooks' charts have up to 7,000, their smallest drawing 27,000.
const maxColours = 1 << 14

// popular is the number of a picture's most frequent colours that its palette always has:
// grounds, text and lines keep their exact colours.
const popular = 32

// coloured is one colour of a picture.
type coloured struct {
	r, g, b uint8
	index   uint8 // its place in the palette
	count   int32
	away    int32 // squared distance to that entry of the palette
}

// counted is the set of a picture's colours: a hash table without deletion.
type counted struct {
	list  []coloured
	keys  []uint32 // 0 where a slot is free
	slots []uint16 // index in list
}

// pixel is the key of a pixel's colour; never 0.
func pixel(p []uint8) uint32 {
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | 0xff<<24
}

// find returns the slot of the table that has the key, or the free one where it belongs.
func (c *counted) find(key uint32) uint32 {
	mask := uint32(len(c.keys) - 1)
	i := (key * 0x9e3779b1) >> 15 & mask
	for c.keys[i] != 0 && c.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

// slot returns the index in the list of a colour that is there.
func (c *counted) slot(key uint32) uint16 { return c.slots[c.find(key)] }

// colours counts the colours of a picture; nil if there are more than maxColours.
func colours(img *image.RGBA) *counted {
	c := &counted{keys: make([]uint32, 4*maxColours), slots: make([]uint16, 4*maxColours)}
	last, at := uint32(0), uint16(0)
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride:]
		for x := range img.Rect.Dx() {
			key := pixel(row[4*x:])
			if key != last {
				i := c.find(key)
				if c.keys[i] == 0 {
					if len(c.list) == maxColours {
						return nil
					}
					c.keys[i], c.slots[i] = key, uint16(len(c.list))
					c.list = append(c.list, coloured{r: row[4*x], g: row[4*x+1], b: row[4*x+2]})
				}
				last, at = key, c.slots[i]
			}
			c.list[at].count++
		}
	}
	return c
}

// choose returns a palette of at most 256 of the colours and gives each colour its nearest
// entry; nil if one would be further away than the tolerance. After the most frequent
// colours it takes, again and again, the one that is furthest from all taken before
// (Gonzalez 1985), which keeps the largest distance within twice the least possible.
func (c *counted) choose() []coloured {
	order := make([]int, len(c.list))
	for i := range order {
		order[i] = i
	}
	// A stable sort, so that equal counts keep the order of the picture.
	slices.SortStableFunc(order, func(a, b int) int { return int(c.list[b].count) - int(c.list[a].count) })
	for i := range c.list {
		c.list[i].away = 1 << 30
	}
	var chosen []coloured
	for len(chosen) < min(256, len(c.list)) {
		next := 0
		if len(chosen) < popular {
			next = order[len(chosen)]
		} else if next = c.furthest(); c.list[next].away == 0 {
			return chosen
		}
		c.take(c.list[next], uint8(len(chosen)))
		chosen = append(chosen, c.list[next])
	}
	if c.list[c.furthest()].away > tolerance {
		return nil
	}
	return chosen
}

// furthest returns the index of the first of the colours furthest from the palette.
func (c *counted) furthest() int {
	at := 0
	for i := range c.list {
		if c.list[i].away > c.list[at].away {
			at = i
		}
	}
	return at
}

// take gives all colours that are nearest to a new entry of the palette its index.
func (c *counted) take(entry coloured, index uint8) {
	for i := range c.list {
		one := &c.list[i]
		r, g, b := int32(one.r)-int32(entry.r), int32(one.g)-int32(entry.g), int32(one.b)-int32(entry.b)
		if away := r*r + g*g + b*b; away < one.away {
			one.away, one.index = away, index
		}
	}
}
