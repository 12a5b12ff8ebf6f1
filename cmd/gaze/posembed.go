package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gaze/pkg/explain"
	"gaze/pkg/plots"
	"gaze/pkg/weights"
)

func newPosembed() *cobra.Command {
	var model, out, npy string
	var size int
	cmd := &cobra.Command{
		Use:   "posembed --model FILE -o fig.png",
		Short: "Compare every patch position embedding with all others",
		Long: "Compare every patch position embedding with all others by cosine similarity and draw\n" +
			"the grid of maps, with one colour bar from -1 to 1. The numbers are written by --npy as\n" +
			"float32 [patches, patches]. A name ending in .svg gives SVG.",
		Example: "  gaze posembed --model dinov2-small -o positions.png --npy similarity.npy",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if size < 0 {
				return misuse(cmd, fmt.Errorf("--size: %d is no size: use a number of pixels, or 0 for the checkpoint's own", size))
			}
			if ext := strings.ToLower(filepath.Ext(out)); ext != ".png" && ext != ".svg" {
				return misuse(cmd, fmt.Errorf("-o %s: figures are written as .png or .svg", out))
			}
			if err := checkFolders(out, npy); err != nil {
				return err
			}
			m, err := loadModel(cmd, model)
			if err != nil {
				return err
			}
			defer m.Close()
			p, err := explain.PositionsOf(m)
			if err != nil {
				return err
			}
			p.Model = title(m, model)
			if size > 0 {
				if err := checkPatches(size, m.Config.PatchSize); err != nil {
					return err
				}
				if p, err = p.Resized(size/m.Config.PatchSize[0], size/m.Config.PatchSize[1]); err != nil {
					return fmt.Errorf("--size %d: %w", size, err)
				}
			}
			if npy != "" {
				n := p.Rows * p.Cols
				if err := weights.WriteNPY(npy, weights.NewTensor("similarity", []int{n, n}, p.Similarity)); err != nil {
					return err
				}
			}
			return saveFigure(out, p.Atlas())
		},
	}
	f := cmd.Flags()
	modelFlag(cmd, &model)
	f.StringVarP(&out, "output", "o", "", "the figure, .png or .svg")
	f.StringVar(&npy, "npy", "", "write the similarities as float32 [patches, patches]")
	f.IntVar(&size, "size", 0, "compare after resizing to pictures of this many pixels (0: the checkpoint's own)")
	require(cmd, "model", "output")
	return cmd
}

// maxPatches bounds the grid that is compared: a map for each patch, with a
// value for each patch, is drawn, which grows with the fourth power of --size.
const maxPatches = 64 * 64

// checkPatches refuses sizes whose maps would fill the memory.
func checkPatches(size int, patch [2]int) error {
	rows, cols := size/patch[0], size/patch[1]
	if rows > 0 && cols > maxPatches/rows {
		return fmt.Errorf("--size %d: %d×%d patches are more than the %d that can be drawn: use a smaller size", size, rows, cols, maxPatches)
	}
	return nil
}

// saveFigure draws a figure to a file, SVG if its name says so, else PNG.
func saveFigure(path string, f plots.Figure) error {
	if isSVG(path) {
		return plots.SaveSVG(path, f)
	}
	img, err := f.Image(2)
	if err != nil {
		return err
	}
	return plots.SavePNG(path, img)
}
