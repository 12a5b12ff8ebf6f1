package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gaze/pkg/data/pets"
)

// petsFlags are the flags of `gaze pets`.
type petsFlags struct {
	seed               uint64
	size               int
	train, val, test   int // number of pictures per breed
	breeds, firstBreed int
	life, view, posed  float64
	occlusion          float64
	without            []string
	options            pets.WriteOptions
	out                string
}

func newPets() *cobra.Command {
	var flags petsFlags
	cmd := &cobra.Command{
		Use:   "pets -o DIR",
		Short: "Draw a set of pet pictures for training and testing",
		Long: "Draw pictures of invented breeds of pets, which differ in ears, muzzle, coat, pattern and\n" +
			"more, and write them into a new folder in the layout that gaze train reads:\n\n" +
			"  DIR/train/{class}_{id}.jpg   and the same in val and test; ids count through all three\n" +
			"  DIR/classes.txt              the breed of each class, one per line\n" +
			"  DIR/val-head/{class}_{id}.png, DIR/val-foreground/…   with --masks, for every split\n" +
			"  DIR/val-changed/{class}_{id}.png                      the same with --without\n\n" +
			"The same flags give the same bytes everywhere. Training pictures are posed: upright, from\n" +
			"the side, in even light, to the degree set by --train-view; those of val and test vary in\n" +
			"everything. Augmentation has to prepare the model for what the training pictures don't show.\n" +
			"With --without, parts of the animals are left out, and all else is the same to the byte: what\n" +
			"a model's answer depends on shows when it classifies both sets.\n" +
			"Breeds from 37 on don't occur in the default set: draw them for pretraining.",
		Example: "  gaze pets -o pets\n  gaze pets --without ears,muzzle --masks -o earless\n  gaze pets --first-breed 37 --breeds 200 --train 100 --val 4 --test 0 --train-view 1 -o others",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return flags.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVarP(&flags.out, "output", "o", "", "folder to write, new or empty")
	f.Uint64Var(&flags.seed, "seed", 0, "a different seed gives a different set of the same breeds")
	f.IntVar(&flags.size, "size", 96, "width and height of a picture in pixels")
	f.IntVar(&flags.train, "train", 30, "training pictures per breed")
	f.IntVar(&flags.val, "val", 20, "validation pictures per breed")
	f.IntVar(&flags.test, "test", 20, "test pictures per breed")
	f.IntVar(&flags.breeds, "breeds", pets.Classes, "number of breeds")
	f.IntVar(&flags.firstBreed, "first-breed", 0, "number of the first breed")
	f.Float64Var(&flags.posed, "train-view", pets.Posed.View, "how much side, tilt, size, position and light vary in training pictures, 0 to 1")
	f.Float64Var(&flags.view, "view", pets.Natural.View, "the same for validation and test pictures")
	f.Float64Var(&flags.life, "life", pets.Natural.Life, "how much pose, proportions, coat and background vary in all pictures, 0 to 1")
	f.Float64Var(&flags.occlusion, "occlusion", pets.Natural.Occlusion, "fraction of the pictures with something in front of the animal, 0 to 1")
	f.BoolVar(&flags.options.Masks, "masks", false, "also write exact masks of the animal and its head")
	f.StringSliceVar(&flags.without, "without", nil, "leave out: "+petParts())
	f.StringVar(&flags.options.Format, "format", "jpg", "jpg or png")
	require(cmd, "output")
	return cmd
}

// petParts lists what can be left out.
func petParts() string {
	names := []string{string(pets.PartAnimal), string(pets.PartHead)}
	for _, p := range pets.Parts() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// maxPets bounds the number of pictures: a larger one is taken for a typing error.
const maxPets = 10_000_000

func (p *petsFlags) run(cmd *cobra.Command) error {
	if err := p.check(); err != nil {
		return misuse(cmd, err)
	}
	natural := pets.Options{Life: p.life, View: p.view, Occlusion: p.occlusion}
	posed := natural
	posed.View = p.posed
	set := pets.Set{Seed: p.seed, FirstBreed: p.firstBreed, Breeds: p.breeds, Size: p.size, Splits: []pets.Split{
		{Name: "train", Pictures: p.train * p.breeds, Options: posed},
		{Name: "val", Pictures: p.val * p.breeds, Options: natural},
		{Name: "test", Pictures: p.test * p.breeds, Options: natural},
	}}
	if err := pets.Write(cmd.Context(), p.out, set, p.options); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s: %d breeds; %d training, %d validation and %d test pictures\n",
		p.out, p.breeds, set.Splits[0].Pictures, set.Splits[1].Pictures, set.Splits[2].Pictures)
	return nil
}

// check returns an error that names an invalid flag.
func (p *petsFlags) check() error {
	for _, f := range []struct {
		name            string
		n, least, limit int
	}{
		{"size", p.size, 8, pets.MaxSize}, {"breeds", p.breeds, 1, maxPets}, {"first-breed", p.firstBreed, 0, maxPets},
		{"train", p.train, 0, maxPets}, {"val", p.val, 0, maxPets}, {"test", p.test, 0, maxPets},
	} {
		if f.n < f.least || f.n > f.limit {
			return fmt.Errorf("--%s %d: it must lie between %d and %d", f.name, f.n, f.least, f.limit)
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"train-view", p.posed}, {"view", p.view}, {"life", p.life}, {"occlusion", p.occlusion}} {
		if !(f.value >= 0 && f.value <= 1) {
			return fmt.Errorf("--%s %g: it must lie between 0 and 1", f.name, f.value)
		}
	}
	for _, name := range p.without {
		part := pets.Part(name)
		if part != pets.PartAnimal && part != pets.PartHead && !slices.Contains(pets.Parts(), part) {
			return fmt.Errorf("--without %s: choose of %s", name, petParts())
		}
		p.options.Without = append(p.options.Without, part)
	}
	if p.options.Format != "jpg" && p.options.Format != "png" {
		return fmt.Errorf("--format %s: pictures are written as jpg or png", p.options.Format)
	}
	if each := p.train + p.val + p.test; each == 0 || each > maxPets/p.breeds {
		return fmt.Errorf("%d pictures of each of %d breeds: draw between 1 and %d pictures", each, p.breeds, maxPets)
	}
	return nil
}
