package caption

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption/score"
	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// Neighbours are captioned pictures that a captioner remembers. A search finds those that
// look most like the picture at hand, and of the captions that the decoder offers, takes the
// one that agrees best with theirs ([Options].Neighbours). The sentence is the decoder's own
// all the same: none is copied.
type Neighbours struct {
	Pictures int `json:"pictures"`
	Width    int `json:"width"` // of what is compared: the projected mean of the features
}

// Names of the parameters of [Neighbours]: a linear layer, and the pictures' vectors [
// pictures, width], each of length 1.
const (
	neighboursProject  = "neighbours/project"
	neighboursFeatures = "neighbours/features"
)

// metadataNeighbours is the key in a file's metadata of the captions of the neighbours, a
// JSON list of lists.
const metadataNeighbours = "gaze.caption.neighbours"

func (c Config) checkNeighbours() error {
	n := c.Neighbours
	switch {
	case n == nil:
		return nil
	case n.Pictures < 1 || n.Width < 1 || n.Pictures > maxGist || n.Width > maxGist:
		return fmt.Errorf("neighbours: %d pictures of %d values: both must be 1 to %d", n.Pictures, n.Width, maxGist)
	case c.Gist == nil:
		return fmt.Errorf("neighbours need a gist, the mean of the features")
	}
	return nil
}

// memories is what a captioner compares a picture with.
type memories struct {
	width    int
	features []float32 // [pictures, width], each of length 1
	corpus   *score.Corpus
}

// newMemories reads a model's neighbours; nil if it has none.
func newMemories(m *Model) (*memories, error) {
	n := m.Config.Neighbours
	if n == nil {
		return nil, nil
	}
	if len(m.Remembered) != n.Pictures {
		return nil, fmt.Errorf("captions of %d remembered pictures, the configuration says %d", len(m.Remembered), n.Pictures)
	}
	values, _, err := m.Parameter(neighboursFeatures)
	if err != nil {
		return nil, err
	}
	return &memories{width: n.Width, features: slices.Clone(values), corpus: score.NewCorpus(m.Remembered)}, nil
}

// summary is what is compared with the neighbours, [batch, width]: the projected mean of the
// features, of length 1.
func summary(scope *model.Scope, cfg Config, memory *Memory) *Node {
	m := newModule(scope, cfg, memory.Features)
	x := meanOfCells(memory.Features, memory.Padding)
	x = m.linear(neighboursProject, x, cfg.Neighbours.Width, nn.Linear{})
	return Div(x, MaxScalar(Sqrt(ReduceAndKeep(Square(x), ReduceSum, -1)), 1e-12))
}

// nearest lists the n pictures whose vectors are nearest to x, nearest first, and their
// cosines.
func (m *memories) nearest(x []float32, n int) (pictures []int, cosines []float64) {
	all := make([]float64, len(m.features)/m.width)
	order := make([]int, len(all))
	for i := range all {
		order[i] = i
		for k, v := range m.features[i*m.width : (i+1)*m.width] {
			all[i] += float64(v) * float64(x[k])
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(all[b], all[a]) })
	for _, i := range order[:min(n, len(order))] {
		pictures, cosines = append(pictures, i), append(cosines, all[i])
	}
	return pictures, cosines
}

// consensusWeight is what a caption's mean log-probability counts beside its agreement with
// the neighbours' captions, which is from 0 to 10.
const consensusWeight = 0.5

// choose is the candidate that agrees best with the captions of the nearest pictures. One
// that repeats itself is only taken if all do.
func (m *memories) choose(texts []string, logProbs []float64, x []float32, n int) int {
	pictures, _ := m.nearest(x, n)
	agreement := m.corpus.Agreement(texts, pictures, nil)
	best, most, sound := 0, math.Inf(-1), false
	for i, a := range agreement {
		s, fine := a+consensusWeight*logProbs[i], !score.Repeats(texts[i])
		if fine && !sound || fine == sound && s > most {
			best, most, sound = i, s, fine
		}
	}
	return best
}

// WithNeighbours is the model with pictures to remember: the projection from features to
// what is compared, a weight [width, channels] and a bias [width]; the pictures' vectors,
// [pictures, width], each of length 1; and their captions, tokenized as package score has
// it.
func (m *Model) WithNeighbours(weight, bias, features *weights.Tensor, captions [][]string) (*Model, error) {
	list, err := m.Tensors()
	if err != nil {
		return nil, err
	}
	out := *m
	out.file = nil
	out.Config.Neighbours = &Neighbours{Pictures: len(captions), Width: bias.Len()}
	if err := out.Config.Validate(); err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	named := func(t *weights.Tensor, name string) (*weights.Tensor, error) {
		values, err := t.Float32s()
		return weights.NewTensor(name, t.Shape, values), err
	}
	for name, t := range map[string]*weights.Tensor{neighboursProject + "/weight": weight, neighboursProject + "/bias": bias, neighboursFeatures: features} {
		renamed, err := named(t, name)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		list = append(list, renamed)
	}
	if out.params, err = nn.Owned(list); err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	if err := out.params.Check(out.Config.Parameters()); err != nil {
		return nil, fmt.Errorf("caption: neighbours: %w", err)
	}
	out.Remembered = captions
	return &out, nil
}

// parseRemembered reads the captions of the neighbours.
func parseRemembered(text string, pictures int) ([][]string, error) {
	var list [][]string
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&list); err != nil {
		return nil, fmt.Errorf("the neighbours' captions in its metadata: %w", err)
	}
	if len(list) != pictures {
		return nil, fmt.Errorf("the neighbours' captions in its metadata are of %d pictures, the configuration says %d", len(list), pictures)
	}
	return list, nil
}
