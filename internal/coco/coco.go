// Package coco reads files of captions in COCO's format: references ("images" and
// "annotations", as captions_val2014.json), generated captions (a list of image_id and
// caption), and Karpathy's form of references, where each picture holds its sentences. It
// reads text only; the pictures needn't exist.
package coco

import (
	"encoding/json"
	"fmt"
)

// Caption is a sentence about a picture.
type Caption struct {
	Image string // image_id; the number 42 and the text "42" are the same
	Text  string
}

// Image is an entry of a file's "images".
type Image struct {
	ID     string
	File   string // file_name; "" if the file doesn't say
	Folder string // the folder that File is in, as Karpathy's files give it; mostly ""
	Split  string // as written; "" if the file doesn't say

	License    string // name, or the identifier that the file gives; "" if it doesn't say
	LicenseURL string
	URL        string // where the picture comes from: flickr_url, else coco_url or url
}

// References are the captions of pictures.
type References struct {
	Path     string
	Images   []Image         // as listed, which they needn't be
	Captions []Caption       // in the file's order
	Numbers  map[string]bool // the pictures whose id is a number where the file first names it, not a text
}

// image is an entry of "images", in COCO's form or Karpathy's.
type image struct {
	ID        json.RawMessage
	CocoID    json.RawMessage `json:"cocoid"`
	ImgID     json.RawMessage `json:"imgid"`
	FileName  string          `json:"file_name"`
	Filename  string          `json:"filename"`
	Filepath  string          `json:"filepath"`
	Split     string
	Sentences *[]struct{ Raw *string }

	License    json.RawMessage
	LicenseURL string `json:"license_url"`
	FlickrURL  string `json:"flickr_url"`
	CocoURL    string `json:"coco_url"`
	URL        string
}

// annotation is a caption as the file has it.
type annotation struct {
	Image   json.RawMessage `json:"image_id"`
	Caption *string         `json:"caption"`
}

// license is an entry of "licenses".
type license struct {
	ID   json.RawMessage
	Name string
	URL  string
}

// ReadReferences reads the captions of pictures: an object whose "annotations" are a list
// of objects with an image_id (a whole number or a text) and a caption, or whose "images"
// have "sentences", as in Karpathy's dataset_coco.json. "images" may be missing beside
// "annotations". Other keys are ignored. Errors name the file, the entry (counted from 0)
// and the picture.
func ReadReferences(path string) (*References, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return ParseReferences(path, data)
}

// ParseReferences is [ReadReferences] for a file's content; path is its name in errors.
func ParseReferences(path string, data []byte) (*References, error) {
	var file struct {
		Annotations *[]annotation
		Images      []image
		Licenses    []license
	}
	if err := decode(path, data, &file, `an object with "annotations", as COCO's captions_val2014.json`); err != nil {
		return nil, err
	}
	refs := &References{Path: path, Numbers: map[string]bool{}}
	licenses, err := licensesByID(path, file.Licenses)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, im := range file.Images {
		key, raw := "id", im.ID
		switch {
		case raw != nil:
		case im.CocoID != nil:
			key, raw = "cocoid", im.CocoID
		case im.ImgID != nil:
			key, raw = "imgid", im.ImgID
		}
		id, err := identity(raw)
		if err != nil {
			return nil, fmt.Errorf(`%s: "images", entry %d: %s %w`, path, i, key, err)
		}
		refs.name(id, raw, seen)
		read, err := im.read(id, licenses)
		if err != nil {
			return nil, fmt.Errorf(`%s: "images", entry %d (id %s): %w`, path, i, id, err)
		}
		refs.Images = append(refs.Images, read)
		if file.Annotations != nil || im.Sentences == nil {
			continue
		}
		for j, s := range *im.Sentences {
			if s.Raw == nil {
				return nil, fmt.Errorf(`%s: "images", entry %d (id %s): sentence %d has no "raw"`, path, i, id, j)
			}
			refs.Captions = append(refs.Captions, Caption{id, *s.Raw})
		}
	}
	if file.Annotations != nil {
		if refs.Captions, err = captions(path, *file.Annotations); err != nil {
			return nil, err
		}
		for i, c := range refs.Captions {
			refs.name(c.Image, (*file.Annotations)[i].Image, seen)
		}
	}
	if len(refs.Captions) == 0 {
		return nil, fmt.Errorf(`%s: no references: "annotations" is missing or empty, and "images" has no "sentences"`, path)
	}
	return refs, nil
}

// name notes whether an id that the file names for the first time is a number.
func (r *References) name(id string, raw json.RawMessage, seen map[string]bool) {
	if !seen[id] {
		seen[id] = true
		if raw[0] != '"' {
			r.Numbers[id] = true
		}
	}
}

// read turns an entry of either form into an Image.
func (im image) read(id string, licenses map[string]license) (Image, error) {
	out := Image{ID: id, File: im.FileName, Folder: im.Filepath, Split: im.Split, LicenseURL: im.LicenseURL, URL: im.FlickrURL}
	if out.File == "" {
		out.File = im.Filename
	}
	for _, url := range []string{im.CocoURL, im.URL} {
		if out.URL == "" {
			out.URL = url
		}
	}
	raw := im.License
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return out, nil
	case raw[0] == '"':
		if err := json.Unmarshal(raw, &out.License); err != nil {
			return out, fmt.Errorf("license: %w", err)
		}
		return out, nil
	}
	number, err := identity(raw)
	if err != nil {
		return out, fmt.Errorf("license %w", err)
	}
	l, ok := licenses[number]
	switch {
	case ok:
		out.License = l.Name
		if out.LicenseURL == "" {
			out.LicenseURL = l.URL
		}
	case len(licenses) > 0:
		return out, fmt.Errorf(`license %s isn't in the file's "licenses"`, number)
	default: // the file has no list of licences, only numbers
		out.License = number
	}
	return out, nil
}

// licensesByID reads "licenses".
func licensesByID(path string, list []license) (map[string]license, error) {
	byID := make(map[string]license, len(list))
	for i, l := range list {
		id, err := identity(l.ID)
		if err != nil {
			return nil, fmt.Errorf(`%s: "licenses", entry %d: id %w`, path, i, err)
		}
		byID[id] = l
	}
	return byID, nil
}

// ReadResults reads generated captions: a list of objects with an image_id and a
// caption, one for each picture. Errors are like those of ReadReferences; a second caption
// for a picture is an error, too.
func ReadResults(path string) ([]Caption, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return ParseResults(path, data)
}

// ParseResults is [ReadResults] for a file's content; path is its name in errors.
func ParseResults(path string, data []byte) ([]Caption, error) {
	var list []annotation
	if err := decode(path, data, &list, "a list of {image_id, caption}"); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no results: the list is empty", path)
	}
	results, err := captions(path, list)
	if err != nil {
		return nil, err
	}
	first := map[string]int{}
	for i, c := range results {
		if j, ok := first[c.Image]; ok {
			return nil, fmt.Errorf("%s: entry %d (image_id %s): entry %d is a result for this picture already; keep one", path, i, c.Image, j)
		}
		first[c.Image] = i
	}
	return results, nil
}

func captions(path string, list []annotation) ([]Caption, error) {
	out := make([]Caption, len(list))
	for i, a := range list {
		id, err := identity(a.Image)
		if err != nil {
			return nil, fmt.Errorf("%s: entry %d: image_id %w", path, i, err)
		}
		if a.Caption == nil {
			return nil, fmt.Errorf("%s: entry %d (image_id %s): no caption", path, i, id)
		}
		out[i] = Caption{Image: id, Text: *a.Caption}
	}
	return out, nil
}
