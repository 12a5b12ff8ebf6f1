package study

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"strings"
	"unicode"

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
	Command string // that trains it; "" where 'gaze train' can't, as for k-NN
	On      string // what Accuracy is about: test, validation or held-out pictures
}

// Final is the best row by validation, with the first seed. The row is chosen by
// all seeds, the run by none. It is empty where no run is finished.
func (r *Result) Final() Final {
	o := r.Best()
	if len(o.Runs) == 0 {
		return Final{Data: r.Folder, On: r.TestedOn()}
	}
	f := Final{Row: o.Row, Seed: o.Runs[0].Seed, Run: o.Runs[0], Data: r.Folder, On: r.TestedOn()}
	s, err := train.ParseSettings(o.Settings)
	if err != nil || o.Kind != Trains || o.Features {
		return f
	}
	s.Seed = f.Seed
	f.Command = fmt.Sprintf("gaze train --data %s --model %s \\\n  --pipeline '%s' \\\n  --set '%s' -o RUN", pathWord(f.Data), pathWord(o.Start), o.Pipeline, s)
	return f
}

// TestedOn is what the pictures are called that runs are judged by.
func (r *Result) TestedOn() string { return r.Judge }

// pathWord is a path as one word of a shell's line; it doesn't tell where the home folder is.
func pathWord(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || len(home) < 2 {
		return shellWord(path)
	}
	rest, below := strings.CutPrefix(path, strings.TrimRight(home, "/")+"/")
	if !below || rest == "" {
		return shellWord(path)
	}
	return "~/" + shellWord(rest) // a shell expands the tilde only if it isn't quoted
}

// shellWord is a text as one word of a shell's line.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+:=,@%", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
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
	return fmt.Sprintf("%s, seed %d: %d of %d %s pictures right, %s", f.Name, f.Seed, correct, pictures, f.On, share.Percent())
}

// Again trains a final result again, in another folder.
func (s Study) Again(ctx context.Context, backend compute.Backend, f Final, dir string) (Final, error) {
	s.Rows, s.Seeds, s.Dir, s.Parallel = []Row{f.Row}, []uint64{f.Seed}, dir, 1
	r, err := s.Run(ctx, backend)
	if err != nil {
		return Final{}, err
	}
	return r.Final(), nil
}

// TestPicture is a picture, by its index, of the set that runs are judged by: the test
// set, without one the validation set.
// A record has no pictures, which is an error.
func (r *Result) TestPicture(i int) (image.Image, error) {
	if r.Data == nil {
		return nil, errors.New("study: a record holds no pictures: name the data set it is about")
	}
	if r.Data.Test == nil {
		return r.Data.Validation.Image(i)
	}
	return r.Data.Test.Image(i)
}

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
