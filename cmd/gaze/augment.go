package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// maxDraws is the largest -n.
const maxDraws = 100

func newAugment() *cobra.Command {
	var pipeline, out string
	var seed uint64
	var n int
	var flags batchFlags
	cmd := &cobra.Command{
		Use:   "augment --pipeline SPEC -o grid.png PATH...",
		Short: "Show pictures as a pipeline augments them",
		Long: "Draw a grid: each original picture, and beside it the pipeline's result for -n random draws,\n" +
			"captioned with the values drawn. Draw i is what a training run with the same seed sees in\n" +
			"epoch i. Tensors are shown un-normalised. A line for each draw, with its steps, goes to\n" +
			"standard output. A name ending in .svg gives SVG. 'gaze transform --help' lists the steps.\n\n" + batchHelp,
		Example: "  gaze augment --pipeline 'randomhflip | rotation(30) | jitter(0.5,0.5,0.5)' -o grid.png photo.jpg",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePipeline(cmd, pipeline)
			if err != nil {
				return err
			}
			if n < 1 || n > maxDraws {
				return misuse(cmd, fmt.Errorf("-n %d: it must be from 1 to %d draws", n, maxDraws))
			}
			if err := checkFigureName(out, ".png", ".svg"); err != nil {
				return misuse(cmd, err)
			}
			if err := checkFolders(out); err != nil {
				return err
			}
			b, err := flags.find(cmd, args, "")
			if err != nil {
				return err
			}
			plan := newPlan(cmd, flags.force)
			planFile(plan, out, "-o")
			b.leaveOutOwn(plan)
			b.reads(plan)
			if err := checkPlan(cmd, plan, anotherFile); err != nil {
				return err
			}
			if pictures := len(b.listing.Pictures); pictures > explain.MaxDraws/n {
				return fmt.Errorf("%d draws of %d pictures are more than the %d that fit in a figure: give fewer", n, pictures, explain.MaxDraws)
			}
			if !p.Random() {
				warn(cmd, []string{"nothing in the pipeline is random: all draws are the same"})
			}
			return augment(b, plan, p, seed, n, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&pipeline, "pipeline", "", "the steps, separated by '|'")
	f.Uint64Var(&seed, "seed", 0, "seed of the random steps")
	f.IntVarP(&n, "number", "n", 8, "draws of each picture")
	f.StringVarP(&out, "output", "o", "", "the figure, .png or .svg")
	flags.add(cmd)
	require(cmd, "pipeline", "output")
	return cmd
}

// augment runs the pipeline on all pictures, then draws the figure. Pictures that
// failed are left out of it.
func augment(b *batch, plan *outputs.Plan, p transform.Pipeline, seed uint64, n int, out string) error {
	var all []*explain.Draws
	failed := b.each(plan, p, func(picture data.Found, im *transform.Image) error {
		d, err := explain.Draw(p, seed, uint64(len(all)), n, filepath.Base(picture.Path), im)
		if err != nil {
			return err
		}
		all = append(all, d)
		for i, steps := range d.Steps {
			if _, err := fmt.Fprintf(lineOutput(b.cmd, out), "%s\t%d\t%s\n", onOneLine(picture.Name), i, steps); err != nil {
				return err
			}
		}
		return nil
	})
	if len(all) == 0 || stopped(failed) || b.cmd.Context().Err() != nil {
		return failed
	}
	figure, err := explain.AugmentGrid(p, seed, all...)
	if err != nil {
		return err
	}
	return errors.Join(writeFigure(plan, out, figure), failed)
}

// leaveOutOwn drops figures of an earlier run from the pictures found in folders, if
// this run will write to the same paths.
func (b *batch) leaveOutOwn(p *outputs.Plan) {
	b.listing.Pictures = slices.DeleteFunc(b.listing.Pictures, func(picture data.Found) bool {
		return picture.InFolder && p.Planned(picture.Path) && p.Wrote(picture.Path)
	})
}
