package pets

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gaze/internal/atomicfile"
	"gaze/internal/parallel"
	"gaze/pkg/data/internal/draw"
)

// WriteOptions say how a set is written.
type WriteOptions struct {
	Format  string // "jpg" (also if empty; quality 92) or "png"
	Masks   bool   // write the masks too
	Workers int    // that draw at the same time; 0: one for each processor
	// Without are parts of the animals that are left out of every picture, which is
	// otherwise the same.
	Without []Part
}

// Write writes a set into a folder that doesn't exist yet or is empty:
//
//	dir/train/{class}_{id}.jpg             class 0 to 36, id counted through all splits
//	dir/val/{class}_{id}.jpg
//	dir/val-foreground/{class}_{id}.png    with Masks, for every split: the animal
//	dir/val-head/{class}_{id}.png          and its head, 0 to 255 as in [Sample]
//	dir/val-changed/{class}_{id}.png       the same with Without: where parts were left out
//	dir/classes.txt                        a line for each class: its breed
//
// A split without pictures has no folder. The files are the same for any number
// of workers. The folder appears at the end, whole; on an error or when ctx ends
// nothing is left behind.
func Write(ctx context.Context, dir string, s Set, o WriteOptions) error {
	if err := s.check(); err != nil {
		return err
	}
	var err error
	if o.Format, err = draw.CheckFormat(o.Format); err != nil {
		return fmt.Errorf("pets: %w", err)
	}
	for _, p := range o.Without {
		if !slices.Contains(ofAnimal, p) {
			return fmt.Errorf("pets: no animal has %q to be left out: choose of %s", p, joined(ofAnimal))
		}
	}
	return atomicfile.WriteFolder(dir, func(temp string) error { return s.writeInto(ctx, temp, o) })
}

func (s Set) writeInto(ctx context.Context, dir string, o WriteOptions) error {
	var classes bytes.Buffer
	for i := range s.Classes() {
		fmt.Fprintln(&classes, Breed(s.FirstBreed+i))
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, "classes.txt"), classes.Bytes()); err != nil {
		return err
	}
	for _, p := range s.Splits {
		if p.Pictures == 0 {
			continue
		}
		folders := []string{p.Name}
		if o.Masks {
			folders = append(folders, p.Name+"-foreground", p.Name+"-head")
		}
		if o.Masks && len(o.Without) > 0 {
			folders = append(folders, p.Name+"-changed")
		}
		for _, folder := range folders {
			if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
				return err
			}
		}
	}
	return parallel.Each(ctx, s.Len(), o.Workers, func(id int) error { return s.writePicture(dir, id, o) })
}

func (s Set) writePicture(dir string, id int, o WriteOptions) error {
	_, split, err := s.split(id)
	if err != nil {
		return err
	}
	sample, err := s.draw(id, split, o.Without)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d_%d", s.Class(id), id)
	if err := draw.Save(filepath.Join(dir, split.Name, name+"."+o.Format), sample.Image, o.Format); err != nil {
		return err
	}
	if !o.Masks {
		return nil
	}
	if err := draw.Save(filepath.Join(dir, split.Name+"-foreground", name+".png"), sample.Foreground, "png"); err != nil {
		return err
	}
	if sample.Changed != nil {
		if err := draw.Save(filepath.Join(dir, split.Name+"-changed", name+".png"), sample.Changed, "png"); err != nil {
			return err
		}
	}
	return draw.Save(filepath.Join(dir, split.Name+"-head", name+".png"), sample.Head, "png")
}
