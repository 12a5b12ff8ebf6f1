package main

import (
	"errors"
	"runtime"
	"slices"

	"gaze/pkg/data"
	"gaze/pkg/transform"
)

// preparePipeline decodes all pictures and applies a pipeline to them, on one core. Its
// answer is the tensor of the first picture by another pipeline without random steps.
func preparePipeline(t task) ([]float32, work, error) {
	runtime.GOMAXPROCS(1)
	if len(t.Pictures) == 0 {
		return nil, nil, errors.New("no pictures")
	}
	check, err := transform.Parse(t.Check)
	if err != nil {
		return nil, nil, err
	}
	pipeline, err := transform.Parse(t.Pipeline)
	if err != nil {
		return nil, nil, err
	}
	var decoder data.Decoder
	var buffers transform.Buffers
	tensor := func(p transform.Pipeline, index uint64, path string) (*transform.Tensor, error) {
		im, err := decoder.Decode(path)
		if err != nil {
			return nil, err
		}
		return buffers.Tensor(p, 1, 1, index, im)
	}
	first, err := tensor(check, 0, t.Pictures[0])
	if err != nil {
		return nil, nil, err
	}
	answer, index := slices.Clone(first.Data), uint64(0)
	return answer, func() error {
		for _, path := range t.Pictures {
			index++
			if _, err := tensor(pipeline, index, path); err != nil {
				return err
			}
		}
		return nil
	}, nil
}
