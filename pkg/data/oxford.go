package data

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode"

	"gaze/internal/atomicfile"
)

// OxfordPetsOptions are the options of [ConvertOxfordPets].
type OxfordPetsOptions struct {
	Source string       // source of the archives, for the set's README.txt
	Log    func(string) // called for each picture that can't be decoded; may be nil
}

// OxfordPetsTitle is the beginning of a converted set's README.txt.
const OxfordPetsTitle = "The Oxford-IIIT Pet set"

// Limits for unpacking an archive; the published ones hold 0.8 GB in files of up to a few
// MB.
const (
	maxOxfordFile    = 64 << 20
	maxOxfordArchive = 8 << 30
)

// ConvertOxfordPets converts the archives of the Oxford-IIIT Pet set (Parkhi, Vedaldi,
// Zisserman and Jawahar 2012), images.tar.gz and annotations.tar.gz, to a data set for
// [OpenDataset] in the folder dir, which must be empty or not exist yet:
//
//	dir/train/{class}_{id}.jpg   the lines of trainval.txt, ids from 0 (to 3679)
//	dir/val/{class}_{id}.jpg     1500 of test.txt, ids from 3680
//	dir/test/{class}_{id}.jpg    the others, ids from 5180
//	dir/trimaps/{class}_{id}.png which pixels are the pet's
//	dir/index.csv                the pictures' sizes, breeds, and boxes around heads
//	dir/classes.txt              the 37 breeds, class 0 first
//	dir/README.txt               description of the set
//
// Class numbers are the archive's minus 1, in alphabetical order. The validation pictures
// are taken evenly from test.txt, so that each class gives its share. How the course
// numbered and chose its pictures isn't published, except for the counts: an id may stand
// for a different picture there. The set's own split has all lines of test.txt in its test
// part; [Splits.Named] gives it as official-test.
//
// [OpenTruth] reads trimaps and boxes. Those that don't fit their picture are left out and
// reported.
//
// Files are copied unchanged; the format of some doesn't match their names, which
// [Decode] handles. Files that can't be decoded are kept and reported. Only the listed
// pictures are taken from the archives. The folder is renamed into place when it is
// complete.
func ConvertOxfordPets(ctx context.Context, images, annotations, dir string, o OxfordPetsOptions) error {
	if err := atomicfile.CheckNewFolder(dir); err != nil {
		return fmt.Errorf("oxford pets: %w", err)
	}
	plan, err := readOxfordLists(ctx, annotations)
	if err != nil {
		return fmt.Errorf("oxford pets: %s: %w", annotations, err)
	}
	err = atomicfile.WriteFolder(dir, func(temp string) error {
		for split, n := range plan.counts {
			if n == 0 {
				continue
			}
			if err := os.Mkdir(filepath.Join(temp, splitNames[split][0]), 0o755); err != nil {
				return err
			}
		}
		bad, err := plan.unpack(ctx, images, temp)
		if err != nil {
			return fmt.Errorf("%s: %w", images, err)
		}
		unfit, err := plan.keepTruth(ctx, annotations, temp)
		if err != nil {
			return fmt.Errorf("%s: %w", annotations, err)
		}
		bad = append(bad, unfit...)
		for _, text := range bad {
			if o.Log != nil {
				o.Log(text)
			}
		}
		classes := []byte(strings.Join(plan.classes, "\n") + "\n")
		if err := atomicfile.WriteBytes(filepath.Join(temp, "classes.txt"), classes); err != nil {
			return err
		}
		return atomicfile.WriteBytes(filepath.Join(temp, "README.txt"), plan.readme(o.Source, bad))
	})
	if err != nil {
		return fmt.Errorf("oxford pets: %w", err)
	}
	return nil
}

// eachMember calls do with the regular files of a .tar.gz, by their cleaned names.
// Links, devices and folders are skipped; the names are never used as paths.
func eachMember(ctx context.Context, archive string, do func(name string, size int64, r io.Reader) error) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("it is not a .tar.gz: %w", err)
	}
	limited := &io.LimitedReader{R: z, N: maxOxfordArchive}
	for t := tar.NewReader(limited); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if err == io.EOF {
			// The checksum comes after the archive's end.
			_, err := io.Copy(io.Discard, limited)
			return err
		}
		if err == nil && h.Typeflag == tar.TypeReg {
			err = do(path.Clean(h.Name), h.Size, t)
		}
		if limited.N <= 0 {
			return fmt.Errorf("it holds more than %d bytes", int64(maxOxfordArchive))
		}
		if err != nil {
			return err
		}
	}
}

// readOxfordLists reads trainval.txt and test.txt.
func readOxfordLists(ctx context.Context, archive string) (*oxfordPlan, error) {
	found := map[string][]oxfordLine{}
	err := eachMember(ctx, archive, func(name string, size int64, r io.Reader) error {
		if name != "annotations/trainval.txt" && name != "annotations/test.txt" {
			return nil
		}
		if size > maxOxfordFile {
			return fmt.Errorf("%s has %d bytes", name, size)
		}
		lines, err := parseOxfordList(r)
		if err != nil {
			return fmt.Errorf("%s:%w", name, err)
		}
		found[path.Base(name)] = lines
		return nil
	})
	if err != nil {
		return nil, err
	}
	return planOxford(found["trainval.txt"], found["test.txt"])
}

// unpacked is a file taken from the archive, to be written into the folder.
type unpacked struct {
	name    string
	picture *oxfordPicture
	content []byte
}

// unpack writes the pictures into dir. It returns messages about those that can't be
// decoded.
func (p *oxfordPlan) unpack(ctx context.Context, archive, dir string) (bad []string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	files := make(chan unpacked)
	var mutex sync.Mutex
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for f := range files {
				if err := writeSynced(filepath.Join(dir, filepath.FromSlash(f.picture.target())), f.content); err != nil {
					cancel(err)
				}
				im, err := DecodeReader(bytes.NewReader(f.content), f.name)
				if err != nil {
					mutex.Lock()
					bad = append(bad, fmt.Sprintf("%s: %v", f.picture.target(), err))
					mutex.Unlock()
					continue
				}
				f.picture.width, f.picture.height = im.Width, im.Height
			}
		})
	}
	seen := map[*oxfordPicture]bool{}
	err = eachMember(ctx, archive, func(name string, size int64, r io.Reader) error {
		folder, base := path.Split(name)
		picture := p.pictures[strings.TrimSuffix(base, ".jpg")]
		if folder != "images/" || !strings.HasSuffix(base, ".jpg") || picture == nil {
			return nil
		}
		if size > maxOxfordFile || seen[picture] {
			return fmt.Errorf("%s: it has %d bytes, or occurs twice", name, size)
		}
		seen[picture] = true
		content, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		files <- unpacked{name, picture, content}
		return nil
	})
	close(files)
	wait.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err == nil && len(seen) < len(p.pictures) {
		err = p.missing(seen)
	}
	slices.Sort(bad)
	return bad, err
}

// missing reports pictures that are listed but not in the archive.
func (p *oxfordPlan) missing(seen map[*oxfordPicture]bool) error {
	var names []string
	for name, picture := range p.pictures {
		if !seen[picture] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return fmt.Errorf("%d listed pictures aren't in it, such as %s.jpg", len(names), names[0])
}

func writeSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(0o644))
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// readme is the text of README.txt, which describes the set.
func (p *oxfordPlan) readme(source string, bad []string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s (Parkhi, Vedaldi, Zisserman, Jawahar: Cats and Dogs, CVPR 2012),\n", OxfordPetsTitle)
	fmt.Fprintf(&b, "converted by Gaze. Licence of the pictures: CC BY-SA 4.0.\n%s\n", source)
	fmt.Fprintf(&b, "Files are {class}_{id}.jpg; classes.txt names the classes, 0 first. The files are unchanged.\n\n")
	fmt.Fprintf(&b, "train: %d pictures, ids from 0, in the order of the lines of trainval.txt\n", p.counts[0])
	fmt.Fprintf(&b, "val:   %d pictures, ids from %d: line i of the n lines of test.txt (from 0) where\n", p.counts[1], p.counts[0])
	fmt.Fprintf(&b, "       floor((i+1)*v/n) > floor(i*v/n), v = %d, n = %d\n", p.counts[1], p.counts[1]+p.counts[2])
	fmt.Fprintf(&b, "test:  %d pictures, ids from %d: the other lines of test.txt\n\n", p.counts[2], p.counts[0]+p.counts[1])
	fmt.Fprintf(&b, "val and test together are the set's own test part, called official-test.\n")
	fmt.Fprintf(&b, "trimaps/{class}_{id}.png: 1 is the pet, 2 the background, 3 the border, unchanged.\n")
	fmt.Fprintf(&b, "index.csv: name and breed in the set, width and height, and the box around the head in\n")
	fmt.Fprintf(&b, "pixels, where it is known (the set gives boxes for trainval.txt).\n\n")
	fmt.Fprintf(&b, "The counts are those of the course's set. Its validation pictures and its numbering aren't\n")
	fmt.Fprintf(&b, "published: an id may stand for a different picture there.\n")
	if len(bad) > 0 {
		fmt.Fprintf(&b, "\nThese can't be decoded, or don't fit:\n%s\n", strings.Join(bad, "\n"))
	}
	return b.Bytes()
}

// The published set has 3680 training and 3669 test pictures; the course uses 1500 of the
// latter for validation.
const (
	oxfordTest       = 3669
	oxfordValidation = 1500
)

// oxfordLine is a picture in trainval.txt or test.txt.
type oxfordLine struct {
	name    string // file name without ending
	class   int    // from 0
	species string // "cat" or "dog"
}

// breed is the part of the name before the number.
func (l oxfordLine) breed() string {
	breed, _, _ := cutLast(l.name, "_")
	return breed
}

// parseOxfordList parses lines such as "american_bulldog_100 2 2 1": the picture, its
// class from 1, its species and its breed number within the species. Lines that begin
// with # are comments. Errors begin with the line number.
func parseOxfordList(r io.Reader) ([]oxfordLine, error) {
	var lines []oxfordLine
	scan := bufio.NewScanner(r)
	for number := 1; scan.Scan(); number++ {
		text := strings.TrimSpace(scan.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		fields := strings.Fields(text)
		if len(fields) != 4 {
			return nil, fmt.Errorf("%d: %q has %d fields, not a picture and three numbers", number, text, len(fields))
		}
		name := fields[0]
		breed, digits, _ := cutLast(name, "_")
		if _, err := parseNumber(digits); err != nil || breed == "" || strings.ContainsAny(name, `/\`) {
			return nil, fmt.Errorf("%d: %q is not a picture's name: a breed and a number were expected", number, name)
		}
		class, err := parseNumber(fields[1])
		if err != nil || class < 1 || class > maxClasses {
			return nil, fmt.Errorf("%d: the class is %q, not a number from 1", number, fields[1])
		}
		species := map[string]string{"1": "cat", "2": "dog"}[fields[2]]
		if species == "" {
			return nil, fmt.Errorf("%d: the species is %q, neither 1 (cat) nor 2 (dog)", number, fields[2])
		}
		lines = append(lines, oxfordLine{name, class - 1, species})
	}
	return lines, scan.Err()
}

// oxfordPlan gives the destination of each picture.
type oxfordPlan struct {
	classes  []string
	pictures map[string]*oxfordPicture // by the name in the archive
	order    []*oxfordPicture          // by id
	counts   [3]int                    // pictures in each split of splitNames
}

// planOxford numbers the pictures: first those of trainval.txt from 0, in the order of
// its lines, then the validation part of test.txt, then the rest. Line i of n (from 0) is
// in the validation part if floor((i+1)·v/n) > floor(i·v/n), where v is 1500 of 3669. The
// file lists class after class, so every class gives its share.
func planOxford(trainval, test []oxfordLine) (*oxfordPlan, error) {
	if len(trainval) == 0 || len(test) == 0 {
		return nil, fmt.Errorf("its lists have %d and %d pictures", len(trainval), len(test))
	}
	p := &oxfordPlan{pictures: map[string]*oxfordPicture{}}
	parts := [3][]oxfordLine{0: trainval}
	n, validation := len(test), (len(test)*oxfordValidation+oxfordTest/2)/oxfordTest
	for i, l := range test {
		split := 2
		if (i+1)*validation/n > i*validation/n {
			split = 1
		}
		parts[split] = append(parts[split], l)
	}
	for split, lines := range parts {
		p.counts[split] = len(lines)
		for _, l := range lines {
			if p.pictures[l.name] != nil {
				return nil, fmt.Errorf("its lists name %s twice", l.name)
			}
			picture := &oxfordPicture{oxfordLine: l, split: split, id: len(p.order)}
			p.pictures[l.name], p.order = picture, append(p.order, picture)
		}
	}
	return p, p.nameClasses(trainval, test)
}

// nameClasses derives the class names from the pictures' names.
func (p *oxfordPlan) nameClasses(lists ...[]oxfordLine) error {
	breeds := map[int]string{}
	for _, lines := range lists {
		for _, l := range lines {
			if b, ok := breeds[l.class]; ok && b != l.breed() {
				return fmt.Errorf("its class %d is %s and %s", l.class+1, b, l.breed())
			}
			breeds[l.class] = l.breed()
		}
	}
	for class := range len(breeds) {
		b, ok := breeds[class]
		if !ok {
			return fmt.Errorf("it has %d classes, but none with number %d", len(breeds), class+1)
		}
		p.classes = append(p.classes, title(b))
	}
	return nil
}

// title turns american_bulldog into American Bulldog.
func title(breed string) string {
	words := strings.FieldsFunc(breed, func(r rune) bool { return r == '_' })
	for i, w := range words {
		letters := []rune(strings.ToLower(w))
		letters[0] = unicode.ToUpper(letters[0])
		words[i] = string(letters)
	}
	return strings.Join(words, " ")
}
