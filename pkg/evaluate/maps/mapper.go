package maps

import (
	"errors"
	"fmt"

	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// ID names a map of a [Mapper].
type ID struct {
	Name  string `json:"name"`
	Layer int    `json:"layer"` // counted from 0; -1: of no layer
	Head  int    `json:"head"`  // counted from 0; -1: of no single head
}

// Batch holds the maps of a few pictures.
type Batch struct {
	Rows, Cols int
	Values     []float32 // [pictures, maps, rows*cols]
	Warnings   []string  // such as resized position embeddings
}

// Mapper makes the maps that [Evaluate] scores.
type Mapper interface {
	Maps() []ID // the same for every picture, in the order of Batch.Values
	Run(pictures []*transform.Tensor) (Batch, error)
}

// Runner runs a model with a [class] token; *vit.Runner is one.
type Runner interface {
	Config() vit.Config
	RunTensors(pictures []*transform.Tensor, want vit.Want) (*vit.Outputs, error)
}

// ClassAttention maps the [class] token's attention over the patches: for each layer the
// mean of its heads, then every head.
func ClassAttention(r Runner) (Mapper, error) {
	cfg := r.Config()
	if !cfg.ClassToken {
		return nil, errors.New("maps: the model has no class token, so there is no attention of it to score")
	}
	a := classAttention{runner: r, cfg: cfg}
	for layer := range cfg.Depth {
		a.ids = append(a.ids, ID{Name: fmt.Sprintf("layer %d, mean of heads", layer), Layer: layer, Head: -1})
		for head := range cfg.Heads {
			a.ids = append(a.ids, ID{Name: fmt.Sprintf("layer %d, head %d", layer, head), Layer: layer, Head: head})
		}
	}
	return a, nil
}

type classAttention struct {
	runner Runner
	cfg    vit.Config
	ids    []ID
}

func (a classAttention) Maps() []ID { return a.ids }

func (a classAttention) Run(pictures []*transform.Tensor) (Batch, error) {
	out, err := a.runner.RunTensors(pictures, vit.Want{ClassAttention: a.cfg.AllLayers()})
	if err != nil {
		return Batch{}, err
	}
	b := Batch{Rows: out.Grid[0], Cols: out.Grid[1], Warnings: out.Warnings}
	each := a.cfg.Heads * b.Rows * b.Cols
	if len(out.ClassAttention.Values) != len(pictures)*a.cfg.Depth*each {
		return Batch{}, fmt.Errorf("maps: attention of shape %v for %d pictures", out.ClassAttention.Shape, len(pictures))
	}
	for at := 0; at < len(out.ClassAttention.Values); at += each {
		row := explain.ClassRow{Heads: a.cfg.Heads, Rows: b.Rows, Cols: b.Cols, Weights: out.ClassAttention.Values[at : at+each]}
		mean, err := row.Map(explain.MeanHeads)
		if err != nil {
			return Batch{}, err
		}
		b.Values = append(append(b.Values, mean.Values...), row.Weights...)
	}
	return b, nil
}
