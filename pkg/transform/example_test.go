package transform_test

import (
	"fmt"

	"gaze/pkg/transform"
)

func ExampleParse() {
	p, err := transform.Parse("Resize(256,bicubic) | CenterCrop(224) | ToTensor | normalize(0.5,0.5)")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p)
	t, err := p.Tensor(transform.NewImage(640, 480, 3))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Shape, t.Data[0])
	// Output:
	// resize(256,bicubic) | centercrop(224) | totensor | normalize(0.5,0.5)
	// [3 224 224] -1
}

func ExampleParse_error() {
	_, err := transform.Parse("resize(256) | centrecrop(224)")
	fmt.Println(err)
	// Output:
	// column 15: there is no step "centrecrop"; the steps are 3augment, affine, affinemap, autocontrast, background, brightness, centercrop, contrast, crop, equalize, erase, erasecells, gaussianblur, grayscale, hflip, hue, identity, invert, jitter, normalize, pad, perspective, pilblur, posterize, randaugment, randomcrop, randomerasecells, randomerasing, randomresizedcrop, resize, rotate, rotation, saturation, sharpness, solarize, totensor, trivialaugmentwide, vflip, warp
	//   resize(256) | centrecrop(224)
	//                 ^
}

// The size of a pipeline's result is known in advance if it doesn't depend on the picture.
func ExamplePipeline_OutputSize() {
	for _, spec := range []string{"resize(256) | centercrop(224,192) | totensor", "resize(256) | totensor"} {
		p, err := transform.Parse(spec)
		if err != nil {
			fmt.Println(err)
			return
		}
		if channels, height, width, fixed := p.OutputSize(); fixed {
			fmt.Println(channels, height, width)
		} else {
			fmt.Println("depends on the picture")
		}
	}
	// Output:
	// 3 224 192
	// depends on the picture
}
