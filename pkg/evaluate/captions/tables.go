package captions

import (
	"fmt"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
)

// percent is a share in percent, and interval its interval.
func percent(v float64) string { return fmt.Sprintf("%.1f", 100*v) }

func interval(i evaluate.Interval) string {
	return fmt.Sprintf("%.1f to %.1f", 100*i.Low, 100*i.High)
}

// Table is the report's scores and what its captions get right.
func (r *Report) Table() plots.Table {
	t := plots.Table{
		Caption: fmt.Sprintf("%d captions", r.Pictures),
		Columns: []plots.Column{{Name: "measure"}, {Name: "value", Align: plots.AlignRight}, {Name: "95 % interval", Align: plots.AlignRight}},
		Rows: [][]any{
			{"CIDEr", fmt.Sprintf("%.2f", r.CIDEr.Value), fmt.Sprintf("%.2f to %.2f", r.CIDEr.Low, r.CIDEr.High)},
			{"BLEU-4", fmt.Sprintf("%.3f", r.Scores.BLEU4), ""},
			{"ROUGE-L", fmt.Sprintf("%.3f", r.Scores.ROUGEL), ""},
		},
	}
	if r.Set != "" {
		t.Caption = r.Set
	}
	share := func(name string, i evaluate.Interval) {
		t.Rows = append(t.Rows, []any{name, percent(i.Value) + " %", interval(i) + " %"})
	}
	share("equal to a reference", r.Identical)
	share("subject right", r.SubjectRight)
	share("count right", r.CountRight)
	for _, c := range r.Counts {
		share(fmt.Sprintf("count right of %d, %d pictures", c.Count, c.Pictures), c.Right)
	}
	t.Rows = append(t.Rows, []any{"words of a caption", fmt.Sprintf("%.1f", r.MeanWords), ""})
	return t
}

// PointingTable is the pointing game, a row for each layer and kind of word, in percent
// (see [Pointing]).
func (r *Report) PointingTable() plots.Table {
	t := plots.Table{Caption: "Pointing game: the greatest weight lies on the mask (hit); share of the attention on the mask; in %"}
	for i, name := range []string{
		"layer", "words", "number", "hit", "95 % interval", "hit by another picture's map", "by chance", "hit when reading the word",
		"share", "share by another picture's map", "share by chance",
	} {
		c := plots.Column{Name: name, Align: plots.AlignRight}
		if i == 1 {
			c.Align = plots.AlignLeft
		}
		t.Columns = append(t.Columns, c)
	}
	for _, l := range r.Pointing {
		if l.Kind == AllWords {
			t.Highlight = append(t.Highlight, len(t.Rows))
		}
		t.Rows = append(t.Rows, []any{
			l.Layer, l.Kind, l.Words, percent(l.Hit.Value), interval(l.Hit), percent(l.HitShuffled.Value), percent(l.HitChance),
			percent(l.HitReading.Value), percent(l.Share.Value), percent(l.ShareShuffled.Value), percent(l.ShareChance),
		})
	}
	return t
}

// ArticleTable is how alike the maps of articles and nouns are.
func (r *Report) ArticleTable() plots.Table {
	t := plots.Table{
		Caption: "How alike the maps of an article and of nouns are (cosine)",
		Columns: []plots.Column{
			{Name: "layer"}, {Name: "articles"}, {Name: "its own noun", Format: "%.2f"}, {Name: "95 % interval", Align: plots.AlignRight},
			{Name: "the caption's other nouns", Format: "%.2f"}, {Name: "95 % interval", Align: plots.AlignRight},
		},
	}
	for _, a := range r.Articles {
		t.Rows = append(t.Rows, []any{
			a.Layer, a.Articles, a.Own.Value, fmt.Sprintf("%.2f to %.2f", a.Own.Low, a.Own.High),
			a.Others.Value, fmt.Sprintf("%.2f to %.2f", a.Others.Low, a.Others.High),
		})
	}
	return t
}

// Table is the occlusion test in numbers: all objects, each kind, and each word of
// at least the given number of objects.
func (r *OcclusionReport) Table(least int) plots.Table {
	t := plots.Table{
		Caption: fmt.Sprintf("Objects still named with their cells masked, of those named otherwise (%s)", r.Set),
		Columns: []plots.Column{
			{Name: "object"}, {Name: "number"}, {Name: "its cells masked %", Align: plots.AlignRight}, {Name: "95 % interval", Align: plots.AlignRight},
			{Name: "the same shape elsewhere %", Align: plots.AlignRight}, {Name: "95 % interval", Align: plots.AlignRight},
		},
		Highlight: []int{0},
	}
	for _, c := range r.rows(least) {
		t.Rows = append(t.Rows, []any{c.Name, c.Objects, percent(c.Named.Value), interval(c.Named), percent(c.Elsewhere.Value), interval(c.Elsewhere)})
	}
	return t
}

// rows are all objects, the kinds, and the words of at least that many objects.
func (r *OcclusionReport) rows(least int) []StillNamed {
	out := append([]StillNamed{r.All}, r.Kinds...)
	for _, c := range r.Words {
		if c.Objects >= least {
			out = append(out, c)
		}
	}
	return out
}
