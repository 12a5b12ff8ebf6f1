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

// Set is a set of labelled pictures for loading in batches: a [Dataset] on disk, or
// pictures that are drawn or in memory. Its methods must allow concurrent calls.
type Set interface {
	Len() int
	// Label is the class of picture i, from 0.
	Label(i int) int
	// Name is the name of picture i in messages.
	Name(i int) string
	// Image is picture i, which the caller must not modify.
	Image(i int) (*transform.Image, error)
}

// imageWith returns picture i of a set, in the decoder's memory if possible, and a
// description of damage in its file. It switches on the concrete type, so that a type
// that embeds one of them can have its own Image.
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
	Path  string // path of the file
	Label int    // index into Dataset.Classes
	ID    int    // number at the end of the name, such as 12 in 3_12.jpg; -1 if there is none
}

// Dataset is a list of picture files with labels. Their order depends only on their
// names or, for a CSV, on its lines. It is a [Set].
type Dataset struct {
	Root    string   // the folder, or the CSV's folder
	Classes []string // names; the numbers as text if there are no names
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

// Relative is the path of picture i relative to the root, with slashes.
func (d *Dataset) Relative(i int) string {
	path := d.Items[i].Path
	if rel, err := filepath.Rel(d.Root, path); err == nil {
		path = rel
	}
	return filepath.ToSlash(path)
}

// Splits are the parts of a data set; a missing one is nil. All have the same list of
// classes.
type Splits struct {
	Classes                 []string
	Train, Validation, Test *Dataset
	// Notes tell the user how the set was read, one sentence each: splits with
	// other names, folders that were skipped.
	Notes []string
}

// part is the split with an index in splitNames.
func (s *Splits) part(i int) **Dataset {
	return [...]**Dataset{&s.Train, &s.Validation, &s.Test}[i]
}

// OpenDataset lists the pictures of a data set without decoding them. The path is one of
//
//   - a folder of {class}_{id}.jpg (or .png …): class is a number from 0, or a
//     name listed in classes.txt;
//   - a folder with a folder for each class, whose names, sorted by code point
//     ("Dog" before "cat"), are the classes, as in torchvision's ImageFolder;
//   - a CSV with a header and the columns filename and label (a number from 0, or
//     a name), or a folder that holds one beside its pictures, unless these are
//     also named {class}_{id}; file names are relative to the CSV's folder, or
//     to a folder images in it;
//   - a folder as Hugging Face's imagefolder: pictures with a metadata.csv or
//     metadata.jsonl beside them, with file_name and label, or with one beside the
//     folders of the splits that lists the pictures of all;
//   - a folder with the splits train, val and test, each a folder of any of these
//     kinds or a CSV (train.csv). Their names are recognised in any case and in
//     the usual forms: Train, training_set, valid, validation, dev, val2017,
//     TestImages. Folders named after a split, such as train-head, are ignored.
//
// Any of these may be in a subfolder that is the only one or is called images. Without
// splits, all pictures are in Train. A test split whose pictures have no classes is left
// out with a note.
//
// A file classes.txt, with a name on each line, beside the pictures or in the
// folder above, names the classes. Pictures are ordered by id, then name; in class
// folders by path; in a CSV by line. Links are followed. Files and folders whose names
// begin with a dot are ignored, and so are those that systems leave behind (__MACOSX,
// Thumbs.db).
//
// A picture without a class, a class that occurs in another split but not in train,
// mixed layouts, and folders that look like splits but aren't recognised are errors,
// which name the file and say what to do. A class called test among other classes
// therefore has to be distinguished from a split: put the class folders into a folder
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

// noteSimilar notes classes whose names differ only in case.
func (s *Splits) noteSimilar() {
	seen := map[string]string{}
	for _, name := range s.Classes {
		lower := strings.ToLower(name)
		if other, ok := seen[lower]; ok {
			s.Notes = append(s.Notes, fmt.Sprintf("the classes %q and %q differ only in upper and lower case", other, name))
		}
		seen[lower] = name
	}
}

// check refuses a class that has no training pictures.
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
				return fmt.Errorf("%s: its class %q has no picture in %s, so it can't be learnt: add some there, or remove the class from %s",
					item.Path, d.Classes[item.Label], s.Train.Root, d.Root)
			}
		}
	}
	return nil
}

// Hash is the SHA-256, in hexadecimal, of everything that training depends on: classes,
// order, labels, names relative to the root, and the files' bytes. It reads every file
// once, several at a time; that takes at most a second per GB if the disk is fast enough.
func (d *Dataset) Hash(ctx context.Context) (string, error) {
	sums, err := d.Sums(ctx, nil)
	if err != nil {
		return "", err
	}
	return d.HashOf(sums), nil
}

// HashOf is [Dataset.Hash] for known checksums of the files.
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

// Sums returns the checksum of every picture's file, in order. It reads every file once,
// several at a time. For a file that can't be read it calls bad, one call at a time, and
// the checksum is zero; if bad is nil, such a file is an error.
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

// hashFile hashes a file; it stops when the context ends. A pipe or device, which might
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
