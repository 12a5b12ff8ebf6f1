package explain

import (
	"fmt"

	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Attend runs a model on one decoded picture. It returns the [class] query's attention
// in every layer, and the model's warnings, such as a resized grid. The pipeline must end
// in a tensor whose size is a multiple of the model's patch size. name is the picture's
// name in titles.
func Attend(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (*Attention, []string, error) {
	in, err := Prepare(p, im)
	if err != nil {
		return nil, nil, err
	}
	return in.Attend(r, name)
}

// Prepared is a picture that is ready for [Prepared.Attend].
type Prepared struct {
	Tensor *transform.Tensor // what the model gets, [channels, rows, columns]
	Seen   *transform.Image  // that part of the picture, see [Seen]
}

// Prepare prepares a decoded picture, which isn't needed afterwards.
func Prepare(p transform.Pipeline, im *transform.Image) (Prepared, error) {
	t, err := p.Tensor(im)
	if err != nil {
		return Prepared{}, err
	}
	seen, err := Seen(p, im)
	return Prepared{t, seen}, err
}

// Attend is the function [Attend] for a prepared picture.
func (in Prepared) Attend(r *vit.Runner, name string) (*Attention, []string, error) {
	cfg := r.Config()
	o, err := r.RunTensors([]*transform.Tensor{in.Tensor}, vit.Want{ClassAttention: cfg.AllLayers()})
	if err != nil {
		return nil, nil, err
	}
	a := &Attention{Picture: name, Model: cfg.Architecture(), Seen: in.Seen}
	size := cfg.Heads * o.Grid[0] * o.Grid[1]
	for l := range cfg.Depth {
		a.Layers = append(a.Layers, ClassRow{
			Heads: cfg.Heads, Rows: o.Grid[0], Cols: o.Grid[1],
			Weights: o.ClassAttention.Values[l*size : (l+1)*size],
		})
	}
	if len(o.ClassAttention.Values) != size*cfg.Depth {
		return nil, nil, fmt.Errorf("explain: attention of shape %v from %s", o.ClassAttention.Shape, cfg.Architecture())
	}
	return a, o.Warnings, nil
}
