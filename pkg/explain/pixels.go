package explain

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// pixelGradients is the gradient of the score with respect to the pixels of pictures,
// [len(class), channels, height, width], and the logits.
func (j *job) pixelGradients(images []float32, class, against []int) ([]float32, [][]float32, error) {
	return j.passOver("pixels", usualForward, images, class, against, func(p *pass) *Node {
		g := Gradient(p.score(p.Logits), p.Images)[0]
		p.checks = append(p.checks, check{"the gradient of the pixels", magnitude(g), false})
		return g
	})
}

// pictureGradients is the gradient of each of the job's pictures, none of which may be zero
// everywhere. The logits are noted.
func (j *job) pictureGradients() ([]float32, error) {
	g, logits, err := j.pixelGradients(j.stacked(), j.class, j.against)
	if err != nil {
		return nil, err
	}
	j.logits = logits
	each := len(g) / len(j.pictures)
	for i := range j.pictures {
		if allZero(g[i*each : (i+1)*each]) {
			return nil, j.noGradient(i)
		}
	}
	return g, nil
}

func (j *job) noGradient(picture int) error {
	return fmt.Errorf("picture %d: the gradient of the pixels is zero everywhere, so there is nothing to show: the score doesn't depend on them", j.first+picture)
}

// meanGradient is Σ weight(i)·∇f over n changes of the job's only picture.
func (j *job) meanGradient(n int, weight func(i int) float64, change func(i int, to []float32)) ([]float32, error) {
	sums := make([]float64, len(j.pictures[0].Data))
	done := 0
	err := j.batches(n, change, func(images []float32, class, against []int, n int) error {
		g, _, err := j.pixelGradients(images, class, against)
		if err != nil {
			return err
		}
		for k := range n {
			w := weight(done)
			for i, v := range g[k*len(sums) : (k+1)*len(sums)] {
				sums[i] += w * float64(v)
			}
			done++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if allZero(sums) {
		return nil, j.noGradient(0)
	}
	out := make([]float32, len(sums))
	for i, v := range sums {
		out[i] = float32(v)
	}
	return out, nil
}

// cells sums values of pixels, [pictures, channels, height, width], over the channels and
// pixels of each patch: [pictures, patches].
func (j *job) cells(values []float32) []float32 {
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
	return out
}

// strongest puts the greatest magnitude over the channels of each pixel into the first
// channel of g, [pictures, channels, height, width], and zero into the others.
func (j *job) strongest(g []float32) {
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
}

// saliency is the greatest absolute gradient over the channels of each pixel (Simonyan et
// al., 2014), summed over the patch.
func saliency(j *job) ([]Map, error) {
	g, err := j.pictureGradients()
	if err != nil {
		return nil, err
	}
	j.strongest(g)
	return j.maps(j.cells(g))
}

// inputGradient is Σ x⊙∇f over the channels and pixels of each patch (Shrikumar et al.,
// 2016), with x as the model sees it, normalised: zero is the mean of its training
// pictures. It is signed.
func inputGradient(j *job) ([]Map, error) {
	g, err := j.pictureGradients()
	if err != nil {
		return nil, err
	}
	each := len(g) / len(j.pictures)
	for i, p := range j.pictures {
		if allZero(p.Data) {
			return nil, fmt.Errorf("picture %d: %w", j.first+i, errBlank)
		}
		for k, x := range p.Data {
			g[i*each+k] *= x
		}
	}
	return j.maps(j.cells(g))
}

// igSteps is the number of points of "ig".
const igSteps = 32

// integratedGradients is Σ x⊙∫∇f(ax)da over the channels and pixels of each patch, with a
// from 0 to 1 by Gauss and Legendre's rule (Sundararajan et al., 2017). The baseline is zero
// of the normalised picture. The map sums to f(x)−f(0). It is signed.
func integratedGradients(j *job) ([]Map, error) {
	return j.each(func(j *job) ([]float32, error) {
		picture := j.pictures[0].Data
		if allZero(picture) {
			return nil, fmt.Errorf("picture %d: %w", j.first, errBlank)
		}
		if _, err := j.asked(changes{}); err != nil {
			return nil, err
		}
		points, weights := legendre(or(j.settings.Steps, igSteps))
		g, err := j.meanGradient(len(points), func(i int) float64 { return weights[i] }, func(i int, to []float32) {
			for k := range to {
				to[k] *= float32(points[i])
			}
		})
		if err != nil {
			return nil, err
		}
		for i, x := range picture {
			g[i] *= x
		}
		return j.cells(g), nil
	})
}

// legendre is the points and weights of Gauss and Legendre's rule for the mean of a
// function from 0 to 1.
func legendre(n int) (points, weights []float64) {
	points, weights = make([]float64, n), make([]float64, n)
	for i := range n {
		x := math.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5)) // near a root of P_n
		slope := 0.0
		for range 100 { // Newton's method
			p, before := 1.0, 0.0
			for k := range n {
				p, before = (float64(2*k+1)*x*p-float64(k)*before)/float64(k+1), p
			}
			slope = float64(n) * (x*p - before) / (x*x - 1)
			step := p / slope
			x -= step
			if math.Abs(step) < 1e-15 {
				break
			}
		}
		points[n-1-i], weights[n-1-i] = (1+x)/2, 1/((1-x*x)*slope*slope)
	}
	return points, weights
}

// The number of noisy pictures of "smoothgrad", and their noise as a share of the range of
// the picture's values.
const (
	smoothSamples = 32
	smoothNoise   = 0.15
)

// smoothGrad is saliency of the gradient averaged over noisy pictures (Smilkov et al.,
// 2017): the mean of ∇f(x+ε), of which each pixel has the greatest magnitude over the
// channels, summed over the patch. The noise of picture i is drawn from the seed and i. A
// picture of a single colour has no noise.
func smoothGrad(j *job) ([]Map, error) {
	return j.each(func(j *job) ([]float32, error) {
		if _, err := j.asked(changes{}); err != nil {
			return nil, err
		}
		picture := j.pictures[0].Data
		n, sigma := or(j.settings.Samples, smoothSamples), or(j.settings.Noise, smoothNoise)*spread(picture)
		r, noise := j.random(), make([]float32, len(picture))
		g, err := j.meanGradient(n, func(int) float64 { return 1 / float64(n) }, func(i int, to []float32) {
			j.chance.noise(r, j.indices[0], i, noise)
			for k := range to {
				to[k] += float32(sigma) * noise[k]
			}
		})
		if err != nil {
			return nil, err
		}
		j.strongest(g)
		return j.cells(g), nil
	})
}
