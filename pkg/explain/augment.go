package explain

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math"
	"strconv"
	"strings"

	"gaze/internal/parallel"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// MaxDraws is the largest number of draws in a figure.
const MaxDraws = 1000

// maxDraw is the longest side of a picture in the grid, in pixels.
const maxDraw = 512

// Draws holds the results of a pipeline on one picture, for several random draws.
type Draws struct {
	Name     string
	Original *transform.Image
	Pictures []*transform.Image   // draw i is the draw of epoch i
	Steps    []transform.Pipeline // the fixed steps of each draw
}

// Draw runs a pipeline n times on the picture with a loader's index. Draw i is what a
// training run with the seed sees in epoch i. Tensors are shown un-normalised.
func Draw(p transform.Pipeline, seed, index uint64, n int, name string, im *transform.Image) (*Draws, error) {
	if n < 1 || n > MaxDraws {
		return nil, fmt.Errorf("%d draws: there must be 1 to %d", n, MaxDraws)
	}
	d := &Draws{Name: name, Original: small(im), Pictures: make([]*transform.Image, n), Steps: make([]transform.Pipeline, n)}
	err := parallel.Each(context.Background(), n, 0, func(i int) (err error) {
		d.Pictures[i], d.Steps[i], err = drawOne(p, seed, uint64(i), index, im)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// drawOne returns a picture's draw for one epoch, and its fixed steps.
func drawOne(p transform.Pipeline, seed, epoch, index uint64, im *transform.Image) (*transform.Image, transform.Pipeline, error) {
	out, err := p.Look(seed, epoch, index, im)
	if err != nil {
		return nil, nil, err
	}
	steps, err := p.Draw(seed, epoch, index, im.Width, im.Height)
	return small(out), steps, err
}

// small scales a picture down for the grid.
func small(im *transform.Image) *transform.Image {
	longest := max(im.Width, im.Height)
	if longest <= maxDraw {
		return im
	}
	return transform.Resize(im, max(im.Height*maxDraw/longest, 1), max(im.Width*maxDraw/longest, 1), transform.Bilinear)
}

// Augment runs a pipeline n times on a picture and shows the draws beside the original,
// each with the values drawn. It is meant for a notebook cell: edit the pipeline and run
// the cell again.
//
//	fig, err := explain.Augment("randomhflip | rotation(30) | jitter(0.5,0.5,0.5)", 1, 8, im)
func Augment(spec string, seed uint64, n int, im *transform.Image) (plots.Figure, error) {
	p, err := transform.Parse(spec)
	if err != nil {
		return nil, err
	}
	d, err := Draw(p, seed, 0, n, "original", im)
	if err != nil {
		return nil, err
	}
	return AugmentGrid(p, seed, d)
}

// AugmentGrid shows pictures and their draws: a single picture in a square grid, several
// pictures in one row each, with the original first.
func AugmentGrid(p transform.Pipeline, seed uint64, all ...*Draws) (plots.Figure, error) {
	if len(all) == 0 {
		return nil, errors.New("explain: no draws to show")
	}
	total, most := 0, 0
	for _, d := range all {
		total, most = total+len(d.Pictures), max(most, len(d.Pictures))
	}
	if total > MaxDraws {
		return nil, fmt.Errorf("%d draws are more than the %d that fit in a figure: give fewer pictures or a smaller number", total, MaxDraws)
	}
	columns := int(math.Ceil(math.Sqrt(float64(most + 1))))
	if len(all) > 1 {
		columns = min(most+1, 9)
	}
	g := plots.Grid{
		Title:      "Pictures as the pipeline augments them",
		Subtitle:   fmt.Sprintf("%s · seed %d", p, seed),
		PanelWidth: min(200, max(110, 960/float64(columns))),
	}
	for _, d := range all {
		row := []plots.Panel{{Title: d.Name, Picture: shown(d.Original)}}
		for i, im := range d.Pictures {
			if len(row) == columns {
				g.Panels, row = append(g.Panels, row), nil
			}
			row = append(row, plots.Panel{Title: plots.Signs(drawnText(p, d.Steps[i])), Picture: shown(im)})
		}
		g.Panels = append(g.Panels, row)
	}
	return g, nil
}

// shown converts a picture to the type that is scaled fastest.
func shown(im *transform.Image) *image.RGBA {
	out := image.NewRGBA(im.Bounds())
	draw.Draw(out, out.Rect, im, image.Point{}, draw.Src)
	return out
}

// drawnText describes a draw: the names of the steps, with their numbers rounded to 3
// digits.
func drawnText(p, drawn transform.Pipeline) string {
	fixed := map[string]bool{}
	for _, op := range p {
		fixed[op.String()] = true
	}
	var parts []string
	for _, op := range drawn {
		text := op.String()
		if fixed[text] {
			continue
		}
		name, args, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
		if v, err := strconv.ParseFloat(args, 64); err == nil {
			name += " " + strconv.FormatFloat(v, 'g', 3, 64)
		}
		parts = append(parts, name)
	}
	if len(parts) == 0 {
		return "nothing drawn"
	}
	return strings.Join(parts, ", ")
}
