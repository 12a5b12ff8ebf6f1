package explain

import (
	"fmt"
	"math"

	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Features are the patch tokens of one picture after the model's last norm.
type Features struct {
	Picture    string           // the picture's name
	Model      string           // the checkpoint's name
	Seen       *transform.Image // the part of the picture that the model saw, in the original colours
	Rows, Cols int              // the grid of patches
	Dim        int              // the width of a token
	Values     []float32        // [Rows*Cols, Dim], patches in reading order
}

// FeaturesOf runs a model on one decoded picture and keeps its patch tokens; class,
// distillation and register tokens are left out. It also returns the model's warnings,
// such as a resized grid. The pipeline is as in [Attend]. A model without a head will do.
func FeaturesOf(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (*Features, []string, error) {
	o, seen, err := look(r, p, im, vit.Want{Norm: true})
	if err != nil {
		return nil, nil, err
	}
	cfg := r.Config()
	f := &Features{Picture: name, Model: cfg.Architecture(), Seen: seen, Rows: o.Grid[0], Cols: o.Grid[1], Dim: cfg.Dim}
	f.Values = o.Norm.Values[cfg.Prefix()*cfg.Dim:]
	return f, o.Warnings, f.check()
}

// look runs a model on one picture; seen is as in [Seen].
func look(r *vit.Runner, p transform.Pipeline, im *transform.Image, want vit.Want) (o *vit.Outputs, seen *transform.Image, err error) {
	t, err := p.Tensor(im)
	if err != nil {
		return nil, nil, err
	}
	if o, err = r.RunTensors([]*transform.Tensor{t}, want); err != nil {
		return nil, nil, err
	}
	seen, err = Seen(p, im)
	return o, seen, err
}

// check reports features with which nothing can be compared.
func (f *Features) check() error {
	n := f.Rows * f.Cols
	if n < 1 || f.Dim < 1 || len(f.Values) != n*f.Dim {
		return fmt.Errorf("explain: %d values aren't %d features for each of %d×%d patches", len(f.Values), f.Dim, f.Rows, f.Cols)
	}
	if n == 1 {
		return fmt.Errorf("explain: %s is a grid of 1×1 patch, which there is nothing in the picture to compare with: use larger pictures, or a model with smaller patches", f.Picture)
	}
	for i, v := range f.Values {
		if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("explain: %s: the final norm of the patch in row %d, column %d isn't finite (%g): look for weights or pixels that are far too large",
				f.Picture, i/f.Dim/f.Cols, i/f.Dim%f.Cols, v)
		}
	}
	return nil
}
