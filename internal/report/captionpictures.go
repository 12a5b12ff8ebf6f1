package report

import (
	"path/filepath"

	"gaze/internal/environ"
	"gaze/pkg/data"
	"gaze/pkg/data/scenes"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// SceneSize is the width and height of the drawn pictures in figures, in pixels;
// captioners see them at their own size.
const SceneSize = 384

// Picture is a picture to be captioned: a file or a drawn scene.
type Picture struct {
	Name string
	Path string // the file; "" for a drawn scene
}

// CaptionPictures lists the pictures that the report captions: those in the folder named
// by GAZE_CAPTION_IMAGES, sorted by name, otherwise the five that package scenes draws
// for the report.
func CaptionPictures() ([]Picture, error) {
	var list []Picture
	dir, err := environ.Existing(EnvImages)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		for _, name := range scenes.ReportNames() {
			list = append(list, Picture{Name: name})
		}
		return list, nil
	}
	paths, err := data.List([]string{dir})
	if err != nil {
		return nil, environ.Wrong(EnvImages, environ.Get(EnvImages), err.Error())
	}
	for _, path := range paths {
		list = append(list, Picture{Name: filepath.Base(path), Path: path})
	}
	return list, nil
}

// Open returns the picture, the masks if it is a drawn scene, and a description of the
// damage if its file is damaged.
func (p Picture) Open() (im *transform.Image, masks []explain.Mask, damage string, err error) {
	if p.Path != "" {
		im, damage, err = data.DecodeWarn(p.Path)
		return im, nil, damage, err
	}
	s, err := scenes.Report(p.Name, SceneSize)
	for _, n := range s.Nouns {
		masks = append(masks, explain.Mask{Words: append([]string{n.Word}, n.Words...), Image: n.Mask})
	}
	return s.Image, masks, "", err
}
