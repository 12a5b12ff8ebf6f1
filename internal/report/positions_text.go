package report

import (
	"fmt"

	"gaze/pkg/explain"
)

// DiscussPositions is the text under the figures of position embeddings: own are the
// checkpoint's, resized those on another grid.
func DiscussPositions(own, resized *explain.Positions) string {
	s, r := own.Summary(), resized.Summary()
	text := fmt.Sprintf("For **%.1f %%** of the %d positions the most similar other one touches it: ", 100*s.NearestIsNext, own.Rows*own.Cols)
	if s.NearestIsNext > 0.5 {
		text += "the model found out which patches are neighbours, though nothing told it. "
	} else {
		text += "these embeddings don't tell neighbours apart from the rest. "
	}
	text += fmt.Sprintf("Direct neighbours have a similarity of %.3f, positions that share neither row nor column %.3f. ", s.Neighbours, s.Elsewhere)
	switch lines := (s.SameRow+s.SameColumn)/2 - s.Elsewhere; {
	case lines > 0.02:
		text += fmt.Sprintf("A row (%.3f) and a column (%.3f) show as lines in the maps: positions in them are more alike than others. ", s.SameRow, s.SameColumn)
	default:
		text += fmt.Sprintf("Sharing a row (%.3f) or a column (%.3f) makes little difference. ", s.SameRow, s.SameColumn)
	}
	a, b := s.LowestA, s.LowestB
	text += fmt.Sprintf("The least alike are row %d, column %d and row %d, column %d (%.3f).\n\n",
		a/own.Cols, a%own.Cols, b/own.Cols, b%own.Cols, s.Lowest)
	text += fmt.Sprintf("Resized from %d×%d to %d×%d, the similarity of direct neighbours goes from %.3f to %.3f",
		own.Rows, own.Cols, resized.Rows, resized.Cols, s.Neighbours, r.Neighbours)
	if resized.Rows*resized.Cols < own.Rows*own.Cols {
		text += ", since neighbours of the new grid lie further apart on the old one"
	}
	text += fmt.Sprintf(". %.1f %% of the positions still have the most similar other one beside them", 100*r.NearestIsNext)
	if r.NearestIsNext < s.NearestIsNext-0.1 {
		text += ": what the model has learned about places holds best at the size it was trained for"
	}
	return text + "."
}
