package explain

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gaze/pkg/caption"
	"gaze/pkg/nn"
	"gaze/pkg/transform"
)

// WordExplainer makes maps that explain the words of captions, by any of [WordMethods]. It
// has the captioner's weights in a form that can be differentiated. It is safe for
// concurrent use.
type WordExplainer struct {
	backend compute.Backend
	net     *caption.Differentiable

	mu     sync.Mutex
	checks map[string][]check // of each program, by its key
}

// NewWordExplainer uploads a captioner's weights to the backend. The model may be closed
// afterwards.
func NewWordExplainer(b compute.Backend, m *caption.Model) (*WordExplainer, error) {
	net, err := caption.NewDifferentiable(b, m)
	if err != nil {
		return nil, err
	}
	return &WordExplainer{backend: b, net: net, checks: map[string][]check{}}, nil
}

// Config is the captioner's configuration.
func (e *WordExplainer) Config() caption.Config { return e.net.Config() }

// Close frees the weights. The explainer can't be used afterwards.
func (e *WordExplainer) Close() error { return e.net.Close() }

// WordOptions say what is explained. The zero value explains every token with every
// setting at its default.
type WordOptions struct {
	// Tokens are the indices of the tokens to explain; nil: all.
	Tokens []int
	// Settings: Layer and Heads of "attention", which count decoder layers, and Heads of
	// "rollout". The others must be zero.
	Settings Settings
}

// WordMaps are maps of a caption's tokens by one method.
type WordMaps struct {
	Method   *WordMethod
	Settings Settings // with their defaults
	Tokens   []int    // indices of the tokens that were explained
	Maps     []Map    // one for each of Tokens: [rows, columns] of cells, unnormalised
	// LogProbs are natural logarithms of the tokens' probabilities, given those before.
	LogProbs []float64
}

// At is the map of the token of an index; false if it wasn't explained.
func (w *WordMaps) At(token int) (Map, bool) {
	for i, t := range w.Tokens {
		if t == token {
			return w.Maps[i], true
		}
	}
	return Map{}, false
}

// Explain makes a map of each token of a picture's caption by a method. The picture is
// preprocessed ([caption.Config.Preprocess]); caption is the tokens' numbers as predicted,
// such as [caption.Result].Tokens', without [CLS]. The map of a token explains its logit at
// the step that PREDICTS it, after the tokens before it (teacher forcing); it depends on no
// other explained token. It is an error, which names the word and the layer, if something
// isn't finite, and if a gradient that the method needs is zero everywhere.
func (e *WordExplainer) Explain(method string, picture *transform.Tensor, caption []int, o WordOptions) (*WordMaps, error) {
	m, err := FindWordMethod(method)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	j, err := e.job(m, caption, o)
	if err != nil {
		return nil, fmt.Errorf("explain: %s: %w", m.Name, err)
	}
	f, err := e.net.Features(picture)
	if err != nil {
		return nil, fmt.Errorf("explain: %s: %w", m.Name, err)
	}
	defer f.Free()
	out := &WordMaps{Method: m, Settings: j.settings, Tokens: j.tokens}
	for at, most := 0, j.most(f); at < len(j.tokens); at += most {
		maps, logProbs, err := j.run(f, j.tokens[at:min(at+most, len(j.tokens))], most)
		if err != nil {
			return nil, fmt.Errorf("explain: %s: %w", m.Name, err)
		}
		out.Maps, out.LogProbs = append(out.Maps, maps...), append(out.LogProbs, logProbs...)
	}
	return out, nil
}

// wordJob is a method's work on a caption.
type wordJob struct {
	*WordExplainer
	method   *WordMethod
	cfg      caption.Config
	settings Settings
	caption  []int
	tokens   []int // indices of those to explain
}

// job checks what is asked.
func (e *WordExplainer) job(m *WordMethod, ids []int, o WordOptions) (*wordJob, error) {
	j := &wordJob{WordExplainer: e, method: m, cfg: e.Config(), settings: o.Settings.filled(), caption: ids, tokens: o.Tokens}
	if len(ids) == 0 {
		return nil, errors.New("the caption has no tokens")
	}
	if err := j.settings.check(j.cfg.DecoderLayers, j.cfg.Heads); err != nil {
		return nil, err
	}
	if s := j.settings; s.Discard != 0 || s.Steps != 0 || s.Samples != 0 || s.Noise != 0 || s.Original || s.Window != 1 {
		return nil, errors.New("its only settings are the layer and the heads")
	}
	if j.tokens == nil {
		for i := range ids {
			j.tokens = append(j.tokens, i)
		}
	}
	if len(j.tokens) == 0 {
		return nil, errors.New("no token is asked for: leave the list out for all")
	}
	for _, t := range j.tokens {
		if t < 0 || t >= len(ids) {
			return nil, fmt.Errorf("there is no token %d: the caption has %d, counted from 0", t, len(ids))
		}
	}
	return j, nil
}

// mostWords is the most words that run at a time. A processor is no faster with more.
const mostWords = 8

// most is how many words run at a time: one, or a number that lets all pictures of a size
// share a program.
func (j *wordJob) most(f *caption.Features) int {
	if len(j.tokens) == 1 {
		return 1
	}
	cells := f.Grid[0] * f.Grid[1]
	each := (3*j.cfg.EncoderLayers*j.cfg.Heads + 2) * cells * cells
	return min(max(maxValues/max(each, 1), 1), mostWords)
}

// run makes maps of some tokens. It repeats the last one until there are rows for it.
func (j *wordJob) run(f *caption.Features, tokens []int, rows int) ([]Map, []float64, error) {
	var r caption.Rows
	targets := make([]int32, rows)
	read := append([]int{j.cfg.StartID}, j.caption[:len(j.caption)-1]...)
	for i := range rows {
		t := tokens[min(i, len(tokens)-1)]
		r.Tokens, r.Steps = append(r.Tokens, read), append(r.Steps, t)
		targets[i] = int32(j.caption[t])
		if id := j.caption[t]; id < 0 || id >= j.cfg.Vocab {
			return nil, nil, fmt.Errorf("token %d: the vocabulary has %d, counted from 0", id, j.cfg.Vocab)
		}
	}
	wanted, err := nn.Input(j.backend, targets, rows)
	if err != nil {
		return nil, nil, err
	}
	defer nn.Free(wanted)
	values, err := j.pass(f, r, wanted)
	if err != nil {
		return nil, nil, err
	}
	checks, maxima := j.noted(j.key()), values[2]
	var maps []Map
	var logProbs []float64
	n := f.Grid[0] * f.Grid[1]
	for i, t := range tokens {
		if err := verify(checks, maxima[i*len(checks):(i+1)*len(checks)]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", j.name(t), err)
		}
		m := Map{Rows: f.Grid[0], Cols: f.Grid[1], Values: values[0][i*n : (i+1)*n : (i+1)*n]}
		for k, v := range m.Values {
			if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, nil, fmt.Errorf("%s: the map's value in row %d, column %d isn't finite (%g)", j.name(t), k/m.Cols, k%m.Cols, x)
			}
		}
		maps, logProbs = append(maps, m), append(logProbs, float64(values[1][i]))
	}
	return maps, logProbs, nil
}

// key names the job's program.
func (j *wordJob) key() string {
	return fmt.Sprintf("%s layer=%d heads=%v", j.method.Name, *j.settings.Layer, j.settings.Heads)
}

// name is a token in errors.
func (j *wordJob) name(token int) string {
	if v := j.net.Vocab(); v != nil {
		return fmt.Sprintf("token %d (%q)", token, strings.TrimSpace(v.Token(j.caption[token])))
	}
	return fmt.Sprintf("token %d (number %d)", token, j.caption[token])
}

// pass runs the method's program: maps [rows, cells], log-probabilities [rows], and what is
// checked, [rows, checks].
func (j *wordJob) pass(f *caption.Features, r caption.Rows, targets *tensors.Tensor) ([][]float32, error) {
	return j.net.Program(j.key(), f, r, func(x *caption.Explained, more []*Node) []*Node {
		all := Iota(more[0].Graph(), shapes.Make(dtypes.Int32, 1, j.cfg.Vocab), 1)
		p := &wordPass{Explained: x, settings: j.settings}
		p.target = ConvertDType(Equal(ExpandAxes(more[0], -1), all), dtypes.Float32)
		made := j.method.graph(p)
		logProbs := ReduceSum(Mul(LogSoftmax(x.Logits, -1), p.target), -1)
		maxima, checks := p.results()
		j.note(checks)
		return []*Node{made, logProbs, maxima}
	}, targets)
}

// note keeps what the job's program checks: its graph is built only once.
func (j *wordJob) note(checks []check) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range checks {
		checks[i].max = nil
	}
	j.checks[j.key()] = checks
}

func (e *WordExplainer) noted(key string) []check {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.checks[key]
}
