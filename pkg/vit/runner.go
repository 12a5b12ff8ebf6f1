package vit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/backend"
	"gaze/pkg/nn"
	"gaze/pkg/transform"
)

// Runner runs a model on a backend. It is safe for concurrent use. Programs are compiled on
// first use for each batch size, picture size and kind of result; the most recently used
// are kept.
type Runner struct {
	backend   compute.Backend
	config    Config
	resize    PosResize
	how       nn.Training // only BFloat16 is used
	gradients bool        // weights aren't packed
	shared    nn.Uploaded // every weight but the positions
	positions []float32   // for config's grid, as the checkpoint has them

	mu       sync.Mutex
	closed   bool
	nets     map[[2]int]*net // by picture size
	programs *nn.Programs
	warned   map[[2]int]bool // picture sizes for which a warning was returned
}

// net is the model for one size of pictures.
type net struct {
	config    Config
	store     *model.Store
	positions *tensors.Tensor
	warning   string
}

// maxPrograms bounds the programs that are kept.
const maxPrograms = 16

// maxScores bounds the attention probabilities of one block over a batch: 2³¹ values take
// 8 GiB, and asking for more would end the process.
const maxScores = 1 << 31

// A RunnerOption changes how a [Runner] runs.
type RunnerOption func(*Runner)

// InBFloat16 makes a runner round the factors and the results of matrix products to
// bfloat16, as [nn.Training] says. It is faster on cards with bfloat16 units; logits of
// ViT-B/16 and S/16 with random weights differed by 0.7 % of the largest.
func InBFloat16(r *Runner) { r.how.BFloat16 = true }

// NewRunner uploads the model's weights to the backend, checking that they are finite. The
// model may be closed afterwards.
func NewRunner(b compute.Backend, m *Model, options ...RunnerOption) (*Runner, error) {
	if b == nil {
		return nil, errors.New("vit: there is no backend")
	}
	r := &Runner{backend: b, config: m.Config, resize: m.resize, programs: nn.NewPrograms(b, maxPrograms)}
	r.nets, r.warned = map[[2]int]*net{}, map[[2]int]bool{}
	for _, option := range options {
		option(r)
	}
	if r.how.BFloat16 && !b.Capabilities().DTypes[dtypes.BFloat16] {
		return nil, fmt.Errorf("vit: %s has no bfloat16: run in float32", b.Description())
	}
	list := slices.DeleteFunc(m.Config.Parameters(), func(p nn.Param) bool { return p.Name == "positions" })
	shared, err := m.params.Upload(b, list, r.arrange)
	if err != nil {
		return nil, m.inFile(err)
	}
	r.shared = shared
	positions, err := m.positions()
	if err != nil {
		return nil, errors.Join(m.inFile(err), r.Close())
	}
	r.positions = slices.Clone(positions)
	return r, nil
}

// arrange packs the weights of linear layers, which nothing else reads, and puts the kernels of
// a stem in the order in which it convolves.
func (r *Runner) arrange(p nn.Param) nn.Arrangement {
	if strings.HasPrefix(p.Name, stemScope) && len(p.Shape) == 4 && p.Shape[3] > 1 {
		return nn.ChannelsLast
	}
	isLinear := len(p.Shape) == 2 || p.Name == "patch/weight"
	if !r.how.BFloat16 && !r.gradients && isLinear && backend.PacksWeights(r.backend, p.Shape[0], p.Shape[1]) {
		return nn.PackedWeight
	}
	return nn.TorchOrder
}

// Backend is the backend that the runner runs on.
func (r *Runner) Backend() compute.Backend { return r.backend }

// Config is the model's configuration.
func (r *Runner) Config() Config { return r.config }

// Close frees the weights and the compiled programs. The runner can't be used afterwards.
func (r *Runner) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.programs.Close()
	return errors.Join(r.freeUnused(), r.shared.Free())
}

// RunTensors runs a batch of preprocessed pictures, which must be of one size.
// See [Runner.Run].
func (r *Runner) RunTensors(pictures []*transform.Tensor, want Want) (*Outputs, error) {
	if len(pictures) == 0 {
		return nil, fmt.Errorf("vit: no pictures to run on")
	}
	first := pictures[0].Shape
	each := first[0] * first[1] * first[2]
	batch := make([]float32, 0, len(pictures)*each)
	for i, p := range pictures {
		if p.Shape != first || len(p.Data) != each {
			return nil, fmt.Errorf("vit: picture %d is %v (%d values), the first is %v: a batch takes one size", i, p.Shape, len(p.Data), first)
		}
		if len(pictures) == 1 {
			batch = p.Data // no copy needed
			break
		}
		batch = append(batch, p.Data...)
	}
	return r.Run(batch, [4]int{len(pictures), first[0], first[1], first[2]}, want)
}

// Run runs a batch. images is [batch, channels, height, width], row-major, preprocessed.
// Pictures may have another size than the model's if patches tile them; position
// embeddings are then resized, once.
func (r *Runner) Run(images []float32, shape [4]int, want Want) (*Outputs, error) {
	want, err := want.resolve(r.config)
	if err != nil {
		return nil, err
	}
	results, cfg, warnings, err := r.execute(fmt.Sprintf("%+v", want), images, shape, func(scope *model.Scope, cfg Config, images *graph.Node, _ []*graph.Node) []*graph.Node {
		return want.pick(cfg, ForwardTraining(scope, cfg, images, r.how))
	})
	if err != nil {
		return nil, err
	}
	out, err := want.unpack(results)
	if err != nil {
		return nil, err
	}
	out.Grid, out.Warnings = cfg.Grid(), warnings
	return out, nil
}

// WarnAgain makes the runner return each of its warnings once more, for runs that a user
// sees after one that only compiled the program.
func (r *Runner) WarnAgain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.warned)
}

// checkSize refuses pictures that the model can't take, or that would need more memory
// than the process can get.
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
	n.positions, err = nn.Input(r.backend, positions, 1, len(positions)/cfg.Dim, cfg.Dim)
	if err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	n.store.VariableWithValue("/positions", n.positions)
	r.shared.AddTo(n.store)
	r.nets[size] = n
	return n, nil
}

// freeUnused frees the models for picture sizes of which no program is kept any more.
func (r *Runner) freeUnused() error {
	var errs []error
	for size, n := range r.nets {
		if !r.programs.Use(n.store) {
			errs = append(errs, n.positions.FinalizeAll())
			delete(r.nets, size)
		}
	}
	return errors.Join(errs...)
}
