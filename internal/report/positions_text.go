package report

import (
	"fmt"

	"gaze/pkg/explain"
)

// DiscussPositions is the text under the figures of position embeddings: own are the
// checkpoint's, resized are those on another grid.
func DiscussPositions(own, resized *explain.Positions) string {
	s, r := own.Summary(), resized.Summary()
	text := fmt.Sprintf("For **%.1f %%** of the %d positions the most similar other position is adjacent: ", 100*s.NearestIsNext, own.Rows*own.Cols)
	if s.NearestIsNext > 0.5 {
		text += "the model learned which patches are neighbours without being told. "
	} else {
		text += "these embeddings don't distinguish neighbours from other positions. "
	}
	text += fmt.Sprintf("Direct neighbours have a similarity of %.3f, positions that share neither row nor column %.3f. ", s.Neighbours, s.Elsewhere)
	switch lines := (s.SameRow+s.SameColumn)/2 - s.Elsewhere; {
	case lines > 0.02:
		text += fmt.Sprintf("Rows (%.3f) and columns (%.3f) show as lines in the maps: their positions are more similar than others. ", s.SameRow, s.SameColumn)
	default:
		text += fmt.Sprintf("Sharing a row (%.3f) or a column (%.3f) makes little difference. ", s.SameRow, s.SameColumn)
	}
	a, b := s.LowestA, s.LowestB
	text += fmt.Sprintf("The least similar positions are row %d, column %d and row %d, column %d (%.3f).\n\n",
		a/own.Cols, a%own.Cols, b/own.Cols, b%own.Cols, s.Lowest)
	text += fmt.Sprintf("Resized from %d×%d to %d×%d, the similarity of direct neighbours goes from %.3f to %.3f",
		own.Rows, own.Cols, resized.Rows, resized.Cols, s.Neighbours, r.Neighbours)
	if resized.Rows*resized.Cols < own.Rows*own.Cols {
		text += ", because neighbours on the new grid are further apart on the old one"
	}
	text += fmt.Sprintf(". For %.1f %% of the positions the most similar other position is still adjacent", 100*r.NearestIsNext)
	if r.NearestIsNext < s.NearestIsNext-0.1 {
		text += ": the structure that the model has learned holds best at the size it was trained for"
	}
	return text + "."
}
