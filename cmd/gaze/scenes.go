package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/data/scenes"
)

// scenesFlags are the flags of `gaze scenes`.
type scenesFlags struct {
	set     scenes.Set
	options scenes.WriteOptions
	out     string
}

func newScenes() *cobra.Command {
	var flags scenesFlags
	cmd := &cobra.Command{
		Use:   "scenes -o DIR",
		Short: "Draw a set of captioned scenes for training and testing a captioner",
		Long: "Draw pictures of people, animals and things, with actions and places and five captions\n" +
			"each, and write them into a new folder:\n\n" +
			"  DIR/train/{id}.jpg               and the same in val, test and heldout; ids count through all\n" +
			"  DIR/train.json                   the captions, as a COCO captions file for gaze score, and the\n" +
			"                                   words that name something in the picture\n" +
			"  DIR/train-masks/{id}_{word}.png  with --masks: the mask of the thing, 0 to 255\n" +
			"  DIR/words.txt                    every word used in captions\n\n" +
			"The combinations in heldout (a person, an action and a place, or a shirt or thing and its\n" +
			"colour) don't occur in the other splits. The same flags give the same bytes everywhere.",
		Example: "  gaze scenes -o scenes\n  gaze scenes --train 24000 --masks --format png -o scenes",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return flags.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVarP(&flags.out, "output", "o", "", "folder to write, new or empty")
	f.Uint64Var(&flags.set.Seed, "seed", 0, "a different seed gives different pictures")
	f.IntVar(&flags.set.Size, "size", 128, "width and height of a picture in pixels")
	f.IntVar(&flags.set.Train, "train", 2000, "training pictures")
	f.IntVar(&flags.set.Val, "val", 200, "validation pictures")
	f.IntVar(&flags.set.Test, "test", 200, "test pictures")
	f.IntVar(&flags.set.HeldOut, "heldout", 200, "pictures of held-out combinations")
	f.BoolVar(&flags.options.Masks, "masks", false, "also write the exact mask of every noun")
	f.StringVar(&flags.options.Format, "format", "jpg", "jpg or png")
	require(cmd, "output")
	return cmd
}

func (s *scenesFlags) run(cmd *cobra.Command) error {
	if err := s.check(); err != nil {
		return misuse(cmd, err)
	}
	if err := scenes.Write(cmd.Context(), s.out, s.set, s.options); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s: %d training, %d validation and %d test scenes, %d of held-out combinations; %d words\n",
		s.out, s.set.Train, s.set.Val, s.set.Test, s.set.HeldOut, len(scenes.Words()))
	return nil
}

// maxScenes bounds the number of pictures: a larger one is taken for a typing error.
const maxScenes = 10_000_000

// check returns an error that names an invalid flag.
func (s *scenesFlags) check() error {
	for _, f := range []struct {
		name            string
		n, least, limit int
	}{
		{"size", s.set.Size, scenes.MinSize, scenes.MaxSize}, {"train", s.set.Train, 0, maxScenes}, {"val", s.set.Val, 0, maxScenes},
		{"test", s.set.Test, 0, maxScenes}, {"heldout", s.set.HeldOut, 0, maxScenes},
	} {
		if f.n < f.least || f.n > f.limit {
			return fmt.Errorf("--%s %d: it must lie between %d and %d", f.name, f.n, f.least, f.limit)
		}
	}
	if s.options.Format != "jpg" && s.options.Format != "png" {
		return fmt.Errorf("--format %s: pictures are written as jpg or png", s.options.Format)
	}
	if s.set.Train+s.set.Val+s.set.Test+s.set.HeldOut == 0 {
		return fmt.Errorf("no pictures in any split: draw at least one")
	}
	return nil
}
