package explain

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Explainer makes maps that explain a model's answers, by any of [Methods]. It has the
// model's weights in a form that can be differentiated. It is safe for concurrent use.
type Explainer struct {
	backend compute.Backend
	runner  *vit.Runner
	config  vit.Config
	chance  chance // random numbers of the methods that draw some

	mu     sync.Mutex
	checks map[string][]check // of each program, by its key
}

// NewExplainer uploads a model's weights to the backend. The model may be closed
// afterwards.
func NewExplainer(b compute.Backend, m *vit.Model) (*Explainer, error) {
	r, err := vit.NewRunner(b, m, vit.WithGradients)
	if err != nil {
		return nil, err
	}
	return &Explainer{backend: b, runner: r, config: m.Config, chance: seeded, checks: map[string][]check{}}, nil
}

// Config is the model's configuration.
func (e *Explainer) Config() vit.Config { return e.config }

// Close frees the weights. The explainer can't be used afterwards.
func (e *Explainer) Close() error { return e.runner.Close() }

// Predicted stands for the class that the model predicts.
const Predicted = -1

// Options say what is explained. The zero value explains the
// predicted class with every setting at its default.
type Options struct {
	// Classes are the classes to explain, one for each picture or one for all;
	// [Predicted]: the one with the largest logit. Empty: predicted.
	Classes []int
	// Against are classes whose logits are subtracted, so that the map shows what speaks
	// for the one rather than the other; one for each picture or one for all. Empty: none.
	Against []int
	// Query is the row and column of a patch whose view a map of attention shows; nil: of
	// the tokens that the head reads.
	Query *[2]int
	// Seed of methods that draw random numbers. A picture's numbers depend on the seed
	// and on its index in Indices.
	Seed uint64
	// Indices number the pictures for random numbers; nil: 0, 1, 2, …
	Indices  []int
	Settings Settings
}

// Explanation is the maps of one method.
type Explanation struct {
	Method   *Method
	Maps     []Map       // one for each picture, unnormalised
	Logits   [][]float32 // of each picture; nil without a head
	Classes  []int       // that were explained; -1 where no class was
	Against  []int       // that were subtracted; -1: none
	Warnings []string    // such as resized position embeddings, the first time they apply
}

// Explain makes a map of each picture by a method. Pictures are preprocessed and of one
// size. It is an error, which names the layer, if something isn't finite, and if a
// gradient that the method needs is zero everywhere.
func (e *Explainer) Explain(method string, pictures []*transform.Tensor, o Options) (*Explanation, error) {
	m, err := FindMethod(method)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	j, err := e.job(m, pictures, o)
	if err != nil {
		return nil, fmt.Errorf("explain: %s: %w", m.Name, err)
	}
	x := &Explanation{Method: m, Classes: j.class, Against: j.against}
	for at := 0; at < len(pictures); {
		part := j.part(at, min(at+j.most(), len(pictures)))
		maps, err := part.run()
		if err != nil {
			return nil, fmt.Errorf("explain: %s: %w", m.Name, err)
		}
		x.Maps = append(x.Maps, maps...)
		x.Logits = append(x.Logits, part.logits...)
		x.Warnings = append(x.Warnings, part.warnings...)
		at += len(maps)
	}
	for i, logits := range x.Logits {
		if j.class[i] == Predicted {
			j.class[i] = argmax(logits)
		}
	}
	return x, nil
}

// job is a method's work on pictures of one size.
type job struct {
	*Explainer
	method   *Method
	cfg      vit.Config // for the pictures' size
	settings Settings
	seed     uint64
	query    *[2]int

	first    int // of the pictures, in errors
	pictures []*transform.Tensor
	class    []int // one for each picture; -1: predicted
	against  []int // one for each picture; -1: none
	indices  []int // one for each picture, for random numbers

	logits   [][]float32 // found on the way
	warnings []string
}

// job checks what is asked.
func (e *Explainer) job(m *Method, pictures []*transform.Tensor, o Options) (*job, error) {
	if len(pictures) == 0 {
		return nil, errors.New("there are no pictures")
	}
	j := &job{Explainer: e, method: m, settings: o.Settings.filled(), seed: o.Seed, query: o.Query, pictures: pictures}
	shape := pictures[0].Shape
	for i, p := range pictures {
		if p.Shape != shape {
			return nil, fmt.Errorf("picture %d is %v, the first %v: a batch takes one size", i, p.Shape, shape)
		}
	}
	var err error
	if j.cfg, err = e.config.WithImageSize(shape[1], shape[2]); err != nil {
		return nil, err
	}
	if err := j.settings.check(j.cfg.Depth, j.cfg.Heads); err != nil {
		return nil, err
	}
	if err := j.checkModel(o); err != nil {
		return nil, err
	}
	if j.class, err = perPicture(o.Classes, len(pictures), j.cfg.Classes, "class", m.OfClass || len(o.Classes) > 0); err != nil {
		return nil, err
	}
	if j.against, err = perPicture(o.Against, len(pictures), j.cfg.Classes, "class", len(o.Against) > 0); err != nil {
		return nil, err
	}
	for i, c := range j.class {
		if c >= 0 && c == j.against[i] {
			return nil, fmt.Errorf("class %d is held against itself: the difference is zero everywhere", c)
		}
	}
	j.indices = o.Indices
	if j.indices == nil {
		for i := range pictures {
			j.indices = append(j.indices, i)
		}
	}
	if len(j.indices) != len(pictures) {
		return nil, fmt.Errorf("%d indices for %d pictures", len(j.indices), len(pictures))
	}
	return j, nil
}

// checkModel reports what this model can't be asked.
func (j *job) checkModel(o Options) error {
	c, grid := j.cfg, j.cfg.Grid()
	switch {
	case c.Patches() == 1:
		return errors.New("the picture is a single patch, so a map of it shows nothing: use a larger picture")
	case j.method.OfClass && c.Classes == 0:
		return errors.New("the model has no head, so there is no class to explain: use a method of attention (attention, rollout), or weights with a head")
	case (j.method.OfClass || len(o.Classes) > 0) && c.Classes == 1:
		return errors.New("the model has a single class, so there is nothing that it could answer instead: use a method of attention (attention, rollout)")
	case !j.method.OfClass && len(o.Against) > 0:
		return errors.New("its maps are the same for every class, so one class can't be held against another")
	case o.Query != nil && j.method.OfClass:
		return errors.New("a patch's view (query) can be shown by methods of attention only (attention, rollout)")
	case o.Query != nil && (o.Query[0] < 0 || o.Query[1] < 0 || o.Query[0] >= grid[0] || o.Query[1] >= grid[1]):
		return fmt.Errorf("there is no patch in row %d, column %d: the grid has %d rows and %d columns, counted from 0", o.Query[0], o.Query[1], grid[0], grid[1])
	}
	return nil
}

// perPicture spreads a list of classes over n pictures.
func perPicture(list []int, n, classes int, what string, used bool) ([]int, error) {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	switch {
	case len(list) == 0 || !used:
		return out, nil
	case len(list) != 1 && len(list) != n:
		return nil, fmt.Errorf("%d classes for %d pictures: give one for all or one for each", len(list), n)
	}
	for i := range out {
		c := list[i%len(list)]
		if c < -1 || c >= classes {
			return nil, fmt.Errorf("there is no %s %d: the model has %d, counted from 0", what, c, classes)
		}
		out[i] = c
	}
	return out, nil
}

// part is the job for some of the pictures. It shares the list of classes with the job.
func (j *job) part(from, to int) *job {
	p := *j
	p.first, p.pictures = j.first+from, j.pictures[from:to]
	p.class, p.against, p.indices = j.class[from:to], j.against[from:to], j.indices[from:to]
	p.logits, p.warnings = nil, nil
	return &p
}

// maxValues bounds the attention probabilities and their gradients that a program keeps:
// 2²⁷ values take half a gibibyte.
const maxValues = 1 << 27

// most is how many pictures run at a time.
func (j *job) most() int {
	tokens := j.cfg.Tokens()
	each := 3 * j.cfg.Depth * j.cfg.Heads * tokens * tokens
	return min(max(maxValues/each, 1), 64)
}

// run makes the maps.
func (j *job) run() ([]Map, error) {
	if j.method.search != nil {
		return j.method.search(j)
	}
	s := j.settings
	key := fmt.Sprintf("%s layer=%d heads=%v discard=%g steps=%d", j.method.Name, *s.Layer, s.Heads, s.Discard, s.Steps)
	values, err := j.passed(key, vit.Explaining{Apart: j.method.apart}, j.method.graph)
	if err != nil {
		return nil, err
	}
	return j.maps(values)
}

// maps cuts values [pictures, patches] into maps. A map of zeros is a warning: what a
// method leaves out, such as all that speaks against a class, may be all there is.
func (j *job) maps(values []float32) ([]Map, error) {
	grid := j.cfg.Grid()
	n := grid[0] * grid[1]
	var out []Map
	for at := 0; at < len(values); at += n {
		for i, v := range values[at : at+n] {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, fmt.Errorf("picture %d: the map's value in row %d, column %d isn't finite (%g)", j.first+at/n, i/grid[1], i%grid[1], f)
			}
		}
		m := Map{Rows: grid[0], Cols: grid[1], Values: values[at : at+n : at+n]}
		if allZero(m.Values) {
			j.warnings = append(j.warnings, j.nameOf(len(out))+j.method.Title+" finds nothing that speaks for the answer: its map is zero everywhere")
		}
		out = append(out, m)
	}
	return out, nil
}

// nameOf begins a sentence about a picture of this part; a picture that is alone needs no
// number.
func (j *job) nameOf(i int) string {
	if j.first == 0 && len(j.pictures) == 1 {
		return ""
	}
	return fmt.Sprintf("picture %d: ", j.first+i)
}

// stacked is the pictures' values, one after another.
func (j *job) stacked() []float32 {
	var out []float32
	for _, p := range j.pictures {
		out = append(out, p.Data...)
	}
	return out
}

// passed runs a program over the job's pictures and notes their logits.
func (j *job) passed(key string, how vit.Explaining, build func(p *pass) *Node) ([]float32, error) {
	values, logits, err := j.pass(key, how, j.stacked(), j.class, j.against, build)
	j.logits = logits
	return values, err
}

// pass runs a program over pictures, [len(class), channels, height, width], and returns
// the values of what build makes and the logits, nil without a head. If there are more
// pictures than the job has, they are changes of its last. key names the program: it must
// tell whatever build depends on.
func (j *job) pass(key string, how vit.Explaining, images []float32, class, against []int, build func(p *pass) *Node) (values []float32, logits [][]float32, err error) {
	return j.passOver(key, func(scope *model.Scope, cfg vit.Config, images *Node) *vit.Explained {
		return vit.ForwardExplaining(scope, cfg, images, how)
	}, images, class, against, build)
}

// usualForward is a forward pass by Gaze's kernels, of which only the pictures, the
// embeddings, the outputs of all blocks but the last, and the logits are there.
func usualForward(scope *model.Scope, cfg vit.Config, images *Node) *vit.Explained {
	f := vit.Forward(scope, cfg, images)
	x := &vit.Explained{Images: images, Embeddings: f.Embeddings, Logits: f.Logits}
	for _, b := range f.Blocks[:len(f.Blocks)-1] {
		x.Blocks = append(x.Blocks, vit.ExplainedBlock{Tokens: b.Tokens})
	}
	return x
}

// passOver is pass over another forward pass than [vit.ForwardExplaining].
func (j *job) passOver(key string, forward func(*model.Scope, vit.Config, *Node) *vit.Explained, images []float32, class, against []int, build func(p *pass) *Node) (values []float32, logits [][]float32, err error) {
	n := len(class)
	start, classes, free, err := j.inputs(class, against)
	if err != nil {
		return nil, nil, err
	}
	defer free()
	r, err := j.runner.Program(key, images, j.shape(n), func(scope *model.Scope, cfg vit.Config, images *Node, more []*Node) []*Node {
		p := &pass{cfg: cfg, settings: j.settings, start: more[0], classes: more[1]}
		p.Explained = forward(scope, cfg, images)
		p.choose()
		results, checks := p.results(build(p))
		j.note(key, checks)
		return results
	}, start, classes)
	if err != nil {
		return nil, nil, err
	}
	j.warnings = append(j.warnings, r.Warnings...)
	checks := j.noted(key)
	maxima := r.Arrays[len(r.Arrays)-1].Values
	if len(r.Arrays) == 3 {
		logits = answersOf(r.Arrays[1])
	}
	for i := range n {
		if class[i] == Predicted && logits != nil {
			if err := notAgainstItself(j.picture(i), argmax(logits[i]), against[i]); err != nil {
				return nil, nil, err
			}
		}
		if err := verify(checks, maxima[i*len(checks):(i+1)*len(checks)]); err != nil {
			return nil, nil, fmt.Errorf("picture %d: %w", j.picture(i), err)
		}
	}
	return r.Arrays[0].Values, logits, nil
}

// picture is the number of the picture that picture i of a batch is, or is a change of.
func (j *job) picture(i int) int { return j.first + min(i, len(j.pictures)-1) }

// shape is that of a batch of pictures.
func (j *job) shape(batch int) [4]int {
	return [4]int{batch, j.cfg.Channels, j.cfg.ImageSize[0], j.cfg.ImageSize[1]}
}

// answersOf cuts an array into its rows.
func answersOf(a vit.Array) [][]float32 {
	var rows [][]float32
	n := len(a.Values) / a.Shape[0]
	for i := range a.Shape[0] {
		rows = append(rows, a.Values[i*n:(i+1)*n])
	}
	return rows
}

// note keeps what a program checks: its graph is built only once.
func (e *Explainer) note(key string, checks []check) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range checks {
		checks[i].max = nil
	}
	e.checks[key] = checks
}

func (e *Explainer) noted(key string) []check {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.checks[key]
}

// Logits are the model's answers to a batch of preprocessed pictures, [batch, channels,
// height, width], as [batch, classes]. drop says which patches are taken out of each
// picture, [batch * patches]; nil: none.
func (e *Explainer) Logits(images []float32, shape [4]int, drop []bool) (vit.Array, error) {
	if e.config.Classes == 0 {
		return vit.Array{}, errors.New("explain: the model has no head, so it has no answer to change")
	}
	r, err := e.answers(images, shape, drop)
	if err != nil {
		return vit.Array{}, err
	}
	return r.Arrays[0], nil
}

// answers runs the model as [Explainer.Logits] says. Gaze's kernels attend where nothing
// is dropped.
func (e *Explainer) answers(images []float32, shape [4]int, drop []bool) (*vit.Results, error) {
	if drop == nil {
		return e.runner.Program("logits", images, shape, func(scope *model.Scope, cfg vit.Config, images *Node, _ []*Node) []*Node {
			return []*Node{vit.Forward(scope, cfg, images).Logits}
		})
	}
	if shape[0] == 0 || len(drop)%shape[0] != 0 {
		return nil, fmt.Errorf("explain: %d patches to drop or not for pictures of shape %v", len(drop), shape)
	}
	dropped, err := nn.Input(e.backend, drop, shape[0], len(drop)/shape[0])
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	defer nn.Free(dropped)
	return e.runner.Program("logits without patches", images, shape, func(scope *model.Scope, cfg vit.Config, images *Node, more []*Node) []*Node {
		return []*Node{vit.ForwardExplaining(scope, cfg, images, vit.Explaining{Drop: more[0]}).Logits}
	}, dropped)
}

// inputs are the start row and the classes on the backend.
func (j *job) inputs(class, against []int) (start, classes *tensors.Tensor, free func(), err error) {
	n, tokens := len(class), j.cfg.Tokens()
	row := j.startRow()
	rows := make([]float32, 0, n*tokens)
	pairs := make([]int32, 0, 2*n)
	for i := range n {
		rows = append(rows, row...)
		pairs = append(pairs, int32(class[i]), int32(against[i]))
	}
	if start, err = nn.Input(j.backend, rows, n, tokens); err != nil {
		return nil, nil, nil, err
	}
	if classes, err = nn.Input(j.backend, pairs, n, 2); err != nil {
		nn.Free(start)
		return nil, nil, nil, err
	}
	return start, classes, func() { nn.Free(start, classes) }, nil
}

// startRow weighs the tokens that the head reads, or the query's patch.
func (j *job) startRow() []float32 {
	row := make([]float32, j.cfg.Tokens())
	prefix, patches := j.cfg.Prefix(), j.cfg.Patches()
	if j.query != nil {
		row[prefix+j.query[0]*j.cfg.Grid()[1]+j.query[1]] = 1
		return row
	}
	spread := func(weight float32) {
		for i := range patches {
			row[prefix+i] = weight / float32(patches)
		}
	}
	switch j.cfg.Pool {
	case vit.PoolMean:
		spread(1)
	case vit.PoolClassMean:
		row[0] = 0.5
		spread(0.5)
	case vit.PoolClassDist:
		row[0], row[1] = 0.5, 0.5
	default:
		row[0] = 1
	}
	return row
}

func argmax(values []float32) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
