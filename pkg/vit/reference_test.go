package vit

import (
	"fmt"
	"math"
	"testing"
)

// reference is a Vision Transformer in plain loops and float64, written from the
// papers and independent of the graph, to check every variant of Config.
type reference struct {
	t   *testing.T
	m   *Model
	cfg Config
}

// matrix is [tokens][channels].
type matrix [][]float64

func (r reference) param(name string) []float32 {
	values, _, err := r.m.Parameter(name)
	if err != nil {
		r.t.Fatal(err)
	}
	return values
}

// linear applies weight [out, in] and, if there is one, the bias.
func (r reference) linear(name string, x matrix) matrix {
	w := r.param(name + "/weight")
	in := len(x[0])
	out := len(w) / in
	var bias []float32
	if _, ok := r.m.params[name+"/bias"]; ok {
		bias = r.param(name + "/bias")
	}
	y := make(matrix, len(x))
	for t := range x {
		y[t] = make([]float64, out)
		for o := range out {
			sum := 0.0
			for i := range in {
				sum += x[t][i] * float64(w[o*in+i])
			}
			if bias != nil {
				sum += float64(bias[o])
			}
			y[t][o] = sum
		}
	}
	return y
}

func (r reference) norm(name string, x matrix) matrix {
	w, b := r.param(name+"/weight"), r.param(name+"/bias")
	y := make(matrix, len(x))
	for t, row := range x {
		mean, variance, n := 0.0, 0.0, float64(len(row))
		for _, v := range row {
			mean += v / n
		}
		for _, v := range row {
			variance += (v - mean) * (v - mean) / n
		}
		y[t] = make([]float64, len(row))
		for i, v := range row {
			y[t][i] = (v-mean)/math.Sqrt(variance+r.cfg.NormEps)*float64(w[i]) + float64(b[i])
		}
	}
	return y
}

// embed returns the tokens of one picture [channels, height, width].
func (r reference) embed(picture []float32) matrix {
	c := r.cfg
	grid, ph, pw := c.Grid(), c.PatchSize[0], c.PatchSize[1]
	h, w := c.ImageSize[0], c.ImageSize[1]
	var patches matrix
	for row := range grid[0] {
		for col := range grid[1] {
			var p []float64
			for ch := range c.Channels {
				for y := range ph {
					for x := range pw {
						p = append(p, float64(picture[(ch*h+row*ph+y)*w+col*pw+x]))
					}
				}
			}
			patches = append(patches, p)
		}
	}
	var x matrix
	for _, name := range []string{"class_token", "dist_token", "registers"} {
		if _, ok := r.m.params[name]; !ok {
			continue
		}
		values := r.param(name)
		for start := 0; start < len(values); start += c.Dim {
			x = append(x, widen(values[start:start+c.Dim]))
		}
	}
	prefix := len(x)
	x = append(x, r.linear("patch", patches)...)
	positions := r.param("positions")
	for i := range len(positions) / c.Dim {
		token := i // of this position
		if i >= c.positionPrefix() {
			token = prefix + i - c.positionPrefix()
		}
		for d := range c.Dim {
			x[token][d] += float64(positions[i*c.Dim+d])
		}
	}
	if c.PreNorm {
		x = r.norm("pre_norm", x)
	}
	return x
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, f := range v {
		out[i] = float64(f)
	}
	return out
}

// attention returns the mixed tokens and the probabilities by head.
func (r reference) attention(block string, x matrix) (matrix, []matrix) {
	c := r.cfg
	qkv := r.linear(block+"attn/qkv", x)
	d := c.Dim / c.Heads
	mixed := make(matrix, len(x))
	for t := range mixed {
		mixed[t] = make([]float64, c.Dim)
	}
	var maps []matrix
	for h := range c.Heads {
		probabilities := make(matrix, len(x))
		for t := range x {
			row, sum := make([]float64, len(x)), 0.0
			for s := range x {
				for i := range d {
					row[s] += qkv[t][h*d+i] * qkv[s][c.Dim+h*d+i]
				}
				row[s] = math.Exp(row[s] / math.Sqrt(float64(d)))
				sum += row[s]
			}
			for s := range x {
				row[s] /= sum
				for i := range d {
					mixed[t][h*d+i] += row[s] * qkv[s][2*c.Dim+h*d+i]
				}
			}
			probabilities[t] = row
		}
		maps = append(maps, probabilities)
	}
	return r.linear(block+"attn/out", mixed), maps
}

func (r reference) activate(row []float64) []float64 {
	silu := func(v, k float64) float64 { return v / (1 + math.Exp(-k*v)) }
	if r.cfg.Activation == SwiGLU {
		out := make([]float64, len(row)/2)
		for i := range out {
			out[i] = silu(row[i], 1) * row[i+len(out)]
		}
		return out
	}
	out := make([]float64, len(row))
	for i, v := range row {
		switch r.cfg.Activation {
		case GELU:
			out[i] = v * 0.5 * (1 + math.Erf(v/math.Sqrt2))
		case GELUTanh:
			out[i] = v * 0.5 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
		case QuickGELU:
			out[i] = silu(v, 1.702)
		}
	}
	return out
}

func (r reference) add(x, branch matrix, scale string) {
	for t := range x {
		for i := range x[t] {
			v := branch[t][i]
			if r.cfg.LayerScale {
				v *= float64(r.param(scale)[i])
			}
			x[t][i] += v
		}
	}
}

// run returns one picture's results under the names of the golden files.
func (r reference) run(picture []float32) map[string][]float64 {
	out := map[string][]float64{}
	x := r.embed(picture)
	out["embeddings"] = flat(x)
	for i := range r.cfg.Depth {
		block := fmt.Sprintf("block_%d/", i)
		mixed, maps := r.attention(block, r.norm(block+"norm1", x))
		r.add(x, mixed, block+"scale1")
		hidden := r.linear(block+"mlp/fc1", r.norm(block+"norm2", x))
		for t := range hidden {
			hidden[t] = r.activate(hidden[t])
		}
		r.add(x, r.linear(block+"mlp/fc2", hidden), block+"scale2")
		out[fmt.Sprint("tokens_", i)] = flat(x)
		for _, m := range maps {
			out[fmt.Sprint("attn_", i)] = append(out[fmt.Sprint("attn_", i)], flat(m)...)
		}
	}
	r.head(x, out)
	return out
}

func (r reference) head(x matrix, out map[string][]float64) {
	c := r.cfg
	tanh := func(x matrix) matrix {
		for _, row := range x {
			for i := range row {
				row[i] = math.Tanh(row[i])
			}
		}
		return x
	}
	if c.PreLogits == PreLogitsAll {
		x = tanh(r.linear("pre_logits", x))
	}
	if c.FinalNorm {
		x = r.norm("norm", x)
	}
	out["norm"] = flat(x)
	mean := make([]float64, len(x[0]))
	for _, row := range x[c.Prefix():] {
		for i, v := range row {
			mean[i] += v / float64(c.Patches())
		}
	}
	pooled := matrix{x[0]}
	switch c.Pool {
	case PoolMean:
		pooled = matrix{mean}
	case PoolClassMean:
		pooled = matrix{append(append([]float64{}, x[0]...), mean...)}
	}
	if c.PoolNorm {
		pooled = r.norm("pool_norm", pooled)
	}
	if c.PreLogits == PreLogitsToken {
		pooled = tanh(r.linear("pre_logits", pooled))
	}
	out["features"] = flat(pooled)
	if c.Classes == 0 {
		return
	}
	logits := r.linear("head", pooled)[0]
	if c.Pool == PoolClassDist {
		for i, v := range r.linear("head_dist", matrix{x[1]})[0] {
			logits[i] = (logits[i] + v) / 2
		}
	}
	out["logits"] = logits
}

func flat(x matrix) []float64 {
	var out []float64
	for _, row := range x {
		out = append(out, row...)
	}
	return out
}
