package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gaze/pkg/data"
	"gaze/pkg/train"
)

// runRecord is what a run's folder tells of the pictures that it was made with.
type runRecord struct {
	manifest *train.Manifest // nil: the model is no run's
	pictures []train.Picture // nil: the run doesn't list them
	before   map[string]bool // sums of the pictures that the runs it began with were trained on
}

// maxAncestors bounds how far a run's beginnings are followed.
const maxAncestors = 32

// readRecord reads the record of a run, or of a run's best model, and what the runs
// that it began with were trained on, as far as they are still there; an empty one for
// any other model.
func readRecord(run string) (runRecord, error) {
	r, err := readOwnRecord(run)
	if err != nil || r.manifest == nil {
		return r, err
	}
	r.before = map[string]bool{}
	for before, n := r, 0; before.manifest != nil && n < maxAncestors; n++ {
		if before, err = readOwnRecord(before.manifest.Notes["model"]); err != nil {
			break // it was there to begin with, and may have come to harm since
		}
		before.addTrained(r.before)
	}
	return r, nil
}

// addTrained adds the sums of the pictures that the run was trained on.
func (r runRecord) addTrained(to map[string]bool) {
	for _, p := range r.pictures {
		if p.Use == train.Trained && p.Sum != "" {
			to[p.Sum] = true
		}
	}
}

// readOwnRecord is readRecord for the run alone.
func readOwnRecord(run string) (runRecord, error) {
	var r runRecord
	if run == "" {
		return r, nil
	}
	places := []string{run}
	if best := filepath.Dir(run); filepath.Base(best) == "best" {
		places = append(places, filepath.Dir(best))
	}
	for _, dir := range places {
		m, err := train.ReadManifest(dir)
		if errors.As(err, new(*fs.PathError)) {
			continue // there is none
		}
		if err != nil {
			return r, err // a run, but a damaged one
		}
		r.manifest = m
		if r.pictures, err = train.Pictures(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
		return r, nil
	}
	return r, nil
}

// trainedOn tells on how many of the evaluated pictures of a set the run, or one that
// it began with, was trained; nil if it doesn't say. A run that lists no pictures, as those of earlier
// versions, still knows its data set as a whole by its hash.
func (r runRecord) trainedOn(c *evaluatedSet, evaluated []string) *int {
	if r.manifest == nil {
		return nil
	}
	trained := map[string]bool{}
	r.addTrained(trained)
	count := 0
	if len(trained) == 0 {
		if whole, _, _ := strings.Cut(r.manifest.Data, "+"); whole != "" && whole == c.set.HashOf(c.sums) {
			count = len(evaluated)
			return &count
		}
		return nil
	}
	sums := make(map[string]data.Sum, len(c.sums))
	for i, sum := range c.sums {
		sums[c.set.Name(i)] = sum
	}
	for _, name := range evaluated {
		if sum := train.SumText(sums[name]); trained[sum] || r.before[sum] {
			count++
		}
	}
	return &count
}

// names is the pictures of one use, by their names.
func (r runRecord) names(use train.Use) map[string]train.Picture {
	out := map[string]train.Picture{}
	for _, p := range r.pictures {
		if p.Use == use {
			out[p.Name] = p
		}
	}
	return out
}

// evaluatedSet is the pictures that are evaluated.
type evaluatedSet struct {
	set     *data.Dataset
	split   string
	heldOut *train.HeldOut // if they are what the run held out
	sums    []data.Sum     // of their files
}

// choose finds the pictures that are asked for.
func (f *evaluateFlags) choose(cmd *cobra.Command, record runRecord) (*evaluatedSet, error) {
	own := f.data == ""
	if own && record.manifest != nil {
		f.data = record.manifest.Notes["data"]
	}
	if f.data == "" {
		return nil, misuse(cmd, fmt.Errorf("--data: there is no run in %s that says what it was trained on: name the data set", f.run))
	}
	splits, err := openDataset(cmd, f.data)
	if err != nil {
		return nil, err
	}
	if record.manifest != nil {
		own = own || sameFile(f.data, record.manifest.Notes["data"])
	}
	c, err := f.fromRun(cmd.Context(), splits, record, own)
	if err != nil {
		return nil, err
	}
	if c == nil {
		if c, err = f.fromSplits(cmd, splits); err != nil {
			return nil, err
		}
	}
	c.sums, err = c.set.Sums(cmd.Context(), func(int, error) {}) // whoever decodes them names those that can't be read
	return c, err
}

// fromSplits takes one of the splits that the data set has.
func (f *evaluateFlags) fromSplits(cmd *cobra.Command, splits *data.Splits) (*evaluatedSet, error) {
	all := []evaluatedSet{{set: splits.Validation, split: "val"}, {set: splits.Test, split: "test"}, {set: splits.Train, split: "train"}}
	var there []string
	for _, c := range all {
		if c.set != nil {
			there = append(there, c.split)
		}
	}
	name := f.split
	if name == "" && (len(there) == 1 || splits.Validation != nil) {
		name = there[0] // all there is, or val
	}
	for i := range all {
		if all[i].set != nil && all[i].split == name {
			return &all[i], nil
		}
	}
	if name == "" {
		return nil, misuse(cmd, fmt.Errorf("--split: %s has no val: choose one of %s", f.data, strings.Join(there, ", ")))
	}
	return nil, misuse(cmd, fmt.Errorf("--split: %s has no %s, it has %s", f.data, name, strings.Join(there, ", ")))
}

// fromRun takes the pictures that the run held out of the data set's train split, or
// the others of it, those the run was trained on; nil if it held none out, the data
// set isn't the run's own, or another split is asked for.
func (f *evaluateFlags) fromRun(ctx context.Context, splits *data.Splits, record runRecord, own bool) (*evaluatedSet, error) {
	held := record.names(train.HeldApart)
	if len(held) == 0 || splits.Train == nil || f.split != "" && f.split != "val" && f.split != "train" {
		return nil, nil
	}
	if splits.Validation != nil && f.split != "train" {
		return nil, nil // it has come since
	}
	places, missing, err := find(ctx, splits.Train, held)
	if err != nil {
		return nil, err
	}
	if missing != "" && !own {
		return nil, nil // some other data set
	}
	if missing != "" {
		return nil, fmt.Errorf("%s isn't as it was when %s held pictures out of it to validate on: %s is missing or was changed (%d of %d are there); name the data set as it was by --data, or other pictures by --split",
			f.data, f.run, missing, len(places), len(held))
	}
	c := &evaluatedSet{split: "val", heldOut: record.manifest.HeldOut}
	if f.split == "train" {
		c.split, c.heldOut = "train", nil
		taken := make(map[int]bool, len(places))
		for _, i := range places {
			taken[i] = true
		}
		places = nil
		for i := range splits.Train.Len() {
			if !taken[i] {
				places = append(places, i)
			}
		}
	}
	c.set = splits.Train.Pick(places)
	return c, nil
}

// find looks for pictures in a set by their names and the sums of their files; a
// missing one is named.
func find(ctx context.Context, set *data.Dataset, pictures map[string]train.Picture) (places []int, missing string, err error) {
	for i := range set.Len() {
		if _, ok := pictures[set.Relative(i)]; ok {
			places = append(places, i)
		}
	}
	sums, err := set.Pick(places).Sums(ctx, func(int, error) {})
	if err != nil {
		return nil, "", err
	}
	found, kept := map[string]bool{}, places[:0]
	for k, i := range places {
		name := set.Relative(i)
		if want := pictures[name].Sum; want != "" && want != train.SumText(sums[k]) {
			continue
		}
		found[name] = true
		kept = append(kept, i)
	}
	for name := range pictures {
		if !found[name] && (missing == "" || name < missing) {
			missing = name
		}
	}
	return kept, missing, nil
}

// sameFile tells whether two paths lead to the same file or folder.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
