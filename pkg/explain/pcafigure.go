package explain

import (
	"fmt"
	"image"
	"image/color"

	"gaze/pkg/plots"
)

// perBand is the number of pictures side by side in figures of several.
const perBand = 5

// bands arranges a column of panels for each of n pictures in rows, with at most five
// columns side by side.
func bands(n int, column func(i int) []plots.Panel) [][]plots.Panel {
	var rows [][]plots.Panel
	for first := 0; first < n; first += perBand {
		var band [][]plots.Panel
		for i := first; i < min(n, first+perBand); i++ {
			for r, p := range column(i) {
				if r == len(band) {
					band = append(band, nil)
				}
				band[r] = append(band[r], p)
			}
		}
		rows = append(rows, band...)
	}
	return rows
}

// bandWidth is the width of such a figure's columns.
func bandWidth(n int) float64 { return min(300, 880/float64(min(n, perBand))) }

// Figure draws the photographs with the patches as colours below them.
func (p *PCA) Figure() plots.Figure {
	return plots.Grid{
		Title:    "Patches as colours: the principal components of their features",
		Subtitle: p.subtitle(),
		Panels: bands(len(p.Pictures), func(i int) []plots.Panel {
			q := p.Pictures[i]
			return []plots.Panel{{Title: q.Picture, Picture: q.Seen}, {Picture: q.picture()}}
		}),
		PanelWidth: bandWidth(len(p.Pictures)),
	}
}

// FirstFigure draws the photographs with the first component below them, which tells
// foreground (red, above the threshold) from background (blue).
func (p *PCA) FirstFigure() plots.Figure {
	return plots.Grid{
		Title:    "The first principal component, from its threshold",
		Subtitle: p.Model + " · " + p.splitText(),
		Panels: bands(len(p.Pictures), func(i int) []plots.Panel {
			q := p.Pictures[i]
			values := q.Scores.Matrix()
			for _, row := range values {
				for c := range row {
					row[c] -= p.Threshold
				}
			}
			return []plots.Panel{{Title: q.Picture, Picture: q.Seen},
				{Values: values, Aspect: float64(q.Seen.Width) / float64(q.Seen.Height)}}
		}),
		PanelWidth: bandWidth(len(p.Pictures)),
		Scale:      plots.Scale{Map: plots.Coolwarm, Center: true, Label: "above the threshold"},
	}
}

// subtitle says what explains how much, and how the foreground was found.
func (p *PCA) subtitle() string {
	of := "the foreground's"
	if p.Options.Whole {
		of = "the patches'"
	}
	s := fmt.Sprintf("%s · red, green, blue: %.0f, %.0f and %.0f %% of %s variance", p.Model, 100*p.Colours[0], 100*p.Colours[1], 100*p.Colours[2], of)
	if !p.Options.Whole {
		s += " · " + p.splitText()
	}
	return s
}

// splitText says how the foreground was found.
func (p *PCA) splitText() string {
	by, turned := "Otsu's", ""
	if p.Options.Threshold != nil {
		by = "your"
	}
	if p.Flipped {
		turned = ", flipped"
	}
	if p.Options.Flip {
		turned += ", turned by you"
	}
	return fmt.Sprintf("first component: %.0f %% of all variance%s, %.0f %% of the patches are above %s threshold %s",
		100*p.First, turned, 100*p.Share, by, plots.Signs(fmt.Sprintf("%.3g", p.Threshold)))
}

// picture is the patches' colours, in the shape of the part of the picture that the model
// saw.
func (q *PCAPicture) picture() image.Image {
	times := max(1, (640+q.Seen.Width-1)/q.Seen.Width) // edges between patches should be sharp
	w, h := q.Seen.Width*times, q.Seen.Height*times
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := q.Colours[3*(y*q.Rows/h*q.Cols+x*q.Cols/w):]
			img.SetRGBA(x, y, color.RGBA{shadeByte(c[0]), shadeByte(c[1]), shadeByte(c[2]), 255})
		}
	}
	return img
}

// shadeByte is a share as a byte.
func shadeByte(v float64) uint8 { return uint8(255*v + 0.5) }

// Table says how much the components explain, and how much of each picture is foreground.
func (p *PCA) Table() plots.Table {
	t := plots.Table{
		Caption: "Principal components of the patches: " + p.subtitle(),
		Columns: columns("picture", "patches", "foreground"),
	}
	for _, q := range p.Pictures {
		count := 0
		for _, f := range q.Foreground {
			if f {
				count++
			}
		}
		t.Rows = append(t.Rows, []any{q.Picture, fmt.Sprintf("%d×%d", q.Rows, q.Cols), fmt.Sprintf("%.0f %%", 100*float64(count)/float64(len(q.Foreground)))})
	}
	return t
}
