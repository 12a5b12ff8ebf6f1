package captions

import (
	"fmt"
	"image"
	"image/color"

	"gaze/pkg/caption"
	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// shares is bars of shares in percent with their intervals.
func shares(name string, list []evaluate.Interval) plots.Bars {
	b := plots.Bars{Name: name}
	for _, i := range list {
		b.Values, b.Low, b.High = append(b.Values, 100*i.Value), append(b.Low, 100*i.Low), append(b.High, 100*i.High)
	}
	return b
}

// PointingFigure is the pointing game of a layer, counted from 0 (-1 is the last), for
// each kind of word, beside another picture's map for the same word and chance (see
// [Pointing]). It is an error if no word names anything in its picture.
func (r *Report) PointingFigure(layer int) (plots.BarChart, error) {
	all, ok := r.Layer(layer, AllWords)
	if !ok {
		return plots.BarChart{}, fmt.Errorf("captions: layer %d has no maps of words that name anything in the pictures", layer)
	}
	var hit, shuffled, reading []evaluate.Interval
	chance := plots.Bars{Name: "chance"}
	chart := plots.BarChart{
		Title:      "Pointing game: does attention lie on what a word names?",
		Subtitle:   fmt.Sprintf("hit: the greatest weight of layer %d, its heads averaged, on what the word names; %d words of %d captions", all.Layer, all.Words, r.Pictures),
		ValueLabel: "Hits, in percent of the words", Max: 100,
	}
	for _, kind := range kindNames() {
		l, ok := r.Layer(all.Layer, kind)
		if !ok {
			continue
		}
		chart.Names = append(chart.Names, fmt.Sprintf("%s (%d)", kind, l.Words))
		hit, shuffled, reading = append(hit, l.Hit), append(shuffled, l.HitShuffled), append(reading, l.HitReading)
		chance.Values = append(chance.Values, 100*l.HitChance)
	}
	chart.Series = []plots.Bars{
		shares("when predicting the word", hit), shares("when reading it", reading),
		shares("another picture's map", shuffled), chance,
	}
	return chart, nil
}

// LayersFigure is how often each layer looked at what words of a kind name, for
// several captioners side by side, such as one trained with target maps and one
// trained without; names tells them apart. The baselines are the first one's. The
// reports must have the same number of layers.
func LayersFigure(kind string, names []string, reports ...*Report) (plots.BarChart, error) {
	if len(names) != len(reports) || len(reports) == 0 {
		return plots.BarChart{}, fmt.Errorf("captions: %d names for %d reports", len(names), len(reports))
	}
	chart := plots.BarChart{
		Title:      "How often each layer looks at what it names",
		ValueLabel: "Hits, in percent of the words", Max: 100,
		Subtitle: fmt.Sprintf("hit: the greatest weight on what the word names; words: %s", kind), Size: 560,
	}
	var shuffled []evaluate.Interval
	chance := plots.Bars{Name: "chance"}
	for i, r := range reports {
		var hit []evaluate.Interval
		for layer := 0; ; layer++ {
			l, ok := r.Layer(layer, kind)
			if !ok {
				break
			}
			hit = append(hit, l.Hit)
			if i == 0 {
				chart.Names = append(chart.Names, fmt.Sprintf("layer %d", layer))
				shuffled = append(shuffled, l.HitShuffled)
				chance.Values = append(chance.Values, 100*l.HitChance)
			}
		}
		if len(hit) == 0 || len(hit) != len(chart.Names) {
			return plots.BarChart{}, fmt.Errorf("captions: %s has %d layers that looked at words of kind %q, %s has %d", names[i], len(hit), kind, names[0], len(chart.Names))
		}
		chart.Series = append(chart.Series, shares(names[i], hit))
	}
	chart.Series = append(chart.Series, shares("another picture's map", shuffled), chance)
	return chart, nil
}

// Figure is the occlusion test as bars: all objects, each kind, and each word of at
// least the given number of objects.
func (r *OcclusionReport) Figure(least int) (plots.BarChart, error) {
	if r.Objects == 0 {
		return plots.BarChart{}, fmt.Errorf("captions: no caption names an object whose cells could be masked")
	}
	chart := plots.BarChart{
		Title:      "Occlusion: what is still named with its cells masked",
		Subtitle:   fmt.Sprintf("%d objects, on average %.0f %% of the cells masked; with 95 %% intervals", r.Objects, 100*r.Cells),
		ValueLabel: "Still named, in percent of the objects", Max: 100, Horizontal: true,
	}
	var on, elsewhere []evaluate.Interval
	for _, c := range r.rows(least) {
		chart.Names = append(chart.Names, fmt.Sprintf("%s (%d)", c.Name, c.Objects))
		on, elsewhere = append(on, c.Named), append(elsewhere, c.Elsewhere)
	}
	chart.Series = []plots.Bars{shares("its cells masked", on), shares("the same shape masked elsewhere", elsewhere)}
	return chart, nil
}

// Figure is the picture with its caption, and with the masked cells painted over, each
// with its caption. (The captioner was given the whole picture.)
func (d Occlusion) Figure() plots.Grid {
	panel := func(title string, cells []bool, caption string) plots.Panel {
		return plots.Panel{Title: title + ": " + caption, Picture: d.painted(cells)}
	}
	after := "no longer named"
	if d.StillNamed {
		after = "still named"
	}
	return plots.Grid{
		Title:    "Occlusion of the " + d.Word + ": " + after,
		Subtitle: "grey: cells masked in the attention of every encoder and decoder layer; the network is given the whole picture",
		Panels: [][]plots.Panel{{
			panel("nothing masked", nil, d.Before), panel(d.Word+" masked", d.Cells, d.After), panel("as many cells elsewhere", d.Elsewhere, d.AfterElsewhere),
		}},
		Scale: plots.Scale{NoBar: true}, PanelWidth: 256,
	}
}

// painted is the picture with cells painted over.
func (d Occlusion) painted(cells []bool) image.Image {
	if cells == nil {
		return d.Picture
	}
	out := transform.NewImage(d.Picture.Width, d.Picture.Height, 3)
	copy(out.Pix, d.Picture.Pix)
	rows, columns := caption.CellSpans(out.Height, d.Input[0], d.Stride), caption.CellSpans(out.Width, d.Input[1], d.Stride)
	grey := color.RGBA{0x80, 0x80, 0x80, 0xff}
	for i, on := range cells {
		if !on {
			continue
		}
		r, c := rows[i/len(columns)], columns[i%len(columns)]
		for y := int(r.From); y < int(r.To); y++ {
			for x := int(c.From); x < int(c.To); x++ {
				copy(out.Pix[(y*out.Width+x)*3:], []uint8{grey.R, grey.G, grey.B})
			}
		}
	}
	return out
}
