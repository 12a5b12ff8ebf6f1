// Package study compares ways of fine-tuning: a row for each, several seeds for
// every row, the same pictures for all, and a test set that no choice was made on.
// It knows how runs are trained and compared; which rows a report compares, and what
// it says of them, it doesn't know.
//
// [Study.Run] trains and returns a [Result], whose methods make tables, curves and
// comparisons. A result is written to a file as a [Record]; read again, it answers the same
// as before but for the pictures themselves.
package study

import (
	"context"
	"errors"
	"fmt"

	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/train"
)

// Kind is how a row uses its model.
type Kind string

const (
	// Trains is a run of pkg/train; Row.Settings are as [train.ParseSettings] reads them.
	Trains Kind = ""
	// Neighbours is k-NN on the features of the frozen model; Row.Settings are as
	// [train.ParseKNN] reads them. There are no epochs.
	Neighbours Kind = "k-nn"
)

// Row is one way of fine-tuning.
type Row struct {
	Name     string // short, for tables and legends
	Asks     string // what it is there to find out
	Model    string // short name of the model it begins with; "" where all rows begin with the same
	Kind     Kind
	Start    string // a checkpoint's file, a description as vit.ParseConfig reads it, or a name in Study.Extractors
	Pipeline string // how a picture is prepared to train on; without its random steps, to classify
	Settings string // see Kind; the seed is the study's
	// PerClass is the number of training pictures of every class that the row uses, chosen by
	// its run's seed (see [data.First]); 0: all.
	PerClass int
	Seeds    []uint64 // nil: the study's
}

// Title is the row's name, after that of its model if it has one.
func (r Row) Title() string {
	if r.Model == "" {
		return r.Name
	}
	return r.Model + ": " + r.Name
}

// Study is rows to be compared on a data set.
type Study struct {
	Data *data.Splits // Train and Validation are needed; Test if there is one
	// Folder is what the data set is opened by; "": the folder that its splits are in.
	Folder string
	// HeldOut says which part of the training pictures Validation is, where the data
	// set has no pictures to validate on (see [data.HoldOut]); else nil.
	HeldOut *train.HeldOut
	// Judge is what the test pictures are called; "": test.
	Judge string
	Rows  []Row // their names differ, for each model
	Seeds []uint64
	// Extractors are models of other kinds than Vision Transformers, by the Start of the
	// rows that use them: k-NN and linear probes (probe=true).
	Extractors map[string]train.Extractor
	// Dir keeps the runs: those in it are not trained again, and interrupted ones are
	// continued.
	Dir string
	// Parallel is how many runs are trained at a time, each to the same bits as
	// alone: small models leave processors idle. 0: one.
	Parallel int
	Workers  int            // of each run, that decode and transform; 0: one for each processor
	Progress func(Progress) // may be nil; called by one run at a time
	// Warn is called with warnings about a row's run, such as random steps that a probe
	// leaves out; may be nil. They are also in the run's run.json.
	Warn func(row Row, text string)
	// Finished is called after every run with what is finished by then; may be nil.
	Finished func(*Result)
	Notes    []string // to be shown with the study
}

// Progress is how far a study is.
type Progress struct {
	Row       Row
	Seed      uint64
	Run, Runs int // the one under way, from 1, of how many
	train.Progress
}

// Run is one row with one seed.
type Run struct {
	Seed       uint64
	Dir        string               // its folder, as 'gaze evaluate --run' takes it; "" in a record
	Epochs     []train.EpochMetrics // in order; none of k-NN
	BestAt     int                  // the epoch that was best on the validation set, from 1; 0 of k-NN
	Best       train.Evaluation     // on the validation set, after that epoch
	Last       train.Evaluation     // on the validation set, after the last epoch
	Test       *evaluate.Report     // of the best epoch's weights on the test set; nil without one
	Report     *evaluate.Report     // Test; without one, the same on the validation set
	Right      []bool               // which pictures of that set were right
	Neighbours int                  // k of k-NN; else 0
	Seconds    float64              // of training and validation
	Pictures   int                  // that were trained on, each as often as it was shown
}

// Outcome is a row's finished runs, at least one, in the order of the seeds.
type Outcome struct {
	Row
	Features bool // whether the model isn't a Vision Transformer and only has features
	Runs     []Run
}

// Parts is numbers of pictures.
type Parts struct {
	Train      int `json:"train"`
	Validation int `json:"validation"`
	Test       int `json:"test,omitempty"` // 0 without a test set
}

// Missing is a run that a study lacks.
type Missing struct {
	Row   string `json:"row"`
	Model string `json:"model,omitempty"`
	Seed  uint64 `json:"seed"`
	Why   string `json:"why"`
}

// Result is what a study found.
type Result struct {
	Data     *data.Splits   // the pictures; nil in a record that was read from a file
	Folder   string         // as the study's
	HeldOut  *train.HeldOut // as the study's
	Classes  []string
	Parts    Parts
	Judge    string // what the pictures are called that runs are judged by: test, held-out, validation, or the study's word
	Tested   bool   // whether they are a test set, which no choice was made on
	Device   string // that trained: backend and processor
	Notes    []string
	Outcomes []Outcome // of the rows in their order, without those of which no run is finished
	Missing  []Missing // runs that aren't finished
}

// check makes sure that the study can begin.
func (s Study) check() error {
	switch {
	case s.Data == nil || s.Data.Train == nil || s.Data.Validation == nil:
		return errors.New("study: the data set needs pictures to train on and others to validate: folders train and val")
	case len(s.Rows) == 0 || len(s.Seeds) == 0:
		return errors.New("study: there are no rows or no seeds")
	case s.Dir == "":
		return errors.New("study: there is no folder to keep the runs in")
	}
	rows := map[[2]string]bool{}
	for _, row := range s.Rows {
		if key := [2]string{row.Model, row.Name}; row.Name == "" || rows[key] {
			return fmt.Errorf("study: every row needs a name of its own, %q isn't one", row.Title())
		} else {
			rows[key] = true
		}
		if row.PerClass < 0 {
			return fmt.Errorf("study: %s: %d training pictures of each class", row.Title(), row.PerClass)
		}
		if err := twice(s.seedsOf(row)); err != nil {
			return err
		}
	}
	return nil
}

// twice returns an error if a seed is listed twice.
func twice(list []uint64) error {
	seeds := map[uint64]bool{}
	for _, seed := range list {
		if seeds[seed] {
			return fmt.Errorf("study: seed %d is listed twice", seed)
		}
		seeds[seed] = true
	}
	return nil
}

// seedsOf are a row's seeds.
func (s Study) seedsOf(row Row) []uint64 {
	if row.Seeds != nil {
		return row.Seeds
	}
	return s.Seeds
}

// hash names the pictures to train and to validate on.
func (s Study) hash(ctx context.Context) (string, error) {
	training, err := s.Data.Train.Hash(ctx)
	if err != nil {
		return "", err
	}
	validation, err := s.Data.Validation.Hash(ctx)
	return training + "+" + validation, err
}
