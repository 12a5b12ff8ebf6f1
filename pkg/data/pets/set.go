package pets

import (
	"fmt"
	"strings"
)

// Set is a set of pictures, numbered from 0 through all its splits: the
// pictures of the second split go on where the first ends. Breeds take turns, so
// that every class has as many pictures as any other, or one more.
type Set struct {
	Seed uint64
	// FirstBreed and Breeds choose the breeds (see [Breed]): class 0 is
	// FirstBreed. With Breeds 0 they are the 37 of the set; pretrain on
	// FirstBreed 37 and as many Breeds as you like.
	FirstBreed, Breeds int
	Size               int // width and height of a picture in pixels
	Splits             []Split
}

// Split is a part of a set.
type Split struct {
	Name     string // of its folder: train, val
	Pictures int
	Options  Options
}

// Pets returns the usual set: posed pictures to train on, natural ones to
// validate and to test on.
func Pets(seed uint64, size, train, val, test int) Set {
	return Set{Seed: seed, Size: size, Splits: []Split{{"train", train, Posed}, {"val", val, Natural}, {"test", test, Natural}}}
}

// Classes is the number of classes.
func (s Set) Classes() int {
	if s.Breeds == 0 {
		return Classes
	}
	return s.Breeds
}

// Len is the number of pictures in all splits.
func (s Set) Len() int {
	n := 0
	for _, p := range s.Splits {
		n += p.Pictures
	}
	return n
}

// Class is the class of a picture.
func (s Set) Class(id int) int { return id % s.Classes() }

// At draws the picture with a number. Errors: those of [Draw], and a number that
// is in no split.
func (s Set) At(id int) (Sample, error) {
	if err := s.check(); err != nil {
		return Sample{}, err
	}
	_, split, err := s.split(id)
	if err != nil {
		return Sample{}, err
	}
	return s.draw(id, split, nil)
}

func (s Set) draw(id int, split Split, without []Part) (Sample, error) {
	if len(without) > 0 {
		return DrawChanged(s.Seed, s.FirstBreed+s.Class(id), id, s.Size, split.Options, Change{Without: without})
	}
	return Draw(s.Seed, s.FirstBreed+s.Class(id), id, s.Size, split.Options)
}

// split finds the split of a picture and the first number in it.
func (s Set) split(id int) (first int, split Split, err error) {
	if id >= 0 {
		for _, p := range s.Splits {
			if id < first+p.Pictures {
				return first, p, nil
			}
			first += p.Pictures
		}
	}
	return 0, Split{}, fmt.Errorf("pets: there is no picture %d in a set of %d", id, s.Len())
}

func (s Set) check() error {
	if s.FirstBreed < 0 || s.Breeds < 0 {
		return fmt.Errorf("pets: %d breeds from %d on; neither can be negative", s.Breeds, s.FirstBreed)
	}
	if s.Size < 8 || s.Size > MaxSize {
		return badSize(s.Size)
	}
	names := map[string]bool{}
	for _, p := range s.Splits {
		if p.Name == "" || strings.ContainsAny(p.Name, `/\:`) || strings.HasPrefix(p.Name, ".") || names[p.Name] {
			return fmt.Errorf("pets: a split can't be named %q; each has the name of a folder of its own", p.Name)
		}
		names[p.Name] = true
		if p.Pictures < 0 {
			return fmt.Errorf("pets: split %s of %d pictures", p.Name, p.Pictures)
		}
		if err := p.Options.check(); err != nil {
			return fmt.Errorf("split %s: %w", p.Name, err)
		}
	}
	return nil
}
