package scenes_test

import (
	"fmt"
	"log"

	"gaze/pkg/data/scenes"
)

func ExampleReport() {
	s, err := scenes.Report("ski", 128)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range s.Captions {
		fmt.Println(c)
	}
	// Output:
	// there is a woman in a red shirt on skis in the snow
	// a woman in a red shirt skiing in the snow
	// a woman skiing in the snow with mountains in the background
	// a woman is skiing down a snowy slope
	// there is a woman skiing down a slope
}

func ExampleDraw() {
	s, err := scenes.Draw(1, 8, 128, scenes.Train)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Image.Width, s.Image.Height, s.Image.Channels)
	fmt.Println(s.Captions[0])
	for _, n := range s.Nouns {
		pixels := 0
		for _, v := range n.Mask.Pix {
			pixels += int(v)
		}
		fmt.Printf("%s %s: %d %%\n", n.Kind, n.Words, 100*pixels/255/len(n.Mask.Pix))
	}
	// Output:
	// 128 128 3
	// there is a boy holding a yellow surfboard on the sand
	// person [boy person]: 10 %
	// thing [shirt]: 4 %
	// colour [purple]: 4 %
	// thing [surfboard]: 6 %
	// colour [yellow]: 6 %
	// place [beach sand]: 39 %
	// place [ocean]: 9 %
}
