package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/coco"
)

// Captioned is a picture with its captions.
type Captioned struct {
	Path     string   // path of the file
	ID       string   // as the captions' file has it; the number 42 and the text "42" are the same
	Split    string   // train, val or test; another name as written, such as restval; "" if none is given
	Captions []string // at least one, in the file's order, as written

	License    string // licence of the picture, "" if not given
	LicenseURL string
	URL        string // where the picture comes from, "" if not given
}

// CaptionSet is a list of pictures with captions.
type CaptionSet struct {
	Root     string // the folder with the pictures
	Pictures []Captioned
	// Missing are the names of the pictures that the file lists and that aren't there,
	// in the file's order. They are left out of Pictures.
	Missing []string
	// Notes tell the user how the set was read, one sentence each: missing pictures,
	// pictures without captions.
	Notes []string
}

// Split returns the pictures of a split, in order.
func (s *CaptionSet) Split(name string) []Captioned {
	var found []Captioned
	for _, p := range s.Pictures {
		if p.Split == name {
			found = append(found, p)
		}
	}
	return found
}

// Splits lists the names of the splits in the order of their first pictures; "" for
// pictures without one.
func (s *CaptionSet) Splits() []string {
	var names []string
	for _, p := range s.Pictures {
		if !slices.Contains(names, p.Split) {
			names = append(names, p.Split)
		}
	}
	return names
}

// OpenCaptions lists pictures with captions without decoding them. path is one of
//
//   - a file in COCO's format, as captions_val2017.json: "images" with id, file_name and,
//     if you like, split, license (a text, or a number out of "licenses"), license_url,
//     flickr_url; "annotations" with image_id and caption;
//   - a file in Karpathy's form (dataset_coco.json), whose "images" have "sentences";
//   - a table, CSV or JSON Lines, with file_name and text (or caption), and, if you like,
//     id, split, license, license_url, url; a picture may have several lines, and in JSON
//     Lines the captions may be a list;
//   - a folder with such a table called metadata.csv or metadata.jsonl, as Hugging Face's
//     imagefolder, or with a folder for each split that has one.
//
// folder holds the pictures; for "" it is the file's own folder. If path is a folder, it
// must be "". Names are looked up in the folder, in folders in it that are called images,
// photos or the like, and in that of their split.
//
// Errors name the file and the entry or line. Pictures that aren't there, and those
// without captions, are left out, counted and named in Notes; if no picture is there, that
// is an error.
func OpenCaptions(path, folder string) (*CaptionSet, error) {
	set, err := openCaptions(path, folder)
	if err != nil {
		return nil, fmt.Errorf("captions: %w", err)
	}
	return set, nil
}

func openCaptions(path, folder string) (*CaptionSet, error) {
	path = filepath.Clean(path)
	if isFolder(path) {
		if folder != "" {
			return nil, fmt.Errorf("%s is a folder: name the file of captions, or leave out the folder of pictures (%s)", path, folder)
		}
		return openCaptionFolder(path, openCaptionTable)
	}
	if folder == "" {
		folder = filepath.Dir(path)
	}
	if isTable(path) {
		return openCaptionTable(path, folder, "")
	}
	return openCOCO(path, folder)
}

// IsCaptionTable reports whether [ReadCaptionTable] reads a path: a folder, or a file with
// the name of a table.
func IsCaptionTable(path string) bool { return isFolder(path) || isTable(path) }

// ReadCaptionTable lists the captions of a table, or of a folder with one, as
// [OpenCaptions] does, but doesn't look for the pictures: a Path is the name in the table,
// and nothing is left out but captions and pictures without text. Two pictures with one id
// are an error.
func ReadCaptionTable(path string) (*CaptionSet, error) {
	read := readCaptionTable
	var set *CaptionSet
	var err error
	if path = filepath.Clean(path); isFolder(path) {
		set, err = openCaptionFolder(path, read)
	} else {
		set, err = read(path, filepath.Dir(path), "")
	}
	if err != nil {
		return nil, fmt.Errorf("captions: %w", err)
	}
	names := map[string]Captioned{}
	for _, p := range set.Pictures {
		if other, twice := names[p.ID]; twice {
			return nil, fmt.Errorf("captions: %s: two pictures have the id %s, %s (split %q) and %s (split %q): name the folder or table of one split, or give them different ids", path, p.ID, other.Path, other.Split, p.Path, p.Split)
		}
		names[p.ID] = p
	}
	return set, nil
}

func openCOCO(path, folder string) (*CaptionSet, error) {
	file, err := coco.ReadReferences(path)
	if err != nil {
		return nil, err
	}
	if len(file.Images) == 0 {
		return nil, fmt.Errorf(`%s: "images" is missing or empty, so the captions' pictures aren't known`, path)
	}
	b, err := newCaptionBuilder(path, folder)
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(file.Images))
	listed := make([]Captioned, len(file.Images))
	for i, im := range file.Images {
		if j, twice := place[im.ID]; twice {
			return nil, fmt.Errorf(`%s: "images", entry %d (id %s): entry %d has this id already`, path, i, im.ID, j)
		}
		if strings.TrimSpace(im.File) == "" {
			return nil, fmt.Errorf(`%s: "images", entry %d (id %s): no file_name`, path, i, im.ID)
		}
		place[im.ID] = i
		listed[i] = Captioned{
			ID: im.ID, Split: splitName(im.Split),
			License: im.License, LicenseURL: im.LicenseURL, URL: im.URL,
		}
	}
	for i, c := range file.Captions {
		j, ok := place[c.Image]
		if !ok {
			return nil, fmt.Errorf(`%s: "annotations", entry %d: image_id %s isn't in "images"`, path, i, c.Image)
		}
		listed[j].Captions = append(listed[j].Captions, c.Text)
	}
	for i, im := range file.Images {
		if err := b.add(listed[i], im.File, im.Folder, fmt.Sprintf(`"images", entry %d (id %s)`, i, im.ID)); err != nil {
			return nil, err
		}
	}
	return b.finish()
}

// splitName is train, val or test for a name in any form that means nothing else;
// another name is returned unchanged.
func splitName(written string) string {
	if i, rest := splitOf(written, false); i >= 0 && rest == "" {
		return splitNames[i][0]
	}
	return strings.TrimSpace(written)
}

// captionBuilder collects the pictures of a [CaptionSet].
type captionBuilder struct {
	set    *CaptionSet
	path   string              // the captions' file
	inside map[string][]string // the folders in the root by split name; containers are under ""

	textOnly bool // the pictures aren't looked for
	listed   int
	bare     []string // the names of pictures without captions
	empty    []string // the entries of captions without text
}

func newCaptionBuilder(path, folder string) (*captionBuilder, error) {
	list, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	b := &captionBuilder{set: &CaptionSet{Root: folder}, path: path, inside: map[string][]string{}}
	for _, e := range list {
		at := filepath.Join(folder, e.Name())
		split := splitName(e.Name())
		if isContainer(e.Name()) {
			split = ""
		}
		if isFolder(at) {
			b.inside[split] = append(b.inside[split], at)
		}
	}
	return b, nil
}

// add adds a picture whose file is called name; below is a folder that it may be in, "" if
// none is known, and where is the entry, for messages.
func (b *captionBuilder) add(p Captioned, name, below, where string) error {
	b.listed++
	kept := make([]string, 0, len(p.Captions))
	for i, text := range p.Captions {
		if strings.TrimSpace(text) == "" {
			b.empty = append(b.empty, fmt.Sprintf("%s, caption %d", where, i))
			continue
		}
		kept = append(kept, text)
	}
	p.Captions = kept
	if b.textOnly {
		if p.Path = name; len(kept) == 0 {
			b.bare = append(b.bare, name)
		} else {
			b.set.Pictures = append(b.set.Pictures, p)
		}
		return nil
	}
	places := append([]string{b.set.Root}, b.inside[""]...)
	if p.Split != "" {
		places = append(places, b.inside[p.Split]...)
	}
	if below != "" {
		places = append(places, filepath.Join(b.set.Root, filepath.FromSlash(below)))
	}
	path, info, err := findPicture(places, name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		b.set.Missing = append(b.set.Missing, name)
		return nil
	case err != nil:
		return fmt.Errorf("%s: %s: %w", b.path, where, err)
	case info.IsDir():
		return fmt.Errorf("%s: %s: %s is a folder, not a picture", b.path, where, path)
	case len(p.Captions) == 0:
		b.bare = append(b.bare, name)
		return nil
	}
	p.Path = path
	b.set.Pictures = append(b.set.Pictures, p)
	return nil
}

// finish writes the notes.
func (b *captionBuilder) finish() (*CaptionSet, error) {
	s := b.set
	if len(s.Missing) == b.listed {
		return nil, fmt.Errorf("%s: none of its %d pictures is in %s (%s): name the folder that holds them", b.path, b.listed, s.Root, firstNames(s.Missing))
	}
	if len(s.Pictures) == 0 {
		return nil, fmt.Errorf("%s: none of the pictures in %s has a caption", b.path, s.Root)
	}
	base := filepath.Base(b.path)
	if n := len(s.Missing); n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d of the %d pictures in %s aren't in %s and are left out: %s", n, b.listed, base, s.Root, firstNames(s.Missing)))
	}
	if n := len(b.bare); n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d of the %d pictures in %s have no caption and are left out: %s", n, b.listed, base, firstNames(b.bare)))
	}
	if n := len(b.empty); n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d captions in %s have no text and are left out: %s", n, base, firstNames(b.empty)))
	}
	return s, nil
}

// firstNames joins at most three names.
func firstNames(names []string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:3], ", ") + " …"
}
