package vit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/backend"
	"gaze/pkg/nn"
)

// Want says what a run is to return. Only that is computed.
//
// Layers are numbered from 0; negative ones count from the end, -1 is the last.
type Want struct {
	Logits         bool
	PreLogits      bool  // what the head reads: the picture's features
	Norm           bool  // tokens after the last norm
	Embeddings     bool  // tokens before the first block
	Tokens         []int // blocks whose output tokens are wanted
	Attention      []int // blocks whose attention maps are wanted, every query
	ClassAttention []int // blocks of which the class token's attention over the patches is wanted
}

// Array is a result: values row-major and their shape.
type Array struct {
	Shape  []int
	Values []float32
}

// Outputs is what a run returned; what wasn't wanted is empty.
type Outputs struct {
	Logits     Array // [batch, classes]
	PreLogits  Array // [batch, features]
	Norm       Array // [batch, tokens, dim]
	Embeddings Array // [batch, tokens, dim]

	Tokens         []Array // as wanted, each [batch, tokens, dim]
	Attention      []Array // as wanted, each [batch, heads, tokens, tokens]
	ClassAttention Array   // [batch, layers as wanted, heads, patches]: of the class query, over all tokens normalised, those of the patches

	Grid     [2]int   // rows and columns of patches
	Warnings []string // such as resized position embeddings; the first time they apply
}

// Runner runs a model on a backend. It is safe for concurrent use. Programs are
// compiled on first use for each batch size, picture size and kind of result;
// the last few are kept.
type Runner struct {
	backend   compute.Backend
	config    Config
	resize    PosResize
	how       nn.Training                // how programs are built: in bfloat16 or not
	shared    map[string]*tensors.Tensor // every weight but the positions
	positions []float32                  // for config's grid, as the checkpoint has them

	mu       sync.Mutex
	nets     map[[2]int]*net // by picture size
	programs []*program      // the most recently used last
	warned   map[[2]int]bool // picture sizes whose resized grid was told of
}

// net is the model for one size of pictures.
type net struct {
	config    Config
	store     *model.Store
	positions *tensors.Tensor
	warning   string
}

// program is what was compiled for one shape of batch and one kind of result.
type program struct {
	key  string
	size [2]int
	exec *model.Exec
}

// maxPrograms bounds the programs that are kept: pictures that all differ in
// size would fill the memory.
const maxPrograms = 16

// maxScores bounds the attention probabilities of one block over a batch, which
// would otherwise take the process down with them: 2³¹ values are 8 GiB.
const maxScores = 1 << 31

// A RunnerOption is how a [Runner] differs from others.
type RunnerOption func(*Runner)

// InBFloat16 has a runner round the factors of products, and products, to bfloat16, as
// [nn.Training.BFloat16] says. Cards with bfloat16 units are faster by it; logits of ViT-B/16
// and S/16 with drawn weights were off by 0.7 % of the greatest.
func InBFloat16(r *Runner) { r.how.BFloat16 = true }

// NewRunner gives the model's weights to the backend, checking that they are
// finite. The model may be closed afterwards.
func NewRunner(b compute.Backend, m *Model, options ...RunnerOption) (*Runner, error) {
	if b == nil {
		return nil, errors.New("vit: no backend")
	}
	r := &Runner{backend: b, config: m.Config, resize: m.resize, shared: map[string]*tensors.Tensor{}}
	r.nets, r.warned = map[[2]int]*net{}, map[[2]int]bool{}
	for _, option := range options {
		option(r)
	}
	if r.how.BFloat16 && !b.Capabilities().DTypes[dtypes.BFloat16] {
		return nil, fmt.Errorf("vit: %s has no bfloat16: run in float32", b.Description())
	}
	var mu sync.Mutex
	err := m.forEach(func(p Param, e *entry) error {
		if p.Name == "positions" {
			data, err := e.float32s()
			r.positions = slices.Clone(data)
			return errors.Join(err, e.checkFinite())
		}
		t, err := e.upload(b, p.Shape, r.packs(p))
		if err != nil {
			return err
		}
		e.forget() // or the weights would be in memory twice
		mu.Lock()
		defer mu.Unlock()
		r.shared[p.Name] = t
		return nil
	})
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// packs says whether a weight is given to the backend packed: that of a block's linear
// layer, which nothing else reads.
func (r *Runner) packs(p Param) bool {
	return strings.HasPrefix(p.Name, "block_") && len(p.Shape) == 2 && r.packed(p.Shape[0], p.Shape[1])
}

func (r *Runner) packed(out, in int) bool {
	return !r.how.BFloat16 && backend.PacksWeights(r.backend, out, in)
}

// upload makes a tensor on the backend, writing straight into its memory where
// the backend lets us.
func (e *entry) upload(b compute.Backend, dims []int, packed bool) (*tensors.Tensor, error) {
	shape := shapes.Make(dtypes.Float32, dims...)
	if packed {
		return e.uploadPacked(b, shape)
	}
	data, ready, err := e.raw()
	if err != nil {
		return nil, err
	}
	if ready {
		if firstNonFinite(data) >= 0 {
			return nil, e.checkFinite()
		}
		return tensors.FromRaw(b, 0, shape, dtypes.UnsafeByteSliceFromAny(data))
	}
	t, err := tensors.FromShapeForBackend(b, 0, shape)
	if err != nil {
		return nil, err
	}
	bad := -1
	access := tensors.MutableFlatData(t, func(flat []float32) {
		if err = e.writeTo(flat); err == nil {
			bad = firstNonFinite(flat)
		}
	})
	if err := errors.Join(access, err); err != nil {
		return nil, err
	}
	if bad >= 0 {
		return nil, e.checkFinite()
	}
	return t, nil
}

// uploadPacked makes a tensor of packed weights.
func (e *entry) uploadPacked(b compute.Backend, shape shapes.Shape) (*tensors.Tensor, error) {
	data, err := e.float32s()
	if err != nil {
		return nil, err
	}
	if firstNonFinite(data) >= 0 {
		return nil, e.checkFinite()
	}
	t, err := tensors.FromShapeForBackend(b, 0, shape)
	if err != nil {
		return nil, err
	}
	return t, tensors.MutableFlatData(t, func(flat []float32) {
		backend.PackWeights(flat, data, shape.Dim(0), shape.Dim(1))
	})
}

// Config is the model's configuration.
func (r *Runner) Config() Config { return r.config }

// Close frees the weights and the compiled programs. The runner is of no use
// afterwards.
func (r *Runner) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, p := range r.programs {
		p.exec.Finalize()
	}
	for _, n := range r.nets {
		errs = append(errs, n.positions.FinalizeAll())
	}
	for _, t := range r.shared {
		errs = append(errs, t.FinalizeAll())
	}
	r.nets, r.programs, r.shared = nil, nil, nil
	return errors.Join(errs...)
}

// Run runs a batch. images is [batch, channels, height, width], row-major,
// preprocessed. Pictures of another size than the model's are fine as long as
// the patches tile them; position embeddings are then resized, once.
func (r *Runner) Run(images []float32, shape [4]int, want Want) (*Outputs, error) {
	if product(shape[:]) != len(images) || len(images) == 0 {
		return nil, fmt.Errorf("vit: %d values for pictures of shape %v", len(images), shape)
	}
	if err := r.checkSize(shape); err != nil {
		return nil, err
	}
	want, err := want.resolve(r.config)
	if err != nil {
		return nil, err
	}
	input, err := tensors.FromRaw(r.backend, 0, shapes.Make(dtypes.Float32, shape[:]...), dtypes.UnsafeByteSliceFromAny(images))
	if err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	defer input.FinalizeAll()

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shared == nil {
		return nil, errors.New("vit: the runner is closed")
	}
	n, err := r.net(shape)
	if err != nil {
		return nil, err
	}
	exec, err := r.program(n, shape, want)
	if err != nil {
		return nil, err
	}
	var results []*tensors.Tensor
	if caught := exceptions.TryCatch[error](func() { results, err = exec.Call(input) }); caught != nil {
		err = caught
	}
	if err != nil {
		return nil, fmt.Errorf("vit: running %s on pictures of shape %v: %w", r.config.Architecture(), shape, err)
	}
	out, err := want.unpack(results)
	if err != nil {
		return nil, err
	}
	out.Grid = n.config.Grid()
	if size := n.config.ImageSize; n.warning != "" && !r.warned[size] {
		out.Warnings, r.warned[size] = []string{n.warning}, true
	}
	return out, nil
}

// checkSize refuses pictures that the model can't take, or that would need more
// memory than any machine lends.
func (r *Runner) checkSize(shape [4]int) error {
	if shape[1] != r.config.Channels {
		return fmt.Errorf("vit: pictures of %d channels, the model takes %d", shape[1], r.config.Channels)
	}
	cfg, err := r.config.WithImageSize(shape[2], shape[3])
	if err != nil {
		return fmt.Errorf("vit: %w", err)
	}
	tokens := float64(cfg.Tokens())
	if scores := float64(shape[0]*cfg.Heads) * tokens * tokens; scores > maxScores {
		return fmt.Errorf("vit: %d pictures of %d×%d make %.0f tokens each: the attention of one block alone would take %.0f GiB; use smaller pictures or fewer at a time",
			shape[0], shape[2], shape[3], tokens, scores*4/(1<<30))
	}
	return nil
}

// net returns the model for the size of these pictures, made on first use.
func (r *Runner) net(shape [4]int) (*net, error) {
	size := [2]int{shape[2], shape[3]}
	if n := r.nets[size]; n != nil {
		return n, nil
	}
	cfg, err := r.config.WithImageSize(size[0], size[1])
	if err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	n := &net{config: cfg, store: model.NewStore()}
	positions := r.positions
	if cfg.Grid() != r.config.Grid() {
		if positions, err = resizePositions(positions, r.config, cfg, r.resize); err != nil {
			return nil, fmt.Errorf("vit: %w", err)
		}
		n.warning = resizeWarning(r.config, cfg, r.resize)
	}
	dims := shapes.Make(dtypes.Float32, 1, len(positions)/cfg.Dim, cfg.Dim)
	n.positions, err = tensors.FromRaw(r.backend, 0, dims, dtypes.UnsafeByteSliceFromAny(positions))
	if err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	n.store.VariableWithValue("/positions", n.positions)
	for name, t := range r.shared {
		n.store.VariableWithValue("/"+name, t)
	}
	r.nets[size] = n
	return n, nil
}

// program returns what runs n on a batch of this shape, made on first use.
func (r *Runner) program(n *net, shape [4]int, want Want) (*model.Exec, error) {
	key := fmt.Sprintf("%v %+v", shape, want)
	if i := slices.IndexFunc(r.programs, func(p *program) bool { return p.key == key }); i >= 0 {
		p := r.programs[i]
		r.programs = append(slices.Delete(r.programs, i, i+1), p)
		return p.exec, nil
	}
	exec, err := model.NewExec(r.backend, n.store, func(scope *model.Scope, images *graph.Node) []*graph.Node {
		p := params{scope: scope, cfg: n.config, like: images, how: r.how, packed: r.packed}
		return want.pick(n.config, p.forward(images))
	})
	if err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	r.programs = append(r.programs, &program{key, n.config.ImageSize, exec})
	if len(r.programs) > maxPrograms {
		return exec, r.forget()
	}
	return exec, nil
}

// forget frees the program that wasn't used for longest, and its net if no
// other program needs it.
func (r *Runner) forget() error {
	old := r.programs[0]
	r.programs = slices.Delete(r.programs, 0, 1)
	old.exec.Finalize()
	if slices.ContainsFunc(r.programs, func(p *program) bool { return p.size == old.size }) {
		return nil
	}
	n := r.nets[old.size]
	delete(r.nets, old.size)
	return n.positions.FinalizeAll()
}
