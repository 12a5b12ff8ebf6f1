package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/pkg/data"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

func newTransform() *cobra.Command {
	var pipeline, out, npy string
	var seed uint64
	var force bool
	cmd := &cobra.Command{
		Use:   "transform --pipeline SPEC IMG",
		Short: "Run one picture through a pipeline",
		Long: "Run one picture through a pipeline. The steps, with the values drawn for them, go to\n" +
			"standard output, the picture to -o; a tensor is shown un-normalised. --npy writes the\n" +
			"numbers as float32: a tensor as [channels, height, width] or, without totensor, the\n" +
			"picture's values from 0 to 255 as [height, width, channels].\n\n" +
			"To apply a fixed step at random, put \"random\" before its name (probability one half), or\n" +
			"give p=, as in randomhflip and invert(p=0.2).\n\nThe steps:\n  " + strings.Join(transform.Usages(), "\n  "),
		Example: "  gaze transform --pipeline 'resize(256) | centercrop(224)' -o small.png photo.jpg\n" +
			"  gaze transform --pipeline 'rotation(30) | totensor | normalize(0.5,0.5)' --seed 3 --npy x.npy photo.jpg",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePipeline(cmd, pipeline)
			if err != nil {
				return err
			}
			if err := checkOutputs(out, npy); err != nil {
				return misuse(cmd, err)
			}
			if err := checkFolders(out, npy); err != nil {
				return err
			}
			plan := newPlan(cmd, force)
			plan.Reads(args[0])
			planFile(plan, out, "-o")
			planFile(plan, npy, "--npy")
			if err := checkPlan(cmd, plan, anotherFile); err != nil {
				return err
			}
			return transformOne(cmd, plan, p, seed, args[0], out, npy)
		},
	}
	f := cmd.Flags()
	f.StringVar(&pipeline, "pipeline", "", "the steps, separated by '|'")
	f.Uint64Var(&seed, "seed", 0, "seed of the random steps")
	f.StringVarP(&out, "output", "o", "", "the picture, .png")
	f.StringVar(&npy, "npy", "", "the numbers, float32")
	forceFlag(cmd, &force)
	require(cmd, "pipeline")
	return cmd
}

func parsePipeline(cmd *cobra.Command, spec string) (transform.Pipeline, error) {
	p, err := transform.Parse(spec)
	if err != nil {
		return nil, misuse(cmd, fmt.Errorf("--pipeline: %w", err))
	}
	return p, nil
}

// checkOutputs checks that at least one output is given, and the picture's file name.
func checkOutputs(out, npy string) error {
	switch {
	case out == "" && npy == "":
		return errors.New("no output is given: use -o out.png, --npy out.npy, or both")
	case out != "" && !outputs.IsStream(out) && !strings.EqualFold(filepath.Ext(out), ".png"):
		return fmt.Errorf("-o %s: pictures are written as .png", out)
	}
	return nil
}

// transformOne runs the pipeline on one picture and writes the result.
func transformOne(cmd *cobra.Command, plan *outputs.Plan, p transform.Pipeline, seed uint64, path, out, npy string) error {
	im, damage, err := data.DecodeFor(path, p)
	if err != nil {
		return err
	}
	if damage != "" {
		fmt.Fprintln(cmd.ErrOrStderr(), damagedLine(path, damage))
	}
	drawn, err := p.Draw(seed, 0, 0, im.Width, im.Height)
	if err != nil {
		return errors.New(about(path, err))
	}
	picture, numbers, err := results(p, seed, im)
	if err != nil {
		return errors.New(about(path, err))
	}
	if npy != "" {
		if err := writeNPY(plan, npy, numbers); err != nil {
			return err
		}
	}
	if out != "" {
		data, err := plots.EncodePNG(picture)
		if err != nil {
			return err
		}
		if err := plan.WriteBytes(out, data); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(lineOutput(cmd, out, npy), drawn)
	return err
}

// results returns the pipeline's result for a picture, as a picture to look at and as
// numbers.
func results(p transform.Pipeline, seed uint64, im *transform.Image) (*transform.Image, *weights.Tensor, error) {
	if !p.EndsInTensor() {
		out, err := p.ImageAt(seed, 0, 0, im)
		if err != nil {
			return nil, nil, err
		}
		values := make([]float32, len(out.Pix))
		for i, v := range out.Pix {
			values[i] = float32(v)
		}
		return out, weights.NewTensor("picture", []int{out.Height, out.Width, out.Channels}, values), nil
	}
	t, err := p.TensorAt(seed, 0, 0, im)
	if err != nil {
		return nil, nil, err
	}
	out, err := p.Picture(t)
	return out, weights.NewTensor("tensor", t.Shape[:], t.Data), err
}
