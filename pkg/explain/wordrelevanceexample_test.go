package explain_test

import (
	"fmt"

	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// A captioner of random weights explains two tokens of a caption.
func ExampleWordExplainer() {
	m, err := caption.New(caption.Small(20), 1)
	if err != nil {
		panic(err)
	}
	b, err := backend.Default()
	if err != nil {
		panic(err)
	}
	e, err := explain.NewWordExplainer(b, m)
	if err != nil {
		panic(err)
	}
	defer e.Close()
	picture, err := m.Config.Preprocess(transform.NewImage(64, 32, 3))
	if err != nil {
		panic(err)
	}
	said := []int{7, 4, 9, 2} // the tokens of a result, [SEP] last
	maps, err := e.Explain("chefer", picture, said, explain.WordOptions{Tokens: []int{0, 2}})
	if err != nil {
		panic(err)
	}
	for i, m := range maps.Maps {
		fmt.Printf("token %d: %d×%d cells\n", maps.Tokens[i], m.Rows, m.Cols)
	}
	// Output:
	// token 0: 8×16 cells
	// token 2: 8×16 cells
}
