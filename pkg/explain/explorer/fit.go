package explorer

import (
	"context"

	"gaze/internal/parallel"
)

// fitted is the attention that a page has room for.
type fitted struct {
	step   int // side of the square of patches that a query stands for
	layers []fittedLayer
}

type fittedLayer struct {
	index int      // in the picture's layers
	mean  string   // packed block of the mean of the heads
	heads []string // packed block of each head; "" where there was no room
}

// share is the part of the room that the means of heads may take.
const share = 0.6

// fit chooses what a page shows of a picture's attention in so many bytes. First the mean
// of the heads of every layer: with every patch as a query, or, on grids too fine for
// that, squares of patches together (their mean), the smallest that fit. If even one query
// for all patches doesn't fit, layers are left out evenly, never the last. Then single
// heads, all of a layer at a time, from the last layer to the first. For a ViT-S/14 at
// 224 pixels (12 layers of 6 heads, 16×16 patches) a block of 257 queries takes 68 kB, 30
// to 60 kB in the page.
func (p *Picture) fit(room int) fitted {
	f := fitted{step: 1}
	if len(p.Layers) == 0 {
		return f
	}
	kept := make([]int, len(p.Layers))
	for i := range kept {
		kept[i] = i
	}
	limit := int(share * float64(room))
	for {
		// Bytes rarely pack to less than an eighth, so what is far too large isn't tried.
		if p.queries(f.step)*p.Rows*p.Cols/8*len(kept) <= limit {
			if f.layers = p.means(kept, f.step); sizeOf(f.layers) <= limit {
				break
			}
		}
		switch {
		case f.step < max(p.Rows, p.Cols):
			f.step++
		case len(kept) > 1:
			kept = half(kept)
		default:
			f.layers = p.means(kept, f.step)
			return f
		}
	}
	p.addHeads(&f, room-sizeOf(f.layers))
	return f
}

// half is every second of a list, with the last.
func half(list []int) []int {
	var out []int
	for i := (len(list) - 1) % 2; i < len(list); i += 2 {
		out = append(out, list[i])
	}
	return out
}

// means packs the mean of the heads of layers.
func (p *Picture) means(layers []int, step int) []fittedLayer {
	out := make([]fittedLayer, len(layers))
	parallel.Each(context.Background(), len(layers), 0, func(i int) error {
		l := p.Layers[layers[i]]
		out[i] = fittedLayer{index: layers[i], mean: p.pack(layers[i], -1, step), heads: make([]string, l.Heads)}
		if l.Heads == 1 { // the mean is the only head
			out[i].heads[0] = out[i].mean
		}
		return nil
	})
	return out
}

// addHeads packs single heads while there is room.
func (p *Picture) addHeads(f *fitted, room int) {
	for at := len(f.layers) - 1; at >= 0; at-- {
		l := &f.layers[at]
		if len(l.heads) == 1 {
			continue
		}
		heads := make([]string, len(l.heads))
		parallel.Each(context.Background(), len(heads), 0, func(h int) error {
			heads[h] = p.pack(l.index, h, f.step)
			return nil
		})
		for _, text := range heads {
			room -= len(text)
		}
		if room < 0 {
			return
		}
		l.heads = heads
	}
}

func sizeOf(layers []fittedLayer) int {
	n := 0
	for _, l := range layers {
		n += len(l.mean)
	}
	return n
}

// queries is how many queries there are if each stands for a square of patches.
func (p *Picture) queries(step int) int {
	return len(p.Tokens) + ceil(p.Rows, step)*ceil(p.Cols, step)
}

func ceil(n, by int) int { return (n + by - 1) / by }

// pack is the packed block of a layer's head; -1: the mean of its heads.
func (p *Picture) pack(layer, head, step int) string {
	rows := make([][]float32, 0, p.queries(step))
	for t := range p.Tokens {
		rows = append(rows, p.row(layer, head, []int{t}))
	}
	for r := 0; r < p.Rows; r += step {
		for c := 0; c < p.Cols; c += step {
			var of []int
			for y := r; y < min(r+step, p.Rows); y++ {
				for x := c; x < min(c+step, p.Cols); x++ {
					of = append(of, len(p.Tokens)+y*p.Cols+x)
				}
			}
			rows = append(rows, p.row(layer, head, of))
		}
	}
	return packed(block(rows))
}

// row is the mean of queries' weights in a layer's head; -1: in all of its heads.
func (p *Picture) row(layer, head int, queries []int) []float32 {
	l := p.Layers[layer]
	first, last := head, head+1
	if head < 0 {
		first, last = 0, l.Heads
	}
	cells := p.Rows * p.Cols
	all := len(p.Tokens) + cells
	if last-first == 1 && len(queries) == 1 {
		at := (first*all + queries[0]) * cells
		return l.Weights[at : at+cells]
	}
	sum := make([]float64, cells)
	for h := first; h < last; h++ {
		for _, q := range queries {
			for i, v := range l.Weights[(h*all+q)*cells:][:cells] {
				sum[i] += float64(v)
			}
		}
	}
	out := make([]float32, cells)
	for i, v := range sum {
		out[i] = float32(v / float64((last-first)*len(queries)))
	}
	return out
}
