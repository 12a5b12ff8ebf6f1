package hub

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// CaptionPhotosName is the catalogue name of the photographs that ship for captioning.
const CaptionPhotosName = "caption-photos"

// captionPhotosList is the file of their captions, in COCO's format with each picture's
// licence.
const captionPhotosList = "captions.json"

// captionPhotos is their catalogue entry.
func captionPhotos() Checkpoint {
	c := shipped(CaptionPhotosName, "photographs to caption: a giraffe, a pizza, a skier, a surfer, a train, with five captions each",
		"https://cocodataset.org", "giraffe.jpg", "pizza.jpg", "skier.jpg", "surfer.jpg", "train.jpg", captionPhotosList, "CREDITS.txt")
	c.License = "CC BY 2.0 (the train: CC BY-SA 2.0), by people on Flickr (CREDITS.txt); captions: COCO Consortium, CC BY 4.0"
	return c
}

// CaptionPhoto is a photograph that ships for captioning, at its path in the cache.
type CaptionPhoto struct {
	Name       string // "giraffe"
	Path       string
	License    string // "CC BY 2.0"
	LicenseURL string
	Page       string   // the photographer's page on Flickr, by which the photograph is credited
	Captions   []string // what five people wrote about it
}

// CaptionPhotos returns the photographs that ship for captioning, out of COCO val2017 and
// scaled down, sorted by name. Whoever shows them shows their credits ([CaptionPhoto.Credit]).
// It needs no network. It is an error if the cache can't be written.
func CaptionPhotos() ([]CaptionPhoto, error) {
	first, err := Resolve(CaptionPhotosName)
	if err != nil {
		return nil, err
	}
	folder := filepath.Dir(first)
	text, err := os.ReadFile(filepath.Join(folder, captionPhotosList))
	if err != nil {
		return nil, err
	}
	var list struct {
		Images []struct {
			ID         int    `json:"id"`
			File       string `json:"file_name"`
			License    string `json:"license"`
			LicenseURL string `json:"license_url"`
			Page       string `json:"page"`
		} `json:"images"`
		Annotations []struct {
			Image   int    `json:"image_id"`
			Caption string `json:"caption"`
		} `json:"annotations"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("hub: %s: %w", filepath.Join(folder, captionPhotosList), err)
	}
	var photos []CaptionPhoto
	for _, im := range list.Images {
		p := CaptionPhoto{
			Name: im.File[:len(im.File)-len(filepath.Ext(im.File))], Path: filepath.Join(folder, im.File),
			License: im.License, LicenseURL: im.LicenseURL, Page: im.Page,
		}
		for _, a := range list.Annotations {
			if a.Image == im.ID {
				p.Captions = append(p.Captions, a.Caption)
			}
		}
		photos = append(photos, p)
	}
	return photos, nil
}

// Credit is the line of Markdown that belongs under the photograph wherever it is shown:
// whose it is, under which licence, and what was changed.
func (p CaptionPhoto) Credit() string {
	return fmt.Sprintf("[%s](%s): photograph by the owner of that page, [%s](%s), changed: scaled down", p.Name, p.Page, p.License, p.LicenseURL)
}
