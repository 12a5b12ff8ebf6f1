package vit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"gaze/pkg/transform"
)

func newRunner(t testing.TB, m *Model) *Runner {
	t.Helper()
	list := testBackends(t)
	r, err := NewRunner(list[len(list)-1], m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// The class token's rows are those of the whole maps, whichever way they are
// asked for, and each result has the shape that is documented.
func TestWant(t *testing.T) {
	cfg := smallConfig()
	cfg.Registers = 2
	r := newRunner(t, scrambled(t, cfg, 5))
	shape := [4]int{2, 3, 12, 12}
	images := pictures(shape)
	out, err := r.Run(images, shape, Want{Attention: []int{0, -1}, ClassAttention: []int{-1, 0}, Tokens: []int{1}, Logits: true})
	if err != nil {
		t.Fatal(err)
	}
	tokens, patches := cfg.Tokens(), cfg.Patches()
	for _, c := range []struct {
		name string
		got  Array
		want []int
	}{
		{"attention", out.Attention[1], []int{2, 3, tokens, tokens}},
		{"class attention", out.ClassAttention, []int{2, 2, 3, patches}},
		{"tokens", out.Tokens[0], []int{2, tokens, 12}},
		{"logits", out.Logits, []int{2, 5}},
		{"embeddings", out.Embeddings, nil},
	} {
		if !slices.Equal(c.got.Shape, c.want) || len(c.want) > 0 && product(c.want) != len(c.got.Values) {
			t.Errorf("%s: shape %v with %d values, want %v", c.name, c.got.Shape, len(c.got.Values), c.want)
		}
	}
	if out.Grid != [2]int{3, 2} {
		t.Errorf("grid %v", out.Grid)
	}
	for picture := range 2 {
		for k, layer := range []int{1, 0} {
			for h := range 3 {
				from := out.Attention[layer].Values[(picture*3+h)*tokens*tokens:]
				got := out.ClassAttention.Values[((picture*2+k)*3+h)*patches:][:patches]
				if want := from[cfg.Prefix():tokens]; !near(got, want) {
					t.Errorf("picture %d, layer %d, head %d: %v, want %v", picture, layer, h, got, want)
				}
			}
		}
	}
}

func near(a, b []float32) bool {
	for i := range a {
		if d := a[i] - b[i]; d > 1e-6 || d < -1e-6 {
			return false
		}
	}
	return len(a) == len(b)
}

// What can't be had is refused with the reason.
func TestRunErrors(t *testing.T) {
	cfg := smallConfig()
	cfg.Classes, cfg.ClassToken, cfg.Pool = 0, false, PoolMean
	r := newRunner(t, scrambled(t, cfg, 5))
	good := [4]int{1, 3, 12, 12}
	cases := []struct {
		shape [4]int
		want  Want
		text  string
	}{
		{good, Want{Logits: true}, "no head"},
		{good, Want{ClassAttention: []int{0}}, "no class token"},
		{good, Want{}, "nothing is wanted"},
		{good, Want{Tokens: []int{2}}, "layers 0 to 1"},
		{good, Want{Attention: []int{-3}}, "no layer -3"},
		{[4]int{1, 3, 13, 12}, Want{Norm: true}, "use 12 or 16"},
		{[4]int{1, 4, 12, 12}, Want{Norm: true}, "4 channels"},
		{[4]int{1, 3, 4000, 6000}, Want{Norm: true}, "1000000 tokens"},
		{[4]int{0, 3, 12, 12}, Want{Norm: true}, "0 values"},
	}
	for _, c := range cases {
		_, err := r.Run(pictures(c.shape), c.shape, c.want)
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("error %v doesn't say %q", err, c.text)
		}
	}
	if _, err := r.Run(make([]float32, 5), good, Want{Norm: true}); err == nil {
		t.Error("too few values went through")
	}
	if _, err := NewRunner(nil, scrambled(t, cfg, 1)); err == nil {
		t.Error("no backend, no error")
	}
	m := scrambled(t, cfg, 1)
	delete(m.params, "norm/bias")
	if _, err := NewRunner(testBackends(t)[0], m); err == nil || !strings.Contains(err.Error(), "norm/bias") {
		t.Errorf("a missing parameter: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := r.Run(pictures(good), good, Want{Norm: true}); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("running a closed runner: %v", err)
	}
}

func TestRunTensors(t *testing.T) {
	r := newRunner(t, scrambled(t, smallConfig(), 5))
	shape := [4]int{2, 3, 12, 12}
	images := pictures(shape)
	half := len(images) / 2
	a := &transform.Tensor{Data: images[:half], Shape: [3]int{3, 12, 12}}
	b := &transform.Tensor{Data: images[half:], Shape: [3]int{3, 12, 12}}
	both, err := r.RunTensors([]*transform.Tensor{a, b}, Want{Logits: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range []*transform.Tensor{a, b} {
		one, err := r.RunTensors([]*transform.Tensor{p}, Want{Logits: true})
		if err != nil {
			t.Fatal(err)
		}
		if !near(one.Logits.Values, both.Logits.Values[i*5:][:5]) {
			t.Errorf("picture %d alone %v, in a batch %v", i, one.Logits.Values, both.Logits.Values[i*5:][:5])
		}
	}
	if _, err := r.RunTensors(nil, Want{Logits: true}); err == nil {
		t.Error("no pictures, no error")
	}
	b.Shape = [3]int{3, 6, 24}
	if _, err := r.RunTensors([]*transform.Tensor{a, b}, Want{Logits: true}); err == nil || !strings.Contains(err.Error(), "one size") {
		t.Errorf("two sizes: %v", err)
	}
}

// A grid other than the model's gives a warning once, and what ResizedTo gives.
func TestRunResized(t *testing.T) {
	m := scrambled(t, smallConfig(), 5)
	r := newRunner(t, m)
	shape := [4]int{1, 3, 20, 12}
	images := pictures(shape)
	out, err := r.Run(images, shape, Want{Logits: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "3×2 to 5×2") || out.Grid != [2]int{5, 2} {
		t.Errorf("warnings %q, grid %v", out.Warnings, out.Grid)
	}
	again, err := r.Run(images, shape, Want{Logits: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Warnings) != 0 {
		t.Errorf("warned twice: %q", again.Warnings)
	}
	r.WarnAgain()
	if again, err = r.Run(images, shape, Want{Logits: true}); err != nil || len(again.Warnings) != 1 {
		t.Errorf("not warned again: %q, %v", again.Warnings, err)
	}
	resized, err := m.ResizedTo(20, 12)
	if err != nil {
		t.Fatal(err)
	}
	if len(resized.Warnings) != 1 || resized.Warnings[0] != out.Warnings[0] {
		t.Errorf("warnings %q", resized.Warnings)
	}
	direct, err := newRunner(t, resized).Run(images, shape, Want{Logits: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(direct.Logits.Values, out.Logits.Values) || len(direct.Warnings) != 0 {
		t.Errorf("%v (warnings %q), want %v", direct.Logits.Values, direct.Warnings, out.Logits.Values)
	}
}

func TestPositionEmbeddings(t *testing.T) {
	cfg := smallConfig()
	cfg.Registers = 3
	m := scrambled(t, cfg, 5)
	all, _, err := m.Parameter("positions")
	if err != nil {
		t.Fatal(err)
	}
	patches, grid, err := m.PositionEmbeddings()
	if err != nil {
		t.Fatal(err)
	}
	if grid != [2]int{3, 2} || !slices.Equal(patches, all[cfg.Dim:]) { // only the class token's comes before
		t.Errorf("grid %v, %d values of %d", grid, len(patches), len(all))
	}
	if same, err := m.ResizedTo(12, 12); err != nil || len(same.Warnings) != 0 {
		t.Errorf("the same size: %v, warnings %q", err, same.Warnings)
	}
	if _, err := m.ResizedTo(13, 12); err == nil {
		t.Error("a size that patches don't tile went through")
	}
	resized, err := m.ResizedTo(4, 12)
	if err != nil {
		t.Fatal(err)
	}
	patches, grid, err = resized.PositionEmbeddings()
	if err != nil || grid != [2]int{1, 2} || len(patches) != 2*cfg.Dim {
		t.Errorf("resized: grid %v, %d values, %v", grid, len(patches), err)
	}
	if first, _, _ := resized.Parameter("positions"); !slices.Equal(first[:cfg.Dim], all[:cfg.Dim]) {
		t.Error("the class token's position changed")
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// A closed model says so, and a runner made before goes on.
func TestClosedModel(t *testing.T) {
	c := layoutCase{table: &timmTable}
	m, err := Load(c.write(t, c.model(t), t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(t, m)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, _, err := m.PositionEmbeddings(); err == nil {
		t.Error("a closed model gave positions")
	}
	if _, err := m.ResizedTo(32, 32); err == nil {
		t.Error("a closed model was resized")
	}
	for _, size := range []int{16, 24} {
		shape := [4]int{1, 3, size, size}
		if _, err := r.Run(pictures(shape), shape, Want{Logits: true}); err != nil {
			t.Error(err)
		}
	}
}

// Many goroutines on one runner, with different sizes and wishes, get what one
// alone gets.
func TestRunConcurrently(t *testing.T) {
	r := newRunner(t, scrambled(t, smallConfig(), 5))
	kinds := []struct {
		shape [4]int
		want  Want
	}{
		{[4]int{1, 3, 12, 12}, Want{Logits: true}},
		{[4]int{2, 3, 12, 12}, Want{Logits: true}},
		{[4]int{1, 3, 8, 12}, Want{Logits: true, Attention: []int{0}}},
	}
	var want []string
	for _, k := range kinds {
		out, err := r.Run(pictures(k.shape), k.shape, k.want)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(out.Logits.Values))
	}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			k := kinds[i%len(kinds)]
			out, err := r.Run(pictures(k.shape), k.shape, k.want)
			if err != nil {
				t.Error(err)
				return
			}
			if got := fmt.Sprint(out.Logits.Values); got != want[i%len(kinds)] {
				t.Errorf("%v, want %v", got, want[i%len(kinds)])
			}
		})
	}
	wg.Wait()
}

func TestResolveLeavesTheCallersList(t *testing.T) {
	layers := []int{-1}
	if _, err := (Want{Tokens: layers}).resolve(smallConfig()); err != nil || layers[0] != -1 {
		t.Errorf("layers became %v (%v)", layers, err)
	}
}

// Pictures that all differ in size don't pile up programs, and one that comes
// back gives what it gave.
func TestProgramsAreForgotten(t *testing.T) {
	pure := testBackends(t)[0] // compiling takes no time there
	r, err := NewRunner(pure, scrambled(t, smallConfig(), 5))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	run := func(rows int) []float32 {
		shape := [4]int{1, 3, 4 * rows, 12}
		out, err := r.Run(pictures(shape), shape, Want{Logits: true})
		if err != nil {
			t.Fatal(err)
		}
		return out.Logits.Values
	}
	first := run(1)
	for rows := range 2 * maxPrograms {
		run(rows + 1)
	}
	if r.programs.Len() > maxPrograms || len(r.nets) > maxPrograms {
		t.Errorf("%d programs and %d nets kept", r.programs.Len(), len(r.nets))
	}
	if again := run(1); !slices.Equal(first, again) {
		t.Errorf("%v, at first %v", again, first)
	}
}

// In bfloat16 logits are near those of float32, and not the same.
func TestRunInBFloat16(t *testing.T) {
	m := scrambled(t, smallConfig(), 5)
	shape := [4]int{2, 3, 12, 12}
	images := pictures(shape)
	for _, b := range testBackends(t) {
		half, err := NewRunner(b, m, InBFloat16)
		if err != nil {
			if strings.Contains(err.Error(), "bfloat16") {
				continue // the backend has none
			}
			t.Fatal(err)
		}
		defer half.Close()
		full, err := NewRunner(b, m)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		got, err := half.Run(images, shape, Want{Logits: true})
		if err != nil {
			t.Fatal(err)
		}
		want, err := full.Run(images, shape, Want{Logits: true})
		if err != nil {
			t.Fatal(err)
		}
		// bfloat16 rounds by up to 2^-9 = 0.002; these two blocks were off by 0.0025.
		if d := relative(t, got.Logits, want.Logits); !(d > 1e-4 && d < 0.005) {
			t.Errorf("%s: off by %.2g", b.Name(), d)
		}
	}
}
