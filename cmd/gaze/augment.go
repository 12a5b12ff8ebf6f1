package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// maxDraws bounds -n.
const maxDraws = 100

func newAugment() *cobra.Command {
	var pipeline, out string
	var seed uint64
	var n int
	cmd := &cobra.Command{
		Use:   "augment --pipeline SPEC -o grid.png PATH...",
		Short: "Draw a grid of what a pipeline makes of pictures",
		Long: "Draw a grid of what a pipeline makes of pictures: each original and beside it -n draws,\n" +
			"captioned with what was drawn. Draw i is what a training run with that seed sees in epoch\n" +
			"i. Tensors are shown un-normalised. A line for each draw, with its steps, goes to standard\n" +
			"output. A name ending in .svg gives SVG. 'gaze transform --help' lists the steps.",
		Example: "  gaze augment --pipeline 'randomhflip | rotation(30) | jitter(0.5,0.5,0.5)' -o grid.png photo.jpg",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePipeline(cmd, pipeline)
			if err != nil {
				return err
			}
			if n < 1 || n > maxDraws {
				return misuse(cmd, fmt.Errorf("-n %d: there can be 1 to %d draws", n, maxDraws))
			}
			if ext := strings.ToLower(filepath.Ext(out)); ext != ".png" && ext != ".svg" {
				return misuse(cmd, fmt.Errorf("-o %s: figures are written as .png or .svg", out))
			}
			if err := checkFolders(out); err != nil {
				return err
			}
			paths, err := data.List(args)
			if err != nil {
				return err
			}
			if len(paths) > explain.MaxDraws/n {
				return fmt.Errorf("%d draws of %d pictures are more than the %d that a figure shows: give fewer", n, len(paths), explain.MaxDraws)
			}
			if !p.Random() {
				warn(cmd, []string{"nothing in the pipeline is random: all draws are the same"})
			}
			return augment(cmd, p, seed, n, paths, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&pipeline, "pipeline", "", "the steps, separated by '|'")
	f.Uint64Var(&seed, "seed", 0, "what random steps are drawn from")
	f.IntVarP(&n, "number", "n", 8, "draws of each picture")
	f.StringVarP(&out, "output", "o", "", "the figure, .png or .svg")
	require(cmd, "pipeline", "output")
	return cmd
}

// augment draws all pictures, then the figure: of those that could be done, if
// some couldn't.
func augment(cmd *cobra.Command, p transform.Pipeline, seed uint64, n int, paths []string, out string) error {
	var all []*explain.Draws
	failed := forEachPicture(cmd.Context(), paths, cmd.ErrOrStderr(), func(path string, im *transform.Image) error {
		name := filepath.Base(path)
		d, err := explain.Draw(p, seed, uint64(len(all)), n, name, im)
		if err != nil {
			return err
		}
		all = append(all, d)
		for i, steps := range d.Steps {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\t%d\t%s\n", oneLine(errors.New(name)), i, steps); err != nil {
				return err
			}
		}
		return nil
	})
	if len(all) == 0 || cmd.Context().Err() != nil {
		return failed
	}
	figure, err := explain.AugmentGrid(p, seed, all...)
	if err != nil {
		return err
	}
	return errors.Join(saveFigure(out, figure), failed)
}
