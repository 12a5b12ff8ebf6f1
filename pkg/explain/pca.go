package explain

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// PCAOptions change what [PCAOf] takes for the foreground. The zero value lets Otsu's
// method and the pictures' borders decide.
type PCAOptions struct {
	// Flip takes the other side of the first component for the foreground.
	Flip bool
	// Threshold is used instead of Otsu's. It is on the scale of [PCA.Threshold], where the
	// foreground is above it.
	Threshold *float64
	// Whole colours all patches: there is no foreground.
	Whole bool
}

// PCA is the patches of one or more pictures as colours: like parts of things get like
// colours, in all the pictures (figure 1 of "DINOv2", Oquab et al., arXiv:2304.07193). A first
// principal component of all patches tells foreground from background, three of the
// foreground become red, green and blue.
type PCA struct {
	Model     string
	Pictures  []*PCAPicture
	Options   PCAOptions
	First     float64    // the share of the variance of all patches that their first component explains
	Threshold float64    // the foreground's coordinates on that component are above it
	Flipped   bool       // that component points away from its largest loading, since the foreground is there
	Share     float64    // the share of the patches that are foreground
	Colours   [3]float64 // the shares of the foreground's variance that red, green and blue explain
}

// PCAPicture is one picture's part of a [PCA].
type PCAPicture struct {
	*Features
	Scores     Map       // coordinates of the patches on the first component, foreground upwards
	Foreground []bool    // of each patch
	Colours    []float64 // [Rows*Cols, 3], red, green and blue from 0 to 1; 0 in the background
}

// maxSamples bounds the values of all patches together, in float64: 2 GiB.
const maxSamples = 1 << 28

// PCAOf finds the principal components of patches, of several pictures together, in
// float64. It is deterministic: the first component points to the side with fewer patches on
// pictures' borders, the foreground; the largest loading of the colours' components is
// positive. Red, green and blue go from the 2nd to the 98th percentile of the foreground.
func PCAOf(o PCAOptions, pictures ...*Features) (*PCA, error) {
	rows, err := patchRows(pictures)
	if err != nil {
		return nil, err
	}
	all := centred(rows)
	if all.constant(rows) {
		return nil, fmt.Errorf("explain: all %d patches have the same features, so there are no components to show: is the model trained, and is there something in the picture?", len(rows))
	}
	first, err := all.principal(1)
	if err != nil {
		return nil, err
	}
	p := &PCA{Model: pictures[0].Model, Options: o, First: first[0].variance / all.total}
	for _, f := range pictures {
		p.Pictures = append(p.Pictures, &PCAPicture{Features: f})
	}
	if err := p.split(all.scores(first[0])); err != nil {
		return nil, err
	}
	return p, p.colour(rows)
}

// patchRows lists the tokens of all pictures, in order.
func patchRows(pictures []*Features) (rows [][]float32, err error) {
	if len(pictures) == 0 {
		return nil, errors.New("explain: there are no pictures to find principal components of")
	}
	dim := pictures[0].Dim
	for _, f := range pictures {
		if err := f.check(); err != nil {
			return nil, err
		}
		if f.Dim != dim {
			return nil, fmt.Errorf("explain: %s has %d features a patch, %s has %d: they must be of one model", pictures[0].Picture, dim, f.Picture, f.Dim)
		}
		for i := range f.Rows * f.Cols {
			rows = append(rows, f.Values[i*dim:(i+1)*dim])
		}
	}
	if len(rows)*dim > maxSamples {
		return nil, fmt.Errorf("explain: %d patches of %d features take more than %d GiB: give fewer or smaller pictures", len(rows), dim, maxSamples>>27)
	}
	return rows, nil
}

// constant says whether samples differ by no more than the rounding of rows, from which
// they were made.
func (s samples) constant(rows [][]float32) bool {
	var squares float64
	for _, row := range rows {
		for _, v := range row {
			squares += float64(v) * float64(v)
		}
	}
	return s.total <= 1e-12*squares
}

// split divides the patches into foreground and background by their coordinates on the
// first component.
func (p *PCA) split(scores []float64) error {
	p.Threshold = Otsu(scores)
	above := make([]bool, len(scores))
	for i, s := range scores {
		above[i] = s > p.Threshold
	}
	p.Flipped = p.downwards(above) != p.Options.Flip
	if p.Flipped {
		p.Threshold = -p.Threshold
		for i := range scores {
			scores[i], above[i] = -scores[i], !above[i]
		}
	}
	if t := p.Options.Threshold; t != nil {
		p.Threshold = *t
		for i, s := range scores {
			above[i] = s > *t
		}
	}
	if p.Options.Whole {
		for i := range above {
			above[i] = true
		}
	}
	count := 0
	for _, a := range above {
		if a {
			count++
		}
	}
	if count == 0 {
		return fmt.Errorf("explain: no patch is above the threshold %g: the first component goes from %g to %g", p.Threshold, slices.Min(scores), slices.Max(scores))
	}
	p.Share = float64(count) / float64(len(above))
	for at, i := 0, 0; i < len(p.Pictures); i++ {
		q := p.Pictures[i]
		n := q.Rows * q.Cols
		q.Foreground = above[at : at+n]
		q.Scores = Map{Rows: q.Rows, Cols: q.Cols, Values: make([]float32, n)}
		for k, s := range scores[at : at+n] {
			q.Scores.Values[k] = float32(s)
		}
		at += n
	}
	return nil
}

// downwards says whether the foreground is below the threshold: the side with fewer
// patches on the borders of the pictures, of two equal ones the smaller.
func (p *PCA) downwards(above []bool) bool {
	var border, count [2]int // below, above
	at := 0
	for _, q := range p.Pictures {
		for r := range q.Rows {
			for c := range q.Cols {
				side := 0
				if above[at] {
					side = 1
				}
				at++
				count[side]++
				if r == 0 || c == 0 || r == q.Rows-1 || c == q.Cols-1 {
					border[side]++
				}
			}
		}
	}
	if border[0] != border[1] {
		return border[0] < border[1]
	}
	return count[0] < count[1]
}

// colour makes colours of the foreground's first three components.
func (p *PCA) colour(rows [][]float32) error {
	var fore [][]float32
	at := 0
	for _, q := range p.Pictures {
		q.Colours = make([]float64, 3*q.Rows*q.Cols)
		for i, f := range q.Foreground {
			if f {
				fore = append(fore, rows[at+i])
			}
		}
		at += len(q.Foreground)
	}
	var coordinates [3][]float64
	s := centred(fore)
	if !s.constant(fore) {
		components, err := s.principal(3)
		if err != nil {
			return err
		}
		for c, component := range components {
			p.Colours[c] = component.variance / s.total
			if p.Colours[c] > 1e-10 {
				coordinates[c] = s.scores(component)
			}
		}
	}
	shades := make([]float64, len(fore))
	for c, values := range coordinates {
		shade(shades, values)
		at = 0
		for _, q := range p.Pictures {
			for i, f := range q.Foreground {
				if f {
					q.Colours[3*i+c] = shades[at]
					at++
				}
			}
		}
	}
	return nil
}

// shade maps values to 0 to 1, from their 2nd to their 98th percentile. Where nothing
// varies, values is nil and all are ½.
func shade(out, values []float64) {
	for i := range out {
		out[i] = 0.5
	}
	if values == nil {
		return
	}
	sorted := slices.Sorted(slices.Values(values))
	lo, hi := sortedPercentile(sorted, 2), sortedPercentile(sorted, 98)
	if lo == hi { // fewer than one in fifty differ
		return
	}
	for i, v := range values {
		out[i] = min(max((v-lo)/(hi-lo), 0), 1)
	}
}

// sortedPercentile is a percentile of sorted values, interpolated linearly, as numpy does.
func sortedPercentile(sorted []float64, percent float64) float64 {
	at := percent / 100 * float64(len(sorted)-1)
	i := int(math.Floor(at))
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
