package score

import "gaze/internal/coco"

// A Caption is one entry of a file in COCO's format.
type Caption = coco.Caption

// References are the captions in a file in COCO's format.
type References struct {
	Path     string
	Images   []string // in the order of the file's "images", then as captions name them
	Captions map[string][]string
	Numbers  map[string]bool // the pictures whose id is a number where the file first names it, not a text
}

// ReadReferences reads the captions of pictures: an object whose "annotations"
// are a list of objects with an image_id (a whole number or a text) and a caption, or
// whose "images" have "sentences", as Karpathy's dataset_coco.json. "images" sets the
// order of the pictures; other keys are ignored. Errors name the file, the entry (counted
// from 0) and the picture.
func ReadReferences(path string) (*References, error) {
	file, err := coco.ReadReferences(path)
	if err != nil {
		return nil, err
	}
	return referencesOf(file), nil
}

// referencesOf groups a file's captions by picture.
func referencesOf(file *coco.References) *References {
	refs := &References{Path: file.Path, Captions: map[string][]string{}, Numbers: file.Numbers}
	listed := map[string]bool{}
	list := func(id string) {
		if !listed[id] {
			listed[id] = true
			refs.Images = append(refs.Images, id)
		}
	}
	for _, im := range file.Images {
		list(im.ID)
	}
	for _, c := range file.Captions {
		list(c.Image)
		refs.Captions[c.Image] = append(refs.Captions[c.Image], c.Text)
	}
	return refs
}

// ReadResults reads generated captions: a list of objects with an image_id and a
// caption, one for each picture. Errors are like those of ReadReferences; a second caption
// for a picture is an error, too.
func ReadResults(path string) ([]Caption, error) { return coco.ReadResults(path) }
