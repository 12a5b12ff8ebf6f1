package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"gaze/pkg/transform"
)

// Set is pictures with labels, to be loaded in batches: a [Dataset] on disk, or
// pictures that are drawn or in memory. Its methods are called from several
// goroutines at a time.
type Set interface {
	Len() int
	// Label is the class of picture i, from 0.
	Label(i int) int
	// Name names picture i in messages.
	Name(i int) string
	// Image is picture i, which the caller must not change.
	Image(i int) (*transform.Image, error)
}

// imageWith is picture i of a set, in the decoder's memory where that's possible, and
// what is wrong with its file. Only the types themselves are looked at, so that a type
// that embeds one of them may have its own Image.
func imageWith(set Set, d *Decoder, i int) (im *transform.Image, damage string, err error) {
	switch set := set.(type) {
	case *Dataset:
		im, err = d.Decode(set.Items[i].Path)
		return im, d.damage, err
	case *Cache:
		return set.imageWith(d, i)
	case Subset:
		return imageWith(set.Set, d, set.Places[i])
	}
	im, err = set.Image(i)
	return im, "", err
}

// Item is a picture of a [Dataset].
type Item struct {
	Path  string // of the file
	Label int    // index into Dataset.Classes
	ID    int    // the number at the end of the name, as 12 in 3_12.jpg; -1 if there is none
}

// Dataset is picture files with labels, in an order that depends on nothing but
// their names (or, for a CSV, on its lines). It is a [Set].
type Dataset struct {
	Root    string   // the folder, or the CSV's folder
	Classes []string // names; the numbers themselves where there are no names
	Items   []Item
}

// Len is the number of pictures.
func (d *Dataset) Len() int { return len(d.Items) }

// Label is the class of picture i.
func (d *Dataset) Label(i int) int { return d.Items[i].Label }

// Name is the path of picture i.
func (d *Dataset) Name(i int) string { return d.Items[i].Path }

// Image decodes picture i as [Decode] does. The error names the file.
func (d *Dataset) Image(i int) (*transform.Image, error) { return Decode(d.Items[i].Path) }

// Counts is the number of pictures of each class.
func (d *Dataset) Counts() []int {
	counts := make([]int, len(d.Classes))
	for _, item := range d.Items {
		counts[item.Label]++
	}
	return counts
}

// Relative is the path of picture i as seen from the root, with slashes.
func (d *Dataset) Relative(i int) string {
	path := d.Items[i].Path
	if rel, err := filepath.Rel(d.Root, path); err == nil {
		path = rel
	}
	return filepath.ToSlash(path)
}

// Splits is the parts of a data set, nil where there is none. All have the same
// list of classes.
type Splits struct {
	Classes                 []string
	Train, Validation, Test *Dataset
	// Notes is what its owner should know of how the set was read, a sentence each:
	// splits by other names, folders that were passed over.
	Notes []string
}

// part is the split at a place of splitNames.
func (s *Splits) part(i int) **Dataset {
	return [...]**Dataset{&s.Train, &s.Validation, &s.Test}[i]
}

// OpenDataset lists the pictures of a data set. It decodes none of them. The
// path is one of
//
//   - a folder of {class}_{id}.jpg (or .png …): class is a number from 0, or a
//     name that classes.txt lists;
//   - a folder with a folder for each class, whose names, sorted by code point
//     ("Dog" before "cat"), are the classes, as torchvision's ImageFolder has it;
//   - a CSV with a header and the columns filename and label (a number from 0, or
//     a name), or a folder that holds one beside its pictures, unless those are
//     named {class}_{id}, too; file names are as seen from the CSV's folder, or
//     from a folder images in it;
//   - a folder with the splits train, val and test, each a folder of any of these
//     kinds or a CSV (train.csv). Their names are known in any case and in the
//     usual forms: Train, training_set, valid, validation, dev, val2017,
//     TestImages. Folders named after a split, such as train-head, are left alone.
//
// Any of these may lie in a folder of its own within the folder, alone or called
// images. Without splits, all pictures are in Train. A test split whose pictures
// have no classes is left out with a note.
//
// A file classes.txt, with a name on each line, beside the pictures or in the
// folder above, names the classes. Pictures are ordered by id, then name; those of
// class folders by path; those of a CSV as its lines are. Links are followed. Files
// and folders whose names begin with a dot are not looked at, nor is what systems
// leave behind (__MACOSX, Thumbs.db).
//
// A picture that has no class, a class that occurs in another split but not in
// train, layouts that are mixed, and folders that seem to be splits but aren't
// understood are errors, which name the file and say what to do. So a class called
// test among others has to be told from a split: put the class folders into one
// called train, or list all of them in a classes.txt beside them.
func OpenDataset(path string) (*Splits, error) {
	f := &finder{}
	sources, err := f.sources(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	names, err := readClassList(f.places...)
	if err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	classes, err := resolveClasses(sources, names)
	if err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	s := &Splits{Classes: classes.names, Notes: f.notes}
	for _, source := range sources {
		d, err := classes.dataset(source)
		if err != nil {
			return nil, fmt.Errorf("data set: %w", err)
		}
		*s.part(source.split) = d
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	s.noteSimilar()
	return s, nil
}

// noteSimilar notes classes that are the same but for upper and lower case.
func (s *Splits) noteSimilar() {
	seen := map[string]string{}
	for _, name := range s.Classes {
		lower := strings.ToLower(name)
		if other, ok := seen[lower]; ok {
			s.Notes = append(s.Notes, fmt.Sprintf("the classes %q and %q differ in upper and lower case only", other, name))
		}
		seen[lower] = name
	}
}

// check refuses a class that is only seen where it can't be learnt.
func (s *Splits) check() error {
	if s.Train == nil {
		return nil
	}
	known := s.Train.Counts()
	for i := range splitNames {
		d := *s.part(i)
		if d == nil {
			continue
		}
		for _, item := range d.Items {
			if known[item.Label] == 0 {
				return fmt.Errorf("%s: its class %q has no picture in %s, so it can't be learnt: add some there, or take the class out of %s",
					item.Path, d.Classes[item.Label], s.Train.Root, d.Root)
			}
		}
	}
	return nil
}

// Hash is the SHA-256, in hexadecimal, of everything that training on the data
// set depends on: classes, order, labels, names as seen from the root, and the
// files' bytes. It reads every file once, several at a time; a second per GB or
// less where the disk is as fast.
func (d *Dataset) Hash(ctx context.Context) (string, error) {
	sums, err := d.Sums(ctx, nil)
	if err != nil {
		return "", err
	}
	return d.HashOf(sums), nil
}

// HashOf is [Dataset.Hash] where the files' sums are known.
func (d *Dataset) HashOf(sums []Sum) string {
	all := sha256.New()
	for _, name := range d.Classes {
		fmt.Fprintf(all, "class %q\n", name)
	}
	for i, item := range d.Items {
		fmt.Fprintf(all, "%q %d %x\n", d.Relative(i), item.Label, sums[i])
	}
	return hex.EncodeToString(all.Sum(nil))
}

// Sum is the SHA-256 of a file.
type Sum [sha256.Size]byte

// Sums is the sum of every picture's file, in their order. It reads every file
// once, several at a time. bad is called for files that can't be read, one call at
// a time, and their sum is zero; if bad is nil they are an error.
func (d *Dataset) Sums(ctx context.Context, bad func(i int, err error)) ([]Sum, error) {
	sums := make([]Sum, len(d.Items))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var telling sync.Mutex
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(d.Items)) {
		wg.Go(func() {
			buf := make([]byte, 256<<10)
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(d.Items) {
					return
				}
				err := hashFile(ctx, d.Items[i].Path, buf, &sums[i])
				switch {
				case err == nil:
				case bad == nil || ctx.Err() != nil:
					cancel(err)
				default:
					sums[i] = Sum{}
					telling.Lock()
					bad(i, err)
					telling.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	return sums, nil
}

// hashFile reads a file until the context ends; a pipe or a device, which might
// never end, is an error.
func hashFile(ctx context.Context, path string, buf []byte, sum *Sum) error {
	f, _, err := open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	for {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		switch {
		case err == io.EOF:
			h.Sum(sum[:0])
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}
