package evaluate_test

import (
	"fmt"
	"log"

	"gaze/pkg/evaluate"
)

func ExampleWilson() {
	fmt.Println(evaluate.Wilson(340, 370).Percent())
	// Output: 91.9 % (88.7 to 94.3)
}

// The accuracies of three seeds.
func ExampleMeanInterval() {
	i, err := evaluate.MeanInterval([]float64{0.912, 0.905, 0.921})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f ± %.1f %%\n", 100*i.Value, 100*i.Half())
	// Output: 91.3 ± 2.0 %
}

func ExampleMcNemar() {
	var first, second []bool
	for i := range 100 {
		first = append(first, i < 90)
		second = append(second, i < 81 || i == 99)
	}
	c, err := evaluate.McNemar(first, second)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c)
	// Output: of 100 pictures, the first alone is right on 9, the second alone on 1: p = 0.0215 (McNemar's test, exact)
}

func ExampleNew() {
	r, err := evaluate.New(&evaluate.Predictions{
		Classes: []string{"cat", "dog"}, Names: []string{"a.jpg", "b.jpg", "c.jpg"},
		Labels: []int{0, 1, 1}, Logits: []float32{2, 0, 0, 2, 1, 0},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r)
	fmt.Print(r.PairTable())
	// Output:
	// 2 of 3 right: 66.7 % (20.8 to 93.9); ECE 0.323
	// Most confused classes
	// class  taken for  pictures  of the class %
	// ─────  ─────────  ────────  ──────────────
	// dog    cat               1            50.0
}
