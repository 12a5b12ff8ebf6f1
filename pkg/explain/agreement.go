package explain

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/plots"
)

// Agreement says how alike the maps of several methods are: Spearman's rank correlation of
// the patches of each two maps, from -1 to 1, averaged over pictures.
type Agreement struct {
	Methods  []*Method
	Pictures int
	Mean     [][]float64   // [methods, methods]
	each     [][][]float64 // [pictures, methods, methods]
	all      []*Comparison
}

// AgreementOf compares the methods of comparisons, which must all have the same methods and
// one class each. A constant map has correlation 0 with any other.
func AgreementOf(all ...*Comparison) (*Agreement, error) {
	if len(all) == 0 || len(all[0].Entries) < 2 {
		return nil, fmt.Errorf("explain: there are no two methods to compare")
	}
	a := &Agreement{Pictures: len(all), all: all}
	for _, e := range all[0].Entries {
		if slices.Contains(a.Methods, e.Method) {
			return nil, fmt.Errorf("explain: %s has maps for several classes: compare methods for one class", e.Method.Name)
		}
		a.Methods = append(a.Methods, e.Method)
	}
	n := len(a.Methods)
	a.Mean = square(n)
	for _, c := range all {
		if len(c.Entries) != n {
			return nil, fmt.Errorf("explain: %s is explained by %d methods, %s by %d", all[0].Picture, n, c.Picture, len(c.Entries))
		}
		one := square(n)
		for i := range n {
			if c.Entries[i].Method.Name != a.Methods[i].Name {
				return nil, fmt.Errorf("explain: the methods of %s are others than those of %s", c.Picture, all[0].Picture)
			}
			for k := range n {
				one[i][k] = RankCorrelation(c.Entries[i].Map, c.Entries[k].Map)
				a.Mean[i][k] += one[i][k] / float64(len(all))
			}
		}
		a.each = append(a.each, one)
	}
	return a, nil
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

// Figure draws the mean correlations.
func (a *Agreement) Figure() plots.Figure {
	var names []string
	for _, m := range a.Methods {
		names = append(names, m.Title)
	}
	return plots.HeatMap{
		Values: a.Mean, RowNames: names, ColNames: names, Title: "How far methods agree",
		Subtitle: fmt.Sprintf("rank correlation of the patches of two maps, mean of %s · %s", countOf(a.Pictures, "picture"), a.all[0].Model),
		Format:   func(v float64) string { return fmt.Sprintf("%.1f", math.Round(10*v)/10+0) }, // no "-0.0"
		Scale:    plots.Scale{Map: plots.Coolwarm, Min: -1, Max: 1, Label: "Spearman's ρ"},
	}
}

// Worst is the picture and the two methods for it that disagree most, as a comparison to
// draw, and their correlation.
func (a *Agreement) Worst() (*Comparison, float64) {
	least, at := math.Inf(1), [3]int{}
	for p, one := range a.each {
		for i := range one {
			for k := range i {
				if one[i][k] < least {
					least, at = one[i][k], [3]int{p, k, i}
				}
			}
		}
	}
	c := *a.all[at[0]]
	c.Entries = []Entry{c.Entries[at[1]], c.Entries[at[2]]}
	return &c, least
}

// RankCorrelation is Spearman's rank correlation of two maps of one grid; see [Spearman].
func RankCorrelation(a, b Map) float64 { return Spearman(a.Values, b.Values) }
