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
	t, err := p.Tensor(im)
	if err != nil {
		return nil, nil, err
	}
	cfg := r.Config()
	o, err := r.Run(t.Data, [4]int{1, t.Shape[0], t.Shape[1], t.Shape[2]}, vit.Want{ClassAttention: cfg.AllLayers()})
	if err != nil {
		return nil, nil, err
	}
	seen, err := Seen(p, im)
	if err != nil {
		return nil, nil, err
	}
	a := &Attention{Picture: name, Model: cfg.Architecture(), Seen: seen}
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
