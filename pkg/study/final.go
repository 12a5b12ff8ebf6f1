package study

import (
	"context"
	"fmt"
	"image"
	"path/filepath"

	"github.com/gomlx/compute"

	"gaze/pkg/evaluate"
	"gaze/pkg/train"
)

// Final is the single result that stands for the study: its best row with its
// first seed.
type Final struct {
	Row
	Seed    uint64
	Run     Run
	Data    string // the data set's folder
	Command string // that trains it
}

// Final is the best row by validation, with the first seed. The row is chosen by
// all seeds, the run by none.
func (r *Result) Final() Final {
	o := r.Best()
	f := Final{Row: o.Row, Seed: o.Runs[0].Seed, Run: o.Runs[0], Data: filepath.Dir(r.Data.Train.Root)}
	s, err := train.ParseSettings(o.Settings)
	if err == nil {
		s.Seed = f.Seed
	}
	f.Command = fmt.Sprintf("gaze train --data %s --model %s \\\n  --pipeline '%s' \\\n  --set '%s' -o RUN", f.Data, o.Start, o.Pipeline, s)
	return f
}

// Accuracy is on the test set, with its 95 % interval; on the validation set where
// there is no test set.
func (f Final) Accuracy() (correct, pictures int, share evaluate.Interval) {
	if f.Run.Test == nil {
		b := f.Run.Best
		return b.Correct, b.Total, evaluate.Wilson(b.Correct, b.Total)
	}
	return f.Run.Test.Correct, f.Run.Test.Pictures, f.Run.Test.Accuracy
}

// String is the result in a line.
func (f Final) String() string {
	correct, pictures, share := f.Accuracy()
	return fmt.Sprintf("%s, seed %d: %d of %d pictures right, %s", f.Name, f.Seed, correct, pictures, share.Percent())
}

// Again trains a final result anew, in another folder.
func (s Study) Again(ctx context.Context, backend compute.Backend, f Final, dir string) (Final, error) {
	s.Rows, s.Seeds, s.Dir, s.Parallel = []Row{f.Row}, []uint64{f.Seed}, dir, 1
	r, err := s.Run(ctx, backend)
	if err != nil {
		return Final{}, err
	}
	return r.Final(), nil
}

// TestPicture is a picture of the test set, by its index in it.
func (r *Result) TestPicture(i int) (image.Image, error) { return r.Data.Test.Image(i) }

// Against compares the final result with a row's run of the same seed, picture by
// picture (McNemar's test), in a sentence.
func (r *Result) Against(name string) string {
	o, err := r.Outcome(name)
	if err != nil {
		return err.Error()
	}
	f := r.Final()
	for _, run := range o.Runs {
		if run.Seed != f.Seed {
			continue
		}
		c, err := evaluate.McNemar(run.Right, f.Run.Right)
		if err != nil {
			return err.Error()
		}
		return c.Sentence(name, f.Name)
	}
	return fmt.Sprintf("%s has no run with seed %d", name, f.Seed)
}
