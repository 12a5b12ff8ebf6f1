package plots

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// Grid draws rows of panels with one shared colour bar.
type Grid struct {
	Panels     [][]Panel // rows from the top; short rows are filled with blank panels
	Title      string
	Subtitle   string   // a lighter line below the title: model, layer, head
	RowLabels  []string // left of each row
	ColLabels  []string // above each column
	RowTitle   string   // title of the rows, vertical, left of the row labels
	ColTitle   string   // title of the columns, above the column labels
	Scale      Scale    // of the Values of all panels together
	OwnRange   bool     // colour each map from its own minimum to its own maximum
	PanelWidth float64  // of a column, in CSS pixels; 0: about 900 in total

	dense  bool     // an atlas: small panels close together, light labels
	frames [][]int  // of each panel, an index of groups and of [Palette], or -1; nil: no frames
	groups []string // names of the frames' colours
}

// Image draws the grid; see [Figure]. It returns an error if there are no panels,
// if a panel's Values are ragged or empty, or if Scale's range is invalid.
func (g Grid) Image(scale float64) (image.Image, error) { return drawImage(g, scale) }

// SVG draws the grid; see [Figure].
func (g Grid) SVG() (string, error) { return drawSVG(g) }

const (
	looseGap    = 8.0
	denseGap    = 2.0
	frameGap    = 7.0 // with frames, which take 2 on either side
	panelLead   = 15.0
	figureWidth = 900.0
)

// gridLayout has the positions of all parts of a Grid.
type gridLayout struct {
	Grid
	cols     int
	shared   resolved
	ranges   map[[2]int]resolved // of single panels, with OwnRange
	bar      colorbar
	head     header
	legend   legend // of the frames
	colWidth float64
	rowH     []float64
	titleH   []float64
	titles   [][][]string
	styles   [][]textStyle
	gap      float64 // between panels
	left     float64 // width of the row labels and their title
	top      float64 // height of the column labels and their title
	labels   textStyle
	rowTexts [][]string
	sizes    *sizes
}

func (g Grid) layout() (*scene, error) {
	l := &gridLayout{Grid: g, gap: looseGap, labels: labelStyle, sizes: newSizes(g.Panels)}
	if g.dense {
		l.gap, l.labels = denseGap, tickStyle
	}
	if l.frames != nil {
		l.gap = max(l.gap, frameGap)
	}
	if err := l.measureValues(); err != nil {
		return nil, err
	}
	l.placeColumns()
	l.placeRows()
	inner := l.left + float64(l.cols)*(l.colWidth+l.gap) - l.gap
	h := l.innerHeight()
	if l.hasMaps() {
		tall := h - l.titleH[0]
		if l.OwnRange {
			l.bar = newColorbar(l.Scale, l.shared, tall, "min", "max")
		} else {
			l.bar = newColorbar(l.Scale, l.shared, tall)
		}
	}
	w := inner + l.bar.wide
	l.head = newHeader(g.Title, g.Subtitle, w)
	l.legend = l.frameLegend(w)
	return &scene{w: w + 2*pad, h: l.head.height() + l.legend.height() + l.top + h + 2*pad, title: l.Title, draw: l.draw}, nil
}

// frameLegend says what the frames' colours mean.
func (l *gridLayout) frameLegend(width float64) legend {
	var samples []func(canvas, box)
	for i := range l.groups {
		samples = append(samples, func(c canvas, b box) {
			b = box{b.x + (b.w-b.h)/2, b.y, b.h, b.h}
			outline(c, b, Palette[i%len(Palette)], 2)
		})
	}
	return newLegend(l.groups, samples, width)
}

// measureValues checks the panels and fixes the colour ranges.
func (l *gridLayout) measureValues() error {
	var all [][][]float64
	for _, row := range l.Panels {
		l.cols = max(l.cols, len(row))
	}
	if l.cols == 0 {
		return errors.New("plots: the grid has no panels")
	}
	l.ranges = map[[2]int]resolved{}
	for i, row := range l.Panels {
		for j, p := range row {
			if err := p.check(); err != nil {
				return fmt.Errorf("panel in row %d, column %d: %w", i, j, err)
			}
			if p.Values == nil {
				continue
			}
			own := l.Scale
			if p.Scale != nil {
				own = *p.Scale
			} else {
				all = append(all, p.Values)
			}
			if l.OwnRange || p.Scale != nil {
				r, err := own.resolve(p.Values)
				if err != nil {
					return err
				}
				l.ranges[[2]int{i, j}] = r
			}
		}
	}
	var err error
	l.shared, err = l.Scale.resolve(all...)
	return err
}

func (l *gridLayout) hasMaps() bool {
	for _, row := range l.Panels {
		for _, p := range row {
			if p.Values != nil && p.Scale == nil {
				return true
			}
		}
	}
	return false
}

const rowLabelWidth = 110.0

func (l *gridLayout) placeColumns() {
	l.rowTexts = make([][]string, len(l.Panels))
	for i, s := range l.RowLabels {
		if i < len(l.Panels) {
			l.rowTexts[i] = wrap(s, rowLabelWidth, 3, l.labels)
			for _, line := range l.rowTexts[i] {
				l.left = max(l.left, math.Ceil(textWidth(line, l.labels)))
			}
		}
	}
	if l.left > 0 {
		l.left += l.labelGap()
	}
	if l.RowTitle != "" {
		l.left += 20
	}
	l.colWidth = l.PanelWidth
	if l.colWidth <= 0 {
		free := figureWidth - 2*pad - l.left - 70
		l.colWidth = min(260, max(l.least(), (free+l.gap)/float64(l.cols)-l.gap))
		if l.dense { // the whole atlas should fit on a screen
			l.colWidth = min(l.colWidth, max(l.least(), figureWidth/float64(len(l.Panels))-l.gap))
		}
	}
	l.colWidth = math.Round(max(8, l.colWidth))
	if len(l.ColLabels) > 0 {
		l.top = 20
	}
	if l.ColTitle != "" {
		l.top += 18
	}
}

// labelGap is the space between a row's label and its first panel.
func (l *gridLayout) labelGap() float64 { return 4 + l.gap*0.75 }

// least is the smallest column width that is chosen if PanelWidth is 0.
func (l *gridLayout) least() float64 {
	if l.dense {
		return 32
	}
	return 56
}

func (l *gridLayout) placeRows() {
	for _, row := range l.Panels {
		titles, styles := make([][]string, len(row)), make([]textStyle, len(row))
		var tallest, lines float64
		for j, p := range row {
			titles[j], styles[j] = fitLines(p.Title, l.colWidth, 2, panelStyle, 11)
			lines = max(lines, float64(len(titles[j])))
			if !p.blank() {
				tallest = max(tallest, min(l.colWidth*1.5, p.fit(box{0, 0, l.colWidth, 1e6}).h))
			}
		}
		if tallest == 0 {
			tallest = l.colWidth
		}
		titleH := lines * panelLead
		if lines > 0 {
			titleH += 3
		}
		l.titles, l.styles = append(l.titles, titles), append(l.styles, styles)
		l.rowH, l.titleH = append(l.rowH, tallest), append(l.titleH, titleH)
	}
}

func (l *gridLayout) innerHeight() float64 {
	h := -l.gap
	for i := range l.rowH {
		h += l.rowH[i] + l.titleH[i] + l.gap
	}
	return h
}

func (l *gridLayout) draw(c canvas) {
	l.head.draw(c, pad, pad)
	y := pad + l.head.height()
	l.legend.draw(c, pad, y)
	y += l.legend.height()
	l.drawLabels(c, y)
	y += l.top
	barTop := y + l.titleH[0]
	for i := range l.Panels {
		l.drawRow(c, i, y)
		y += l.titleH[i] + l.rowH[i] + l.gap
	}
	x := pad + l.left + float64(l.cols)*(l.colWidth+l.gap) - l.gap
	l.bar.draw(c, x, barTop, y-l.gap-barTop)
	if l.RowTitle != "" {
		st := labelStyle.at(middle)
		st.vertical = true
		c.text(point{pad + 10, (barTop + y - l.gap) / 2}, ellipsis(l.RowTitle, y-barTop, st), st)
	}
}

// drawLabels writes the title and labels above the columns.
func (l *gridLayout) drawLabels(c canvas, y float64) {
	if l.ColTitle != "" {
		w := float64(l.cols)*(l.colWidth+l.gap) - l.gap
		c.text(point{pad + l.left + w/2, y + 12}, ellipsis(l.ColTitle, w, labelStyle), labelStyle.at(middle))
		y += 18
	}
	for j, s := range l.ColLabels {
		if j < l.cols {
			x := pad + l.left + float64(j)*(l.colWidth+l.gap) + l.colWidth/2
			c.text(point{x, y + 14}, ellipsis(s, l.colWidth, l.labels), l.labels.at(middle))
		}
	}
}

func (l *gridLayout) drawRow(c canvas, i int, y float64) {
	top := y + l.titleH[i]
	for k, s := range l.rowTexts[i] {
		mid := top + l.rowH[i]/2 + (float64(k)-float64(len(l.rowTexts[i])-1)/2)*panelLead
		c.text(point{pad + l.left - l.labelGap(), mid + l.labels.drop()}, s, l.labels.at(end))
	}
	for j, p := range l.Panels[i] {
		p.sizes = l.sizes
		cell := box{pad + l.left + float64(j)*(l.colWidth+l.gap), top, l.colWidth, l.rowH[i]}
		b := p.fit(cell)
		r := l.shared
		if own, ok := l.ranges[[2]int{i, j}]; ok {
			r = own
		}
		p.draw(c, b, r, !l.dense)
		if l.frames != nil && l.frames[i][j] >= 0 && !p.blank() {
			outline(c, box{b.x - 2, b.y - 2, b.w + 4, b.h + 4}, Palette[l.frames[i][j]%len(Palette)], 2)
		}
		n := len(l.titles[i][j])
		for k, s := range l.titles[i][j] {
			base := b.y - 6 - float64(n-1-k)*panelLead
			c.text(point{cell.x + cell.w/2, base}, s, l.styles[i][j])
		}
	}
}
