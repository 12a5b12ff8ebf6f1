package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/data"
	"gaze/pkg/evaluate/maps"
)

// knownPictures finds what a folder knows about a batch's pictures. It is an error if it
// knows nothing about any of them.
func knownPictures(cmd *cobra.Command, truth *data.Truth, b *batch) ([]*data.Known, error) {
	var known []*data.Known
	for _, picture := range b.listing.Pictures {
		k := truth.Find(picture.Path)
		if k == nil || !k.HasTrimap() && !k.HasOutline() && k.Head == nil {
			continue
		}
		own := *k
		own.Path = picture.Path // which may be a copy elsewhere
		known = append(known, &own)
	}
	if len(known) == 0 {
		return nil, misuse(cmd, fmt.Errorf("--truth: %s has no trimap, outline or head of any of the %d pictures", truth.Folder, len(b.listing.Pictures)))
	}
	return known, nil
}

// printScores scores the attention of all layers and heads on the pictures, and prints a
// table for the pet's mask and one for the head. Pictures that can't be used are named, and then the command
// has failed in part.
func printScores(cmd *cobra.Command, s *session, known []*data.Known, quiet bool) error {
	m, err := maps.ClassAttention(s.runner)
	if err != nil {
		return err
	}
	o := maps.Options{Model: s.title, Seed: 1, Warn: func(text string) { s.warnings([]string{text}) }}
	var bad []string
	o.Bad = func(name string, err error) {
		bad = append(bad, name)
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s: not scored: %s\n", name, oneLine(err))
	}
	if !quiet && isTerminal(cmd.ErrOrStderr()) {
		o.Progress = func(done, total int) {
			fmt.Fprintf(cmd.ErrOrStderr(), "\r\x1b[Kscored %d of %d pictures", done, total)
			if done == total {
				fmt.Fprintln(cmd.ErrOrStderr())
			}
		}
	}
	r, err := maps.Evaluate(cmd.Context(), m, s.pipeline, known, o)
	if err != nil {
		return err
	}
	for _, p := range r.Parts {
		fmt.Fprintln(cmd.OutOrStdout(), r.Table(p.Truth))
	}
	if len(bad) > 0 {
		return fmt.Errorf("%d of %d pictures weren't scored (the first: %s); the scores are of the others", len(bad), len(known), bad[0])
	}
	return nil
}
