package plots_test

import (
	"fmt"
	"image"
	"log"
	"os"
	"path/filepath"

	"gaze/pkg/plots"
)

func ExampleHeatMap() {
	m := plots.HeatMap{
		Values: [][]float64{{0.1, 0.7}, {0.2, 1}},
		Title:  "Similarity", XLabel: "column", YLabel: "row",
		Marks: []plots.Cell{{Row: 1, Col: 1}},
		Scale: plots.Scale{Map: plots.Viridis, Min: -1, Max: 1, Label: "cosine"},
	}
	img, err := m.Image(2)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Println(plots.SavePNG(filepath.Join(dir, "similarity.png"), img))
	// Output: <nil>
}

func ExampleOverlay() {
	photo := image.NewRGBA(image.Rect(0, 0, 224, 224))
	svg, err := plots.Overlay{
		Picture: photo, Values: [][]float64{{0.1, 0.7}, {0.2, 1}},
		Title: "Attention", Subtitle: "layer 12, mean over heads", Scale: plots.Scale{Map: plots.Inferno},
	}.SVG()
	fmt.Println(svg[:4], err)
	// Output: <svg <nil>
}

func ExampleTable() {
	fmt.Print(plots.Table{
		Columns: []plots.Column{{Name: "model"}, {Name: "accuracy", Format: "%.3f", Best: plots.BestHighest}},
		Rows:    [][]any{{"ViT-S/14", 0.811}, {"ViT-B/14", 0.845}},
	})
	// Output:
	// model     accuracy
	// ────────  ────────
	// ViT-S/14    0.811
	// ViT-B/14    0.845*
}

func ExampleColormap_At() {
	fmt.Println(plots.Viridis.At(0), plots.Viridis.At(1))
	// Output: {68 1 84 255} {253 231 36 255}
}
