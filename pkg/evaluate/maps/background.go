package maps

import (
	"gaze/pkg/data/pets"
	"gaze/pkg/transform"
)

// TrueBackground replaces pixels by those of the scene drawn without its animal, so that a
// picture with everything removed is one of the same kind as the model was taught on. It
// can be used on drawings; cases without [Case].Drawn aren't scored.
func TrueBackground() Operator {
	return Replacing("background", "true background", "removed pixels become those of the scene drawn without its animal", func(c *Case) (*transform.Tensor, error) {
		if c.Drawn == nil {
			return nil, nil
		}
		q := &questions{of: c, shape: c.Tensor.Shape}
		var err error
		if q.drawn, err = pets.NewOriginal(c.Drawn.Seed, c.Drawn.Breed, c.Drawn.Index, c.Drawn.Size, c.Drawn.Options); err != nil {
			return nil, err
		}
		if err := q.add(q.drawn.Image); err != nil {
			return nil, err
		}
		if err := q.checkPicture(); err != nil {
			return nil, err
		}
		scene, err := q.drawn.Draw(pets.Change{Without: []pets.Part{pets.PartAnimal}})
		if err != nil {
			return nil, err
		}
		if err := q.add(scene.Image); err != nil {
			return nil, err
		}
		return &transform.Tensor{Data: q.images[len(c.Tensor.Data):], Shape: q.shape}, nil
	})
}
