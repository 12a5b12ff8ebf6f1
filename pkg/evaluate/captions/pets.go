package captions

import (
	"context"
	"fmt"

	"gaze/pkg/data"
	"gaze/pkg/data/scenes"
	"gaze/pkg/evaluate"
	"gaze/pkg/transform"
)

// Pet is a photograph of a cat or a dog, of which it is known which pixels show it.
type Pet struct {
	Image   *transform.Image
	Mask    *transform.Image // one channel, of any size: the share of each pixel, of 255, that shows the pet
	Species string           // cat or dog
}

// petNames are the words that name a pet of a species.
var petNames = map[string][]string{
	"cat": {"cat", "cats", "kitten", "kittens"},
	"dog": {"dog", "dogs", "puppy", "puppies"},
}

// young are words for pets that drawn scenes don't have.
var young = map[string]string{"kitten": "cat", "kittens": "cat", "puppy": "dog", "puppies": "dog"}

// PetReport is how a captioner does on photographs of pets: whether it names the species,
// whether its attention lies on the pet when it does, and whether it needs to attend to the
// pet. It can be written as JSON.
type PetReport struct {
	Pictures int               `json:"pictures"`
	Named    evaluate.Interval `json:"named"` // captions that name the species by a word of its own
	Wrong    evaluate.Interval `json:"wrong"` // captions that name the other species and not this one
	// Pointing is that of the words that name the species, a row for each decoder layer (see
	// [Pointing]); a shuffled map is another picture's for the same word.
	Pointing  []Pointing `json:"pointing"`
	Occlusion StillNamed `json:"occlusion"` // pets that were named, and still are with their cells masked
	NoRoom    int        `json:"no_room"`   // that were named, but whose shape fits nowhere else
}

// EvaluatePets captions count photographs and measures the captions. load gives the i-th.
// The same photographs and options give the same report. A photograph that can't be loaded,
// or of another species than cat or dog, is an error.
func EvaluatePets(ctx context.Context, c Captioner, count int, load func(i int) (Pet, error), o OcclusionOptions) (*PetReport, error) {
	if count < 1 {
		return nil, fmt.Errorf("captions: %d photographs of pets", count)
	}
	r := &PetReport{Pictures: count}
	var named, wrong sample
	var pointed []namedWord
	var occluded []Occlusion
	for i := range count {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pet, err := load(i)
		if err != nil {
			return nil, err
		}
		scene, err := pet.scene()
		if err != nil {
			return nil, fmt.Errorf("captions: photograph %d: %w", i, err)
		}
		results, err := c.Caption([]*transform.Image{pet.Image}, o.Caption)
		if err != nil {
			return nil, fmt.Errorf("captions: photograph %d: %w", i, err)
		}
		p := newPicture(i, scene, results[0], c.Config().Backbone.Stride())
		says := saysAny(p.words, petNames[pet.Species])
		named.yes(says)
		wrong.yes(!says && saysAny(p.words, petNames[otherSpecies(pet.Species)]))
		pointed = append(pointed, p.named...)
		if says {
			list, noRoom, err := occlusions(c, []scenes.Scene{scene}, i, o)
			if err != nil {
				return nil, err
			}
			r.NoRoom += noRoom
			for _, d := range list[0] {
				d.Picture = nil
				occluded = append(occluded, d)
			}
		}
		o.progress(i+1, count)
	}
	r.Named, r.Wrong = named.wilson(), wrong.wilson()
	for _, p := range pointingAt(pointed) {
		if p.Kind == AllWords {
			r.Pointing = append(r.Pointing, p)
		}
	}
	r.Occlusion = stillNamedOf("pets", occluded)
	return r, nil
}

// scene is the photograph as a scene of one animal.
func (p Pet) scene() (scenes.Scene, error) {
	words := petNames[p.Species]
	if words == nil {
		return scenes.Scene{}, fmt.Errorf("a pet of species %q: it is cat or dog", p.Species)
	}
	if p.Image == nil || p.Mask == nil || p.Mask.Channels != 1 {
		return scenes.Scene{}, fmt.Errorf("a pet needs a picture, and a mask of one channel")
	}
	noun := scenes.Noun{Word: p.Species, Words: words, Kind: scenes.Animal, Mask: p.Mask}
	return scenes.Scene{Image: p.Image, Nouns: []scenes.Noun{noun}}, nil
}

func otherSpecies(s string) string {
	if s == "cat" {
		return "dog"
	}
	return "cat"
}

func saysAny(words []word, names []string) bool {
	for _, w := range words {
		for _, n := range names {
			if w.text == n {
				return true
			}
		}
	}
	return false
}

// OpenPet reads a photograph of a pet and its mask, from the trimap or the outline. Pixels on
// the border between pet and background don't count as the pet's.
func OpenPet(k *data.Known) (Pet, error) {
	im, err := data.Decode(k.Path)
	if err != nil {
		return Pet{}, err
	}
	mask, err := k.PetMask()
	if err != nil {
		return Pet{}, err
	}
	if mask.Width < 1 || mask.Height < 1 {
		return Pet{}, fmt.Errorf("captions: the mask of %s is empty", k.Path)
	}
	inside := transform.NewImage(mask.Width, mask.Height, 1)
	for i, v := range mask.Pix {
		if v == data.Inside {
			inside.Pix[i] = 255
		}
	}
	return Pet{Image: im, Mask: inside, Species: k.Species}, nil
}
