package train

import (
	"context"
	"path/filepath"
	"testing"
)

// TestPool trains the same run in a new trainer and in one that another run has
// used: to the same bits, with an average and gradients that are accumulated.
func TestPool(t *testing.T) {
	b := testBackend(t)
	run := func(pool *Pool, settings string) string {
		f := fineTune(t, settings)
		f.Dir, f.Pool = filepath.Join(t.TempDir(), "run"), pool
		if _, err := f.Run(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		return f.Dir
	}
	const settings = "lr=1e-3; epochs=2; batch=4; accumulate=2; ema=0.9; droppath=0.2; optimizer=adamw; weight_decay=0.1; "
	pool := &Pool{}
	defer pool.Close()
	kept := func() (n int) {
		for _, list := range pool.idle {
			n += len(list)
		}
		return n
	}
	run(pool, settings+"seed=5; clip=1; schedule=cosine")
	if kept() != 1 {
		t.Fatalf("%d trainers are kept after a run", kept())
	}
	again, fresh := run(pool, settings+"seed=6; clip=1"), run(nil, settings+"seed=6; clip=1")
	if kept() != 1 {
		t.Errorf("%d trainers are kept: the second run didn't use the first one's", kept())
	}
	sameOutcome(t, again, fresh)

	// What makes another program has a trainer of its own.
	run(pool, settings+"seed=6; clip=2")
	if kept() != 2 {
		t.Errorf("%d trainers are kept for two programs", kept())
	}
	pool.Close()
	if kept() != 0 {
		t.Error("closed, the pool keeps trainers")
	}
}
