package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

func newAttend() *cobra.Command {
	var model, pipeline, out, head, method string
	var layer int
	var npy, svg bool
	cmd := &cobra.Command{
		Use:   "attend --model FILE -o DIR PATH...",
		Short: "Show where the [class] token looks",
		Long: "Show where the [class] token looks: for each picture DIR/<stem>.png with the photograph,\n" +
			"the heat map and the overlay, and with --npy DIR/<stem>.npy, float32 [rows, columns]: the\n" +
			"softmax weights that the [class] query gives to the patches (they sum to less than 1,\n" +
			"since the query looks at itself too).",
		Example: "  gaze attend --model dinov2-small -o attention photo.jpg\n" +
			"  gaze attend --model dinov2-small -o attention --layer 5 --head 3 --npy photos/",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			heads, err := explain.ParseHeads(head)
			if err != nil {
				return misuse(cmd, fmt.Errorf("--head: %w", err))
			}
			if method != "attention" {
				return misuse(cmd, fmt.Errorf("--method: there is no method %q, only attention", method))
			}
			s, err := openSession(cmd, model, pipeline)
			if err != nil {
				return err
			}
			defer s.close()
			if err := checkChoice(s, layer, heads); err != nil {
				return misuse(cmd, err)
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			taken := names{}
			return forEachPicture(cmd.Context(), args, cmd.ErrOrStderr(), func(path string, im *transform.Image) error {
				name, err := taken.take(path)
				if err != nil {
					return err
				}
				a, warnings, err := explain.Attend(s.runner, s.pipeline, filepath.Base(path), im)
				if err != nil {
					return err
				}
				s.warnings(warnings)
				a.Model = s.title
				return writeAttention(a, layer, heads, filepath.Join(out, name), npy, svg)
			})
		},
	}
	f := cmd.Flags()
	modelFlag(cmd, &model)
	f.StringVarP(&out, "output", "o", "", "folder for the results")
	f.IntVar(&layer, "layer", -1, "layer, counted from 0; -1 is the last")
	f.StringVar(&head, "head", "mean", "mean or max over the heads, or a head's number counted from 0")
	f.StringVar(&method, "method", "attention", "how the map is made: attention (the layer's own softmax weights)")
	f.StringVar(&pipeline, "pipeline", "", "how pictures are prepared (default: as the checkpoint says; 'gaze model FILE' shows it)")
	f.BoolVar(&npy, "npy", false, "also write the weights as DIR/<stem>.npy, float32 [rows, columns]")
	f.BoolVar(&svg, "svg", false, "draw DIR/<stem>.svg instead of .png")
	require(cmd, "model", "output")
	return cmd
}

// checkChoice tells early that a layer or a head doesn't exist.
func checkChoice(s *session, layer int, heads explain.Heads) error {
	if _, err := explain.Index(layer, s.model.Config.Depth, "layer"); err != nil {
		return fmt.Errorf("--layer: %w", err)
	}
	if err := heads.Check(s.model.Config.Heads); err != nil {
		return fmt.Errorf("--head: %w", err)
	}
	return nil
}

// writeAttention writes one picture's figure and, if asked, its weights.
func writeAttention(a *explain.Attention, layer int, heads explain.Heads, base string, npy, svg bool) error {
	figure, err := a.Figure(layer, heads)
	if err != nil {
		return err
	}
	if npy {
		m, err := a.Map(layer, heads)
		if err != nil {
			return err
		}
		t := weights.NewTensor("attention "+strconv.Itoa(layer), []int{m.Rows, m.Cols}, m.Values)
		if err := weights.WriteNPY(base+".npy", t); err != nil {
			return err
		}
	}
	if svg {
		return saveFigure(base+".svg", figure)
	}
	return saveFigure(base+".png", figure)
}
