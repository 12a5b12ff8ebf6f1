package explain

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/vit"
)

// pixelGradients is the gradient of the score with respect to the pixels of pictures,
// [len(class), channels, height, width].
func (j *job) pixelGradients(images []float32, class, against []int) ([]float32, error) {
	return j.pass("pixels", vit.Explaining{}, images, class, against, func(p *pass) *Node {
		return p.gradients("the pixels", p.Images)[0]
	})
}

// cells sums values of pixels, [pictures, channels, height, width], over the channels and
// pixels of each patch, and makes maps of the sums.
func (j *job) cells(values []float32) ([]Map, error) {
	c, h, w := j.cfg.Channels, j.cfg.ImageSize[0], j.cfg.ImageSize[1]
	grid, patch := j.cfg.Grid(), j.cfg.PatchSize
	sums := make([]float64, len(values)/(c*h*w)*grid[0]*grid[1])
	for i, v := range values {
		x, y, picture := i%w, i/w%h, i/(c*h*w)
		sums[(picture*grid[0]+y/patch[0])*grid[1]+x/patch[1]] += float64(v)
	}
	out := make([]float32, len(sums))
	for i, v := range sums {
		out[i] = float32(v)
	}
	return j.maps(out)
}

// saliency is the greatest absolute gradient over the channels of each pixel (Simonyan et
// al., 2014), summed over the patch.
func saliency(j *job) ([]Map, error) {
	g, err := j.pixelGradients(j.stacked(), j.class, j.against)
	if err != nil {
		return nil, err
	}
	plane := j.cfg.ImageSize[0] * j.cfg.ImageSize[1]
	each := j.cfg.Channels * plane
	for at := 0; at < len(g); at += each {
		for i := range plane {
			top := float32(0)
			for c := range j.cfg.Channels {
				v := &g[at+c*plane+i]
				top = max(top, *v, -*v)
				*v = 0
			}
			g[at+i] = top
		}
	}
	return j.cells(g)
}
