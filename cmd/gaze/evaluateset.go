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

// runRecord is the record, in a run's folder, of the pictures it was trained and
// validated on.
type runRecord struct {
	manifest *train.Manifest // nil if the model isn't from a run
	pictures []train.Picture // nil if the run doesn't list them
	before   map[string]bool // checksums of the pictures that the run's starting models were trained on
}

// maxAncestors bounds how far back a chain of starting models is followed.
const maxAncestors = 32

// readRecord reads the record of a run or of a run's best model. It also reads what
// the run's starting models were trained on, as far as their runs still exist. For any
// other model the record is empty.
func readRecord(run string) (runRecord, error) {
	r, err := readOwnRecord(run)
	if err != nil || r.manifest == nil {
		return r, err
	}
	r.before = map[string]bool{}
	for before, n := r, 0; before.manifest != nil && n < maxAncestors; n++ {
		if before, err = readOwnRecord(before.manifest.Notes["model"]); err != nil {
			break // it existed when training began; it may have been removed or damaged since
		}
		before.addTrained(r.before)
	}
	return r, nil
}

// addTrained adds the checksums of the pictures that the run was trained on.
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
			continue // no manifest in this folder
		}
		if err != nil {
			return r, err // a damaged run
		}
		r.manifest = m
		if r.pictures, err = train.Pictures(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
		return r, nil
	}
	return r, nil
}

// trainedOn counts the evaluated pictures that the run, or one of its starting models,
// was trained on; nil if unknown. Runs of earlier versions list no pictures; they still
// identify their whole data set by its hash.
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

// names returns the pictures with a given use, by name.
func (r runRecord) names(use train.Use) map[string]train.Picture {
	out := map[string]train.Picture{}
	for _, p := range r.pictures {
		if p.Use == use {
			out[p.Name] = p
		}
	}
	return out
}

// evaluatedSet is the set of pictures to evaluate.
type evaluatedSet struct {
	set     *data.Dataset
	split   string
	heldOut *train.HeldOut // set if the run held these pictures out
	sums    []data.Sum     // checksums of the files
}

// choose finds the pictures to evaluate.
func (f *evaluateFlags) choose(cmd *cobra.Command, record runRecord) (*evaluatedSet, error) {
	own := f.data == ""
	if own && record.manifest != nil {
		f.data = record.manifest.Notes["data"]
	}
	if f.data == "" {
		return nil, misuse(cmd, fmt.Errorf("--data: %s holds no run that records its training data: name the data set", f.run))
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
	c.sums, err = c.set.Sums(cmd.Context(), func(int, error) {}) // unreadable files are reported when they are decoded
	return c, err
}

// fromSplits selects one of the data set's splits.
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
		name = there[0] // the only split, or val
	}
	if strings.HasPrefix(name, "official-") {
		set, err := splits.Named(name)
		if err != nil {
			return nil, misuse(cmd, fmt.Errorf("--split: %s: %w", f.data, err))
		}
		return &evaluatedSet{set: set, split: name}, nil
	}
	for i := range all {
		if all[i].set != nil && all[i].split == name {
			return &all[i], nil
		}
	}
	if name == "" {
		return nil, misuse(cmd, fmt.Errorf("--split: %s has no val: choose one of %s", f.data, strings.Join(there, ", ")))
	}
	return nil, misuse(cmd, fmt.Errorf("--split: %s has no %s, only %s", f.data, name, strings.Join(there, ", ")))
}

// fromRun selects from the train split the pictures that the run held out or, with
// --split train, those that it was trained on. It returns nil if the run held none out,
// if the data set isn't the run's own, or if another split is requested.
func (f *evaluateFlags) fromRun(ctx context.Context, splits *data.Splits, record runRecord, own bool) (*evaluatedSet, error) {
	held := record.names(train.HeldApart)
	if len(held) == 0 || splits.Train == nil || f.split != "" && f.split != "val" && f.split != "train" {
		return nil, nil
	}
	if splits.Validation != nil && f.split != "train" {
		return nil, nil // the val split was added after the run
	}
	places, missing, err := find(ctx, splits.Train, held)
	if err != nil {
		return nil, err
	}
	if missing != "" && !own {
		return nil, nil // a different data set
	}
	if missing != "" {
		return nil, fmt.Errorf("%s has changed since %s held pictures out of it for validation: %s is missing or was changed (%d of %d are unchanged); name the original data set with --data, or other pictures with --split",
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

// find looks pictures up in a set by name and file checksum. If some are missing, it
// names one.
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

// sameFile reports whether two paths lead to the same file or folder.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
