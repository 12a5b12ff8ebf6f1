package main

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"github.com/gomlx/compute"

	"gaze/pkg/data/pets"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// source draws pictures of sister breeds, one breed after another, each picture once.
type source struct {
	size    int
	batches int // in an epoch
	first   int // number of the first picture of each breed
}

// Len is the number of batches in an epoch.
func (s *source) Len() int { return s.batches }

// Batches draws the epoch's batches, each while the previous one is being trained on.
func (s *source) Batches(epoch, from int) iter.Seq2[train.Batch, error] {
	return train.Ahead(from, s.batches, func(i int) (train.Batch, error) { return s.draw((epoch*s.batches + i) * batch) })
}

// draw makes the batch that begins with picture number at, counted over the whole run.
func (s *source) draw(at int) (train.Batch, error) {
	n, classes := 3*s.size*s.size, outputs()
	b := train.Batch{Images: make([]float32, batch*n), Labels: make([]int, batch), Targets: make([]float32, batch*classes)}
	errs := make([]error, batch)
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			for k := w; k < batch; k += workers {
				breed := (at + k) % breeds
				spec := pets.Breed(pets.Classes + breed)
				if known(spec) {
					errs[k] = fmt.Errorf("breed %d is one of the data set's own", spec.Index)
					return
				}
				p, err := pets.Draw(seed, spec.Index, s.first+(at+k)/breeds, s.size, pets.Natural)
				if err != nil {
					errs[k] = err
					return
				}
				normalise(b.Images[k*n:(k+1)*n], p.Image)
				b.Labels[k] = breed
				target(b.Targets[k*classes:(k+1)*classes], breed, spec)
			}
		})
	}
	wait.Wait()
	return b, errors.Join(errs...)
}

// normalise is totensor and normalize(0.5,0.5): [3, height, width], -1 to 1.
func normalise(to []float32, im *transform.Image) {
	plane := im.Width * im.Height
	for i := range plane {
		for c := range 3 {
			to[c*plane+i] = (float32(im.Pix[3*i+c])/255 - 0.5) / 0.5
		}
	}
}

// target returns a picture's target: three tenths for its breed, the rest divided equally
// among the values of its attributes.
func target(row []float32, breed int, spec pets.BreedSpec) {
	row[breed] = 0.3
	values, offset := spec.Attributes(), breeds
	for i, v := range values {
		row[offset+v] = 0.7 / float32(len(values))
		offset += pets.AttributeSizes[i]
	}
}

// test prints the accuracy on new pictures, of the breed (among the breeds) and of each
// attribute.
func test(device compute.Backend, m *vit.Model, size int) error {
	runner, err := vit.NewRunner(device, m)
	if err != nil {
		return err
	}
	defer runner.Close()
	s := &source{size: size, batches: 60, first: 900_000}
	pictures, breed, attributes := 0, 0, make([]int, len(pets.AttributeSizes))
	for b, err := range s.Batches(0, 0) {
		if err != nil {
			return err
		}
		out, err := runner.Run(b.Images, [4]int{batch, 3, size, size}, vit.Want{Logits: true})
		if err != nil {
			return err
		}
		for k, label := range b.Labels {
			row := out.Logits.Values[k*outputs() : (k+1)*outputs()]
			pictures++
			if largest(row[:breeds]) == label {
				breed++
			}
			offset := breeds
			for i, v := range pets.Breed(pets.Classes + label).Attributes() {
				if largest(row[offset:offset+pets.AttributeSizes[i]]) == v {
					attributes[i]++
				}
				offset += pets.AttributeSizes[i]
			}
		}
	}
	fmt.Printf("%d pixels, %d new pictures: breed %.1f %%", size, pictures, 100*float64(breed)/float64(pictures))
	for i, n := range attributes {
		fmt.Printf(", %s %.1f %%", pets.AttributeNames[i], 100*float64(n)/float64(pictures))
	}
	fmt.Println()
	return nil
}

// largest returns the index of the first largest value.
func largest(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}
