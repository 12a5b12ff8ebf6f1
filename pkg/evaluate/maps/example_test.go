package maps_test

import (
	"context"
	"fmt"
	"log"

	"gaze/pkg/data"
	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
)

// A map that lies on half of the pet, judged by where it lies.
func ExampleLocalisationJudge() {
	pet := &data.Mask{Width: 8, Height: 8, Pix: make([]uint8, 64)}
	for i := range pet.Pix {
		if i%8 < 4 {
			pet.Pix[i] = data.Inside
		}
	}
	m := explain.Map{Rows: 2, Cols: 2, Values: []float32{3, 0, 0, 1}}
	var judge maps.LocalisationJudge
	scores, err := judge.Judge(context.Background(), nil, []*maps.Entrant{{Name: "mine"}}, []*maps.Case{{Name: "cat", Pet: pet}}, [][]explain.Map{{m}})
	if err != nil {
		log.Fatal(err)
	}
	for i, c := range judge.Columns()[:3] {
		fmt.Printf("%s %.2f\n", c.Name, scores[0][0][i])
	}
	// Output:
	// pointing game, pet 1.00
	// energy inside, pet 0.75
	// IoU at its area, pet 0.33
}

// The columns of a way of removing parts of one's own.
func ExampleNewFaithfulness() {
	judge, err := maps.NewFaithfulness(maps.FaithfulnessOptions{
		Operators: []maps.Operator{maps.TrainingMean(), maps.LinearImputation(0.01, 1)},
		Parts:     maps.Curves,
		Fractions: []float64{0.2, 0.5, 0.8},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range judge.Columns() {
		better := "larger"
		if c.Lower {
			better = "smaller"
		}
		fmt.Printf("%s: %s is better\n", c.Name, better)
	}
	// Output:
	// deletion AUC, training mean: smaller is better
	// insertion AUC, training mean: larger is better
	// ½(LeRF-MoRF), training mean: larger is better
	// positive perturbation, training mean: smaller is better
	// negative perturbation, training mean: larger is better
	// deletion AUC, ROAD: smaller is better
	// insertion AUC, ROAD: larger is better
	// ½(LeRF-MoRF), ROAD: larger is better
	// positive perturbation, ROAD: smaller is better
	// negative perturbation, ROAD: larger is better
}
