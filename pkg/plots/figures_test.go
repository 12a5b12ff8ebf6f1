package plots

import (
	"fmt"
	"math"
	"math/rand"
)

// figures returns the figures that are compared with testdata/NAME_golden.png.
func figures() map[string]Figure {
	photo := scenery(120, 90)
	peaks := bumps(12, 16)
	percent := func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }
	return map[string]Figure{
		"heatmap": HeatMap{
			Values: similarityMap(16, 5, 9), Title: "Cosine similarity", Subtitle: "query at row 5, column 9",
			XLabel: "Patch column", YLabel: "Patch row", Marks: []Cell{{5, 9}},
			Scale: Scale{Min: -1, Max: 1, Label: "Cosine similarity"}, Width: 256,
		},
		"missing": HeatMap{
			Values: [][]float64{{math.NaN(), 0.5, 3}, {math.Inf(-1), 1, math.Inf(1)}}, Title: "NaN, −∞ and ∞",
			RowNames: []string{"first", "second"}, ColNames: []string{"α", "β", "γ ≤ 1"},
			Format: func(v float64) string { return number(v, 2) }, Width: 150,
			Scale: Scale{Map: Coolwarm, Center: true},
		},
		"overlay": Overlay{
			Picture: photo, Values: peaks, Title: "Attention over the picture", Subtitle: "layer 12, mean over heads",
			Marks: []Cell{{4, 9}}, Scale: Scale{Map: Inferno, Label: "Weight"}, Width: 240,
		},
		"grid": Grid{
			Panels: [][]Panel{
				{{Picture: photo, Title: "a_photograph_with_a_very_long_file_name_0001.jpg"}, {Values: peaks, Title: "Map"}, {Picture: photo, Values: peaks, Title: "Both"}},
				{{Values: peaks, Interpolation: Bilinear, Title: "Bilinear"}, {Values: peaks, Interpolation: Bicubic, Title: "Bicubic, which is smoother"}},
			},
			Title: "Panels", Subtitle: "with one shared colour bar", RowLabels: []string{"first row", "second row of the grid"},
			Scale: Scale{Map: Magma, Label: "Weight"}, PanelWidth: 110,
		},
		"atlas":     similarityAtlas(6),
		"groups":    groupedAtlas(),
		"matches":   Matches{Left: photo, Right: scenery(70, 90), LeftTitle: "left", RightTitle: "right, which is narrower", Title: "Matches", Subtitle: "from the top to the bottom", Width: 420, Lines: []Match{{.1, .2, .3, .9}, {.7, .5, .8, .4}, {.4, .9, .1, .1}, {0, 1, 1, .6}}},
		"lines":     curves(),
		"scatter":   cloud(),
		"bars":      groupedBars(),
		"hbars":     BarChart{Names: []string{"Abyssinian", "british shorthair", "a breed with a long name that takes two lines"}, Series: []Bars{{Values: []float64{.93, .4, math.NaN()}}}, Horizontal: true, Format: percent, Title: "Accuracy by breed", ValueLabel: "Accuracy", Lines: []float64{0.5}},
		"confusion": Confusion{Counts: [][]int{{40, 3, 1}, {2, 45, 0}, {5, 5, 40}}, Names: []string{"cat", "dog", "neither"}, Title: "Confusion"},
		"critical":  criticalDifference(),
		"shares":    Confusion{Counts: [][]int{{40, 3, 0}, {2, 45, 0}, {0, 0, 0}}, Title: "Shares", Subtitle: "no picture of the third", Normalise: true},
	}
}

// groupedAtlas has frames in two of three colours, and a map in no group.
func groupedAtlas() Atlas {
	a := similarityAtlas(3)
	a.Groups = []string{"near", "far", "none", ""}
	a.GroupOf = [][]int{{0, 1, 1}, {0, -1, 0}, {1, 0, 3}}
	return a
}

func similarityAtlas(n int) Atlas {
	a := Atlas{
		Title: "Position embedding similarity", RowTitle: "Input patch row", ColTitle: "Input patch column", First: 1,
		Scale: Scale{Min: -1, Max: 1, Label: "Cosine similarity"}, MapWidth: 36,
	}
	for r := range n {
		var row [][][]float64
		for c := range n {
			row = append(row, similarityMap(n, r, c))
		}
		a.Maps = append(a.Maps, row)
	}
	a.Maps[n-1][n-1] = nil
	return a
}

func curves() LineChart {
	var x, y, low, high, other []float64
	for i := range 40 {
		v := math.Exp(-float64(i) / 12)
		x, y = append(x, float64(i)/2), append(y, v)
		low, high = append(low, v-0.1), append(high, v+0.1)
		other = append(other, 0.5+0.3*math.Sin(float64(i)/4))
	}
	other[20] = math.NaN()
	return LineChart{
		Title: "Similarity against distance", Subtitle: "mean ± standard deviation", XLabel: "Distance (patches)", YLabel: "Cosine similarity",
		Series: []Series{{Name: "trained", X: x, Y: y, Low: low, High: high}, {Name: "with a gap", X: x, Y: other, Dashed: true}},
		Lines:  []RefLine{{Value: 0, Label: "unlike"}, {Value: 8, Label: "half a picture", Vertical: true}, {Value: 8.5, Label: "a little more", Vertical: true}},
		Width:  320, Height: 180,
	}
}

func cloud() LineChart {
	rng := rand.New(rand.NewSource(1))
	var x, y []float64
	for range 60 {
		v := math.Pow(10, 4*rng.Float64())
		x, y = append(x, v), append(y, math.Sqrt(v)*(0.5+rng.Float64()))
	}
	return LineChart{Title: "Both axes logarithmic", XLabel: "x", YLabel: "y", LogX: true, LogY: true,
		Series: []Series{{X: x, Y: y, Points: true, NoLine: true}}, Width: 260, Height: 160}
}

func groupedBars() BarChart {
	return BarChart{
		Names: []string{"Alpha model", "Beta", "Gamma"}, ValueLabel: "Gain", Title: "Gains and losses",
		Series: []Bars{
			{Name: "first", Values: []float64{0.4, -0.2, 0.9}, Errors: []float64{0.1, 0.05, math.NaN()}},
			{Name: "second", Values: []float64{0.3, -0.1, math.Inf(1)}},
		},
		Format: func(v float64) string { return minus(fmt.Sprintf("%.1f", v)) },
	}
}

func criticalDifference() CriticalDifference {
	return CriticalDifference{
		Names: []string{"leads", "close", "closer", "middling", "attention", "a name that is long enough", "last"},
		Ranks: []float64{1.4, 1.9, 2.6, 4.2, 4.4, 5.9, 6.6}, Groups: [][2]int{{0, 1}, {1, 2}, {3, 4}, {5, 6}}, Mark: []int{4},
		Title: "Which can't be told apart", Subtitle: "Holm's correction, 37 breeds",
	}
}
