package convnet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
	"gaze/pkg/transform"
)

// Want says what a run returns. Nothing else is computed.
type Want struct {
	Map    bool // the feature map
	Pooled bool // its mean over all cells: what a classifier reads
	Logits bool
}

// Array is a result: its values, row-major, and their shape.
type Array struct {
	Shape  []int
	Values []float32
}

// Outputs is what a run returned. What wasn't asked for is empty.
type Outputs struct {
	Map    Array  // [batch, rows, columns, channels]
	Pooled Array  // [batch, channels]
	Logits Array  // [batch, classes]
	Grid   [2]int // rows and columns of cells
}

// defaultBatch is how many pictures a program takes at a time.
const defaultBatch = 16

// maxPrograms bounds the programs that are kept.
const maxPrograms = 16

// Runner runs a model on a backend. It is safe for concurrent use. Programs are compiled on
// first use for each size of pictures and kind of result, one for a single picture and one
// for a batch; the most recently used are kept.
type Runner struct {
	backend  compute.Backend
	config   Config
	classes  int
	batch    int
	uploaded nn.Uploaded
	store    *model.Store

	mu       sync.Mutex
	closed   bool
	programs *nn.Programs
}

// A RunnerOption changes how a [Runner] runs.
type RunnerOption func(*Runner)

// WithBatch makes the runner's programs take n pictures at a time, instead of 16. Smaller n
// take less memory, which is about 40 MB a picture of 224 pixels for EfficientNet-Lite0.
func WithBatch(n int) RunnerOption { return func(r *Runner) { r.batch = n } }

// NewRunner uploads the model's weights to the backend, checking that they are finite. The
// model may be closed afterwards.
func NewRunner(b compute.Backend, m *Model, options ...RunnerOption) (*Runner, error) {
	if b == nil {
		return nil, errors.New("convnet: there is no backend")
	}
	r := &Runner{backend: b, config: m.Config, classes: m.Classes, batch: defaultBatch, programs: nn.NewPrograms(b, maxPrograms), store: model.NewStore()}
	for _, option := range options {
		option(r)
	}
	if r.batch < 1 {
		return nil, fmt.Errorf("convnet: batches of %d pictures: at least 1", r.batch)
	}
	var err error
	if r.uploaded, err = m.params.Upload(b, m.Parameters(), arrange); err != nil {
		return nil, m.inFile(err)
	}
	r.uploaded.AddTo(r.store)
	return r, nil
}

// arrange has kernels of more than one pixel in the order in which the graph reads them.
func arrange(p nn.Param) nn.Arrangement {
	if len(p.Shape) == 4 && p.Shape[2] > 1 && strings.HasSuffix(p.Name, "/weight") {
		return nn.ChannelsLast
	}
	return nn.TorchOrder
}

// Config is the model's configuration.
func (r *Runner) Config() Config { return r.config }

// Classes is the number of classes of the model's classifier; 0 if it has none.
func (r *Runner) Classes() int { return r.classes }

// Close frees the weights and the compiled programs. The runner can't be used afterwards.
func (r *Runner) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.programs.Close()
	return r.uploaded.Free()
}

// RunTensors runs preprocessed pictures, which must be of one size. See [Runner.Run].
func (r *Runner) RunTensors(ctx context.Context, pictures []*transform.Tensor, want Want) (*Outputs, error) {
	if len(pictures) == 0 {
		return nil, errors.New("convnet: no pictures to run on")
	}
	first := pictures[0].Shape
	each := first[0] * first[1] * first[2]
	batch := make([]float32, 0, len(pictures)*each)
	for i, p := range pictures {
		if p.Shape != first || len(p.Data) != each {
			return nil, fmt.Errorf("convnet: picture %d is %v (%d values), the first is %v: a batch takes one size", i, p.Shape, len(p.Data), first)
		}
		batch = append(batch, p.Data...)
	}
	return r.Run(ctx, batch, [4]int{len(pictures), first[0], first[1], first[2]}, want)
}

// Run runs any number of pictures of any one size. images is [batch, 3, height, width],
// row-major, preprocessed. They are taken in batches of a fixed size, of which the last is
// filled up with zeros, so that one program does for all; between two of them, a context
// that is done ends the run. One picture alone has a program of its own: its results may
// differ in the last bits from those in a batch.
func (r *Runner) Run(ctx context.Context, images []float32, shape [4]int, want Want) (*Outputs, error) {
	if err := r.check(images, shape, want); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("convnet: the runner is closed")
	}
	n, each := shape[0], len(images)/shape[0]
	out := &Outputs{Grid: r.config.Grid(shape[2], shape[3])}
	for done := 0; done < n; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		size := r.batch
		if n == 1 {
			size = 1
		}
		take := min(size, n-done)
		part := images[done*each : (done+take)*each]
		if take < size {
			part = append(make([]float32, 0, size*each), part...)[:size*each]
		}
		if err := r.run(part, [4]int{size, shape[1], shape[2], shape[3]}, want, n, take, out); err != nil {
			return nil, fmt.Errorf("convnet: running %s on pictures of shape %v: %w", r.config.Architecture(), shape, err)
		}
		done += take
	}
	return out, nil
}

// check says why a run isn't possible.
func (r *Runner) check(images []float32, shape [4]int, want Want) error {
	for _, n := range shape {
		if n < 1 || n > 1<<24 {
			return fmt.Errorf("convnet: pictures of shape %v", shape)
		}
	}
	switch n := shape[0] * shape[1] * shape[2] * shape[3]; {
	case n != len(images):
		return fmt.Errorf("convnet: %d values for pictures of shape %v", len(images), shape)
	case shape[1] != 3:
		return fmt.Errorf("convnet: pictures of %d channels, the network takes 3", shape[1])
	case want == Want{}:
		return errors.New("convnet: nothing is wanted of this run: set a field of Want")
	case want.Logits && r.classes == 0:
		return errors.New("convnet: the model has no classifier")
	}
	return nil
}

// run runs one batch and appends the first keep results of it, of total in all.
func (r *Runner) run(images []float32, shape [4]int, want Want, total, keep int, out *Outputs) error {
	input, err := nn.Input(r.backend, images, shape[:]...)
	if err != nil {
		return err
	}
	defer nn.Free(input)
	key := fmt.Sprintf("%v %+v", shape, want)
	results, err := nn.Run(r.programs, r.store, key, func(scope *model.Scope, images *graph.Node) []*graph.Node {
		return r.graph(nn.NewVariables(scope, images, 0, nn.Training{}), images, want)
	}, input)
	defer nn.Free(results...)
	if err != nil {
		return err
	}
	for _, to := range want.fields(out) {
		if err := to.add(results[0], total, keep); err != nil {
			return err
		}
		results = results[1:]
	}
	return nil
}

// graph lists the nodes that are wanted, in the order of fields. They are made after all
// weights have been read: the Go backend fails on a graph with parameters after its last
// output.
func (r *Runner) graph(weights nn.Variables, images *graph.Node, want Want) []*graph.Node {
	features := r.config.Features(weights, images)
	var pooled, logits *graph.Node
	if want.Pooled || want.Logits {
		pooled = Pool(features)
	}
	if want.Logits {
		logits = Classify(weights, pooled, r.classes)
	}
	var nodes []*graph.Node
	for _, n := range []struct {
		wanted bool
		node   *graph.Node
	}{{want.Map, features}, {want.Pooled, pooled}, {want.Logits, logits}} {
		if n.wanted {
			nodes = append(nodes, graph.Identity(n.node))
		}
	}
	return nodes
}

// fields lists the results that are wanted.
func (w Want) fields(out *Outputs) []*Array {
	var list []*Array
	if w.Map {
		list = append(list, &out.Map)
	}
	if w.Pooled {
		list = append(list, &out.Pooled)
	}
	if w.Logits {
		list = append(list, &out.Logits)
	}
	return list
}

// add appends the first keep elements of a result to an array of total elements.
func (a *Array) add(t *tensors.Tensor, total, keep int) error {
	dims := t.Shape().Dimensions
	each := t.Shape().Size() / dims[0]
	if a.Shape == nil {
		a.Shape = append([]int{total}, dims[1:]...)
		a.Values = make([]float32, 0, total*each)
	}
	return tensors.ConstFlatData(t, func(flat []float32) { a.Values = append(a.Values, flat[:keep*each]...) })
}

// Pool is the mean over all cells of features [batch, rows, columns, channels]: [batch,
// channels].
func Pool(features *graph.Node) *graph.Node { return graph.ReduceMean(features, 1, 2) }

// Classify is the classifier over pooled features [batch, channels]: logits [batch,
// classes]. Its weights are the variables "classifier/weight" and "classifier/bias".
func Classify(weights nn.Variables, pooled *graph.Node, classes int) *graph.Node {
	return weights.Linear(classifier, pooled, classes, true, nn.Linear{})
}
