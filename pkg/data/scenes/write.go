package scenes

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/internal/parallel"
	"gaze/pkg/data/internal/draw"
)

// Set is how many pictures of each split to draw, and of what size.
type Set struct {
	Seed                      uint64
	Size                      int // width and height in pixels
	Train, Val, Test, HeldOut int // pictures
}

// Pictures is the number of pictures of a split.
func (s Set) Pictures(split Split) int {
	return [...]int{s.Train, s.Val, s.Test, s.HeldOut}[split]
}

func (s Set) check() error {
	for _, split := range Splits() {
		if n := s.Pictures(split); n < 0 {
			return fmt.Errorf("scenes: split %s of %d pictures", split, n)
		}
	}
	return checkSize(s.Size)
}

// WriteOptions say how a set is written.
type WriteOptions struct {
	Format  string // "jpg" (also if empty; quality 92) or "png"
	Masks   bool   // write the masks too
	Workers int    // that draw at the same time; 0: one for each processor
}

// Write writes a set into a folder that doesn't exist yet or is empty:
//
//	dir/train/{id}.jpg               ids count from 0 through all splits
//	dir/train-masks/{id}_{word}.png  with Masks: of each noun, as in [Noun]
//	dir/train.json                   captions, as COCO's files have them
//	dir/words.txt                    the vocabulary, a word a line
//
// and the same for val, test and heldout. The JSON file holds "images" (id,
// file_name, width, height and the "nouns": word, words, kind and, with Masks,
// the mask's name) and "annotations" (id, image_id, caption). A split without
// pictures is left out. The files are the same for any number of workers. The
// folder appears at the end, whole; on an error or when ctx ends nothing is
// left behind.
func Write(ctx context.Context, dir string, s Set, o WriteOptions) error {
	if err := s.check(); err != nil {
		return err
	}
	var err error
	if o.Format, err = draw.CheckFormat(o.Format); err != nil {
		return fmt.Errorf("scenes: %w", err)
	}
	return atomicfile.WriteFolder(dir, func(temp string) error {
		if err := atomicfile.WriteBytes(filepath.Join(temp, "words.txt"), []byte(strings.Join(Words(), "\n")+"\n")); err != nil {
			return err
		}
		first := 0
		for _, split := range Splits() {
			if s.Pictures(split) == 0 {
				continue
			}
			if err := s.writeSplit(ctx, temp, split, first, o); err != nil {
				return err
			}
			first += s.Pictures(split)
		}
		return nil
	})
}

// entry, note and file are what a captions file of COCO is made of.
type entry struct {
	ID     int    `json:"id"`
	File   string `json:"file_name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Nouns  []noun `json:"nouns"`
}

type noun struct {
	Word  string   `json:"word"`
	Words []string `json:"words"`
	Kind  string   `json:"kind"`
	Mask  string   `json:"mask,omitempty"`
}

type note struct {
	ID      int    `json:"id"`
	Image   int    `json:"image_id"`
	Caption string `json:"caption"`
}

type file struct {
	Images      []entry `json:"images"`
	Annotations []note  `json:"annotations"`
}

func (s Set) writeSplit(ctx context.Context, dir string, split Split, first int, o WriteOptions) error {
	folders := []string{split.String()}
	if o.Masks {
		folders = append(folders, split.String()+"-masks")
	}
	for _, folder := range folders {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			return err
		}
	}
	n := s.Pictures(split)
	f := file{Images: make([]entry, n), Annotations: make([]note, n*References)}
	err := parallel.Each(ctx, n, o.Workers, func(i int) error {
		scene, err := Draw(s.Seed, i, s.Size, split)
		if err != nil {
			return err
		}
		for k, c := range scene.Captions {
			f.Annotations[i*References+k] = note{(first+i)*References + k, first + i, c}
		}
		f.Images[i], err = writeScene(dir, split, first+i, scene, o)
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, split.String()+".json"), append(text, '\n'))
}

// writeScene writes a picture and its masks, and returns its entry.
func writeScene(dir string, split Split, id int, s Scene, o WriteOptions) (entry, error) {
	e := entry{ID: id, File: fmt.Sprintf("%d.%s", id, o.Format), Width: s.Image.Width, Height: s.Image.Height}
	if err := draw.Save(filepath.Join(dir, split.String(), e.File), s.Image, o.Format); err != nil {
		return e, err
	}
	for _, n := range s.Nouns {
		said := noun{Word: n.Word, Words: n.Words, Kind: n.Kind.String()}
		if o.Masks {
			said.Mask = fmt.Sprintf("%d_%s.png", id, n.Word)
			if err := draw.Save(filepath.Join(dir, split.String()+"-masks", said.Mask), n.Mask, "png"); err != nil {
				return e, err
			}
		}
		e.Nouns = append(e.Nouns, said)
	}
	return e, nil
}
