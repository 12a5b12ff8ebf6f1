package caption

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/nn"
)

// Gist describes what a captioner reads off the whole picture, beside what the decoder
// attends to cell by cell: a projection of the mean of all cells' features, normalised, is
// added to the first token's embedding. A picture's subject is easier to tell from all cells
// together, and where there are few pictures to learn from, a projection can be found with
// less than the decoder needs (recipes/photos-captioner fits it by ridge regression to the
// words of captions). Attention maps stay maps over the picture's cells alone.
//
// A captioner with a gist also normalises the projected features of each cell.
type Gist struct {
	// Width is the number of values that are projected: the backbone's channels, or, where
	// features are given ([backbone.Given]), of the values that are given beside them.
	Width int `json:"width"`
}

// gist is the vector [batch, dim] that is added to the first token. given has the values,
// [batch, width]; if it is nil they are the mean of the features [batch, rows, columns,
// channels] over the cells that aren't masked.
func (m module) gist(features, masked, given *Node) *Node {
	if given == nil {
		given = meanOfCells(features, masked)
	}
	given = m.noise.input(given)
	return m.noise.drop(m.norm("gist_norm", m.linear("gist", given, m.cfg.Dim, nn.Linear{})))
}

// meanOfCells is the mean of features [batch, rows, columns, channels] over the cells that
// masked, bool [batch, cells] or nil, doesn't have.
func meanOfCells(features, masked *Node) *Node {
	d := features.Shape().Dimensions
	cells := Reshape(features, d[0], d[1]*d[2], d[3])
	if masked == nil {
		return ReduceMean(cells, 1)
	}
	there := ConvertDType(LogicalNot(masked), features.DType())
	sum := Einsum("bck,bc->bk", cells, there)
	return Div(sum, ExpandAxes(MaxScalar(ReduceSum(there, -1), 1), -1))
}

// addGist adds the gist [batch, dim] to the first of the tokens [rows, tokens, dim]; rows
// is a multiple of batch, each picture's rows lying together.
func addGist(x, gist *Node) *Node {
	rows, tokens := x.Shape().Dim(0), x.Shape().Dim(1)
	g := gistOfRows(gist, rows)
	first := Add(Slice(x, AxisRange(), AxisRange(0, 1)), g)
	if tokens == 1 {
		return first
	}
	return Concatenate([]*Node{first, Slice(x, AxisRange(), AxisRange(1, tokens))}, 1)
}

// gistOfRows repeats the gist of each picture for its rows: [rows, 1, dim].
func gistOfRows(gist *Node, rows int) *Node {
	batch, dim := gist.Shape().Dim(0), gist.Shape().Dim(1)
	g := BroadcastToDims(Reshape(gist, batch, 1, dim), batch, rows/batch, dim)
	return Reshape(g, rows, 1, dim)
}
