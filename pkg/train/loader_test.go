package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"gaze/pkg/data"
	"gaze/pkg/transform"
)

// squares is a set of 20 pictures that the golden network can look at; 6 to 8 and
// 19 are bad.
type squares struct{ size, channels, classes int }

func (squares) Len() int            { return 20 }
func (s squares) Label(i int) int   { return i % s.classes }
func (s squares) Name(i int) string { return fmt.Sprint("square ", i) }
func (s squares) Image(i int) (*transform.Image, error) {
	if i >= 6 && i < 9 || i == 19 {
		return nil, errors.New("damaged")
	}
	im := transform.NewImage(s.size+2, s.size, s.channels)
	for j := range im.Pix {
		im.Pix[j] = uint8(j * (i + 1))
	}
	return im, nil
}

// classesOf is the number of classes of a trainer's head.
func classesOf(tr *Trainer) int {
	for _, w := range tr.net.Weights {
		if w.Name == "head/bias" {
			return w.Shape[0]
		}
	}
	return 0
}

// loaders gives a training and a validation source for the run's network.
func loaders(t testing.TB, ctx context.Context, tr *Trainer, workers int) (training, validation Source) {
	t.Helper()
	in := tr.net.Input
	set := squares{in[1], in[0], classesOf(tr)}
	pipeline := func(text string) transform.Pipeline {
		p, err := transform.Parse(fmt.Sprintf(text, in[1]))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var out [2]Source
	for i, o := range []data.LoaderOptions{
		{Pipeline: pipeline("randomcrop(%d) | randomhflip | totensor"), Shuffle: true, Mix: transform.Mix{MixupAlpha: 1, P: 0.5}, Classes: set.classes},
		{Pipeline: pipeline("centercrop(%d) | totensor")},
	} {
		o.Batch, o.Seed, o.Workers, o.Bad = 3, 1, workers, func(data.BadPicture) {}
		l, err := data.NewLoader(set, o)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = FromLoader(ctx, l)
	}
	return out[0], out[1]
}

func TestFromLoader(t *testing.T) {
	defer goleak.VerifyNone(t)
	_, tr := fit(t, t.TempDir(), false)
	_, source := loaders(t, t.Context(), tr, 2)
	if source.Len() != 7 {
		t.Fatalf("%d batches", source.Len())
	}
	sizes := func(from int) (list []int) {
		for b, err := range source.Batches(0, from) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, len(b.Labels))
		}
		return list
	}
	// All of the batch with number 2 are bad, and one of the last two.
	want := []int{3, 3, 0, 3, 3, 3, 1}
	for from := range 8 {
		if got := sizes(from); !slices.Equal(got, want[from:]) {
			t.Errorf("from %d: batches of %v", from, got)
		}
	}
	for stop := range 5 {
		n := 0
		for range source.Batches(0, 0) {
			if n++; n > stop {
				break
			}
		}
	}
	e, err := tr.Evaluate(t.Context(), source, false)
	if err != nil || e.Total != 16 {
		t.Errorf("%+v %v", e, err)
	}
}

// A run on a loader's batches gives the same bits with any number of workers,
// and when it is stopped and resumed.
func TestFitOnLoader(t *testing.T) {
	run := func(ctx context.Context, f Fit, tr *Trainer, workers int) error {
		f.CheckpointEvery = 2
		f.Train, f.Validation = loaders(t, ctx, tr, workers)
		_, err := f.Run(ctx, tr)
		return err
	}
	straight := filepath.Join(t.TempDir(), "straight")
	f, tr := fit(t, straight, false)
	if err := run(t.Context(), f, tr, 1); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "stopped")
	stops := 0
	for resume := false; ; resume = true {
		f, tr := fit(t, dir, resume)
		ctx, cancel := context.WithCancel(t.Context())
		batches := 0
		f.Progress = func(Progress) {
			if batches++; batches == 4 {
				cancel()
			}
		}
		err := run(ctx, f, tr, 3)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		stops++
	}
	if stops < 3 {
		t.Errorf("stopped only %d times", stops)
	}
	sameOutcome(t, dir, straight)
}
