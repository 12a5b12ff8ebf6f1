package explain

import (
	"errors"
	"fmt"
	"math"

	"gaze/pkg/plots"
	"gaze/pkg/vit"
)

// Positions holds the similarities of a model's patch position embeddings.
type Positions struct {
	Model      string    // the checkpoint's name, for titles
	Rows, Cols int       // the grid of patches
	Similarity []float32 // cosine similarity [Rows*Cols, Rows*Cols]
	Method     string    // how the grid was resized; empty for the checkpoint's own grid

	model *vit.Model
}

// PositionsOf compares the position embeddings of a checkpoint on its own grid.
func PositionsOf(m *vit.Model) (*Positions, error) {
	embeddings, grid, err := m.PositionEmbeddings()
	if err != nil {
		return nil, err
	}
	similarity, err := PositionSimilarity(embeddings, m.Config.Dim)
	if err != nil {
		return nil, err
	}
	return &Positions{Model: m.Name, Rows: grid[0], Cols: grid[1], Similarity: similarity, model: m}, nil
}

// Resized compares the embeddings after resizing them to another grid, by the method of
// the checkpoint's layout.
func (p *Positions) Resized(rows, cols int) (*Positions, error) {
	patch := p.model.Config.PatchSize
	m, err := p.model.ResizedTo(rows*patch[0], cols*patch[1])
	if err != nil {
		return nil, err
	}
	r, err := PositionsOf(m)
	if err != nil {
		return nil, err
	}
	r.Model = p.Model
	if rows != p.Rows || cols != p.Cols {
		r.Method = m.PosResize().String()
	}
	return r, nil
}

// Matrix returns the similarities as rows of float64: [patches][patches].
func (p *Positions) Matrix() [][]float64 {
	n := p.Rows * p.Cols
	return Map{Rows: n, Cols: n, Values: p.Similarity}.Matrix()
}

// Map returns the similarity of one position with all others.
func (p *Positions) Map(row, col int) (Map, error) {
	return SimilarityMap(p.Similarity, p.Rows, p.Cols, row, col)
}

// Summary is [SummarisePositions] for these embeddings.
func (p *Positions) Summary() PositionSummary {
	s, err := SummarisePositions(p.Similarity, p.Rows, p.Cols)
	if err != nil {
		panic(err) // can't happen: the similarities were computed for this grid
	}
	return s
}

// unit is the scale of every cosine similarity: viridis from -1 to 1.
var unit = plots.Scale{Map: plots.Viridis, Min: -1, Max: 1, Label: "cosine similarity"}

// maxMaps is the number of maps that fit side by side and are still distinguishable.
const maxMaps = 16

// Atlas draws a map for every position, arranged like the positions, with one colour bar
// from -1 to 1. If the grid has more than 16 rows or columns, it shows every second,
// third, … position, and says so in the subtitle.
func (p *Positions) Atlas() plots.Figure {
	step := max(ceilDiv(p.Rows, maxMaps), ceilDiv(p.Cols, maxMaps))
	rows, rowNames := everyNth(p.Rows, step)
	cols, colNames := everyNth(p.Cols, step)
	maps := make([][][][]float64, len(rows))
	for i, r := range rows {
		maps[i] = make([][][]float64, len(cols))
		for j, c := range cols {
			m, err := p.Map(r, c)
			if err != nil {
				panic(err) // can't happen: r and c are in the grid
			}
			maps[i][j] = m.Matrix()
		}
	}
	subtitle := p.subtitle()
	if step > 1 {
		subtitle += fmt.Sprintf(" · every %s position shown", ordinal(step))
	}
	return plots.Atlas{
		Maps: maps, Title: "Position embeddings: each with all others", Subtitle: subtitle,
		RowTitle: "patch row", ColTitle: "patch column", RowNames: rowNames, ColNames: colNames,
		Scale: unit,
	}
}

func (p *Positions) subtitle() string {
	s := fmt.Sprintf("%s · %d×%d positions", p.Model, p.Rows, p.Cols)
	if p.Method != "" {
		s += ", resized (" + p.Method + ")"
	}
	return s
}

// Enlarged draws the map of one position, which is marked. If the position doesn't exist,
// the error gives the valid rows and columns.
func (p *Positions) Enlarged(row, col int) (plots.Figure, error) {
	m, err := p.Map(row, col)
	if err != nil {
		return nil, err
	}
	return plots.HeatMap{
		Values: m.Matrix(), Marks: []plots.Cell{{Row: row, Col: col}}, Scale: unit,
		Title:    fmt.Sprintf("Similarity with the position in row %d, column %d", row, col),
		Subtitle: p.subtitle(), XLabel: "patch column", YLabel: "patch row",
	}, nil
}

// DistanceChart draws similarity against distance on the grid: a curve with a band of one
// standard deviation for each of the given embeddings. If the grids differ, distances are
// fractions of the grid's diagonal, otherwise patches.
func DistanceChart(all ...*Positions) (plots.Figure, error) {
	if len(all) == 0 {
		return nil, errors.New("explain: no position embeddings to draw")
	}
	sameGrid := true
	for _, p := range all {
		sameGrid = sameGrid && p.Rows == all[0].Rows && p.Cols == all[0].Cols
	}
	chart := plots.LineChart{
		Title: "Similarity against distance", XLabel: "distance in patches", YLabel: "cosine similarity (mean ± sd)",
		Lines: []plots.RefLine{{Value: 0}},
	}
	if !sameGrid {
		chart.XLabel = "distance as a share of the grid's diagonal"
	}
	for _, p := range all {
		c, err := SimilarityByDistance(p.Similarity, p.Rows, p.Cols)
		if err != nil {
			return nil, err
		}
		s := plots.Series{Name: p.Model, X: c.Distance, Y: c.Mean}
		for i := range c.Mean {
			s.Low = append(s.Low, c.Mean[i]-c.Std[i])
			s.High = append(s.High, c.Mean[i]+c.Std[i])
		}
		if !sameGrid {
			s.Name = fmt.Sprintf("%d×%d", p.Rows, p.Cols)
			s.X = scaled(c.Distance, 1/math.Hypot(float64(p.Rows-1), float64(p.Cols-1)))
			chart.YLabel = "cosine similarity (mean)"
			s.Low, s.High = nil, nil // several overlapping bands would hide the lines
		}
		chart.Series = append(chart.Series, s)
		chart.Subtitle = p.Model
	}
	if len(all) == 1 {
		chart.Series[0].Name = "" // a single curve needs no legend
	}
	return chart, nil
}

// PositionTable compares the numbers of several grids.
func PositionTable(all ...*Positions) plots.Table {
	t := plots.Table{
		Caption: "Mean cosine similarity of two positions",
		Columns: columns("grid", "neighbours", "same row", "same column", "elsewhere", "lowest", "most similar is adjacent"),
	}
	for _, p := range all {
		s := p.Summary()
		t.Rows = append(t.Rows, []any{
			fmt.Sprintf("%d×%d", p.Rows, p.Cols),
			fmt.Sprintf("%.3f", s.Neighbours), fmt.Sprintf("%.3f", s.SameRow), fmt.Sprintf("%.3f", s.SameColumn),
			fmt.Sprintf("%.3f", s.Elsewhere), fmt.Sprintf("%.3f", s.Lowest), fmt.Sprintf("%.1f %%", 100*s.NearestIsNext),
		})
	}
	return t
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// everyNth lists every step-th number below n, centred, with their names.
func everyNth(n, step int) (indices []int, names []string) {
	start := (n - 1) % step / 2
	for i := start; i < n; i += step {
		indices = append(indices, i)
		names = append(names, fmt.Sprint(i))
	}
	return indices, names
}

func ordinal(n int) string {
	switch n {
	case 2:
		return "2nd"
	case 3:
		return "3rd"
	}
	return fmt.Sprintf("%dth", n)
}

func scaled(v []float64, by float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x * by
	}
	return out
}

// columns makes a table's columns: the first for text, the others for numbers.
func columns(names ...string) []plots.Column {
	out := make([]plots.Column, len(names))
	for i, n := range names {
		out[i] = plots.Column{Name: n, Align: plots.AlignRight}
	}
	out[0].Align = plots.AlignLeft
	return out
}
