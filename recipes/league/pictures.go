package main

import (
	"context"
	"errors"
	"fmt"

	"gaze/internal/parallel"
	"gaze/internal/report"
	"gaze/pkg/data"
	"gaze/pkg/data/pets"
	"gaze/pkg/evaluate/maps"
	"gaze/pkg/transform"
)

// The numbers of pictures of a breed in the study's set.
const (
	trainEach = 10
	valEach   = 10
	testEach  = 30
)

// drawn draws pictures of the study's validation or test set, breeds by turns, as a model
// with this pipeline sees them.
func drawn(ctx context.Context, p transform.Pipeline, test bool, n, workers int) ([]*maps.Case, error) {
	drawSeed, size := report.LaptopPictures()
	set := pets.Pets(drawSeed, size, trainEach*pets.Classes, valEach*pets.Classes, testEach*pets.Classes)
	first, most := trainEach*pets.Classes, valEach*pets.Classes
	if test {
		first, most = first+most, testEach*pets.Classes
	}
	if n > most {
		return nil, fmt.Errorf("%d pictures: there are %d", n, most)
	}
	cases := make([]*maps.Case, n)
	return cases, parallel.Each(ctx, n, workers, func(i int) error {
		id := first + i
		s, err := set.At(id)
		if err != nil {
			return err
		}
		breed := set.Class(id)
		c := &maps.Case{Name: fmt.Sprint(id), Stratum: fmt.Sprint(breed), Index: id, Class: breed,
			Drawn: &maps.Drawn{Seed: drawSeed, Breed: breed, Index: id, Size: size, Options: pets.Natural, Pipeline: p}}
		if c.Tensor, err = p.Tensor(s.Image); err != nil {
			return err
		}
		if c.Tensor.Shape[1] != size || c.Tensor.Shape[2] != size {
			return fmt.Errorf("the pipeline %s changes the size of drawings of %d pixels, so that their masks don't fit", p, size)
		}
		c.Pet, c.Head = mask(s.Foreground), mask(s.Head)
		cases[i] = c
		return nil
	})
}

// mask is the pixels that are shown at least by half.
func mask(im *transform.Image) *data.Mask {
	m := &data.Mask{Width: im.Width, Height: im.Height, Pix: make([]uint8, len(im.Pix))}
	for i, v := range im.Pix {
		m.Pix[i] = data.Outside
		if v >= 128 {
			m.Pix[i] = data.Inside
		}
	}
	return m
}

// photographs opens photographs of a split about whose pixels something is known, breeds by
// turns.
func photographs(ctx context.Context, truth *data.Truth, split string, heads bool, p transform.Pipeline, most, workers int) ([]*maps.Case, error) {
	var known []*data.Known
	for _, k := range turns(truth.Pictures) {
		if k.Split == split && (k.HasTrimap() || k.HasOutline()) && (!heads || k.Head != nil) && len(known) < most {
			known = append(known, k)
		}
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("%s: no picture of %s has a trimap or an outline", truth.Folder, split)
	}
	cases := make([]*maps.Case, len(known))
	return cases, parallel.Each(ctx, len(known), workers, func(i int) (err error) {
		cases[i], err = photograph(known[i], p, i)
		return err
	})
}

// turns sorts pictures so that classes take turns.
func turns(pictures []*data.Known) []*data.Known {
	of := map[int][]*data.Known{}
	most, classes := 0, 0
	for _, k := range pictures {
		of[k.Class] = append(of[k.Class], k)
		most, classes = max(most, len(of[k.Class])), max(classes, k.Class+1)
	}
	var out []*data.Known
	for i := range most {
		for c := range classes {
			if i < len(of[c]) {
				out = append(out, of[c][i])
			}
		}
	}
	return out
}

func photograph(k *data.Known, p transform.Pipeline, index int) (*maps.Case, error) {
	im, err := data.Decode(k.Path)
	if err != nil {
		return nil, err
	}
	c := &maps.Case{Name: k.Name, Stratum: fmt.Sprint(k.Class), Index: index, Class: k.Class}
	if c.Tensor, err = p.Tensor(im); err != nil {
		return nil, fmt.Errorf("%s: %w", k.Path, err)
	}
	view, err := k.View(p, im, c.Tensor)
	if err != nil {
		return nil, err
	}
	switch m, err := k.PetMask(); {
	case err == nil:
		c.Pet = view.Mask(m)
	case !errors.Is(err, data.ErrUnknown):
		return nil, err
	}
	if k.Head != nil {
		c.Head = view.Box(*k.Head)
	}
	return c, nil
}

// predict asks the model about its pictures: Right says whether it is right, and Class
// becomes what it says, which maps explain. A model without a head is right about all.
func (o *opened) predict(cases []*maps.Case) error {
	const batch = 64
	classes := o.model.Config.Classes
	for at := 0; at < len(cases); at += batch {
		part := cases[at:min(at+batch, len(cases))]
		if classes == 0 {
			for _, c := range part {
				c.Right, c.Class = true, 0
			}
			continue
		}
		shape := part[0].Tensor.Shape
		images := make([]float32, 0, batch*len(part[0].Tensor.Data))
		for i := range batch {
			images = append(images, part[i%len(part)].Tensor.Data...)
		}
		got, err := o.explainer.Logits(images, [4]int{batch, shape[0], shape[1], shape[2]}, nil)
		if err != nil {
			return err
		}
		for i, c := range part {
			best := 0
			for k, v := range got.Values[i*classes : (i+1)*classes] {
				if v > got.Values[i*classes+best] {
					best = k
				}
			}
			c.Right, c.Class = best == c.Class, best
		}
	}
	return nil
}
