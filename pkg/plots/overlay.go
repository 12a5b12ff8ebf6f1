package plots

import (
	"errors"
	"image"
)

// Overlay draws a map over a photograph, with a colour bar. Where the map is NaN the
// photograph is unchanged.
type Overlay struct {
	Picture       image.Image // in its original colours, not normalised for a model
	Values        [][]float64 // rows from the top; stretched over the whole picture
	Title         string
	Subtitle      string
	Alpha         float64 // weight of the map over the picture, 0 to 1; 0 means 0.5
	Interpolation Interpolation
	Marks         []Cell // cells of Values with a frame around them
	Scale         Scale
	Width         float64 // of the picture, in CSS pixels; 0: 420
}

// Image draws the overlay; see [Figure]. It returns an error if the picture or the map
// is missing or empty, if the map is ragged, or if Alpha isn't in [0, 1].
func (o Overlay) Image(scale float64) (image.Image, error) { return drawImage(o, scale) }

// SVG draws the overlay; see [Figure].
func (o Overlay) SVG() (string, error) { return drawSVG(o) }

func (o Overlay) layout() (*scene, error) {
	if o.Picture == nil || o.Values == nil {
		return nil, errors.New("plots: an overlay needs a picture and values")
	}
	width := o.Width
	if width <= 0 {
		width = 420
	}
	return Grid{
		Panels: [][]Panel{{{Picture: o.Picture, Values: o.Values, Alpha: o.Alpha,
			Interpolation: o.Interpolation, Marks: o.Marks}}},
		Title: o.Title, Subtitle: o.Subtitle, Scale: o.Scale, PanelWidth: width,
	}.layout()
}
