package plots

import (
	"image"
	"image/color"
	"math"
)

// similarityMap returns the cosine similarity of synthetic position embeddings (sines and
// cosines of row and column) for one query, similar to the maps of the ViT paper.
func similarityMap(n, qr, qc int) [][]float64 {
	m := make([][]float64, n)
	for r := range m {
		m[r] = make([]float64, n)
		for c := range m[r] {
			dr, dc := float64(r-qr), float64(c-qc)
			near := math.Exp(-(dr*dr + dc*dc) / 18)
			cross := 0.35*math.Exp(-dr*dr/3) + 0.35*math.Exp(-dc*dc/3)
			m[r][c] = min(1, 1.1*near*0.6+cross*0.62-0.25+0.06*math.Sin(dr*1.3)*math.Cos(dc*1.7))
		}
	}
	m[qr][qc] = 1
	return m
}

// bumps is a smooth map with two peaks.
func bumps(rows, cols int) [][]float64 {
	m := make([][]float64, rows)
	for r := range m {
		m[r] = make([]float64, cols)
		for c := range m[r] {
			y, x := float64(r)/float64(rows), float64(c)/float64(cols)
			m[r][c] = 0.02*math.Exp(-((y-.35)*(y-.35)+(x-.6)*(x-.6))/.015) + 0.012*math.Exp(-((y-.4)*(y-.4)+(x-.25)*(x-.25))/.01)
		}
	}
	return m
}

// scenery is a picture with edges and soft colours: sky, a hill, a sun.
func scenery(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			c := color.RGBA{uint8(120 + 100*v), uint8(170 + 50*v), 235, 255}
			if math.Hypot(u-.7, (v-.25)*float64(h)/float64(w)) < .09 {
				c = color.RGBA{255, 226, 120, 255}
			}
			if v > .62+.12*math.Sin(5*u) {
				c = color.RGBA{uint8(50 + 40*u), uint8(120 - 40*v), 60, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}
