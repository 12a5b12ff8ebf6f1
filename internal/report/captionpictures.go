package report

import (
	"os"
	"path/filepath"
	"slices"

	"gaze/internal/environ"
	"gaze/pkg/data"
	"gaze/pkg/data/scenes"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/transform"
)

// SceneSize is the width and height of the drawn pictures in figures, in pixels;
// captioners see them at their own size.
const SceneSize = 384

// reportCaptioned are the photographs that the report captions.
var reportCaptioned = []string{"bike", "girl", "sheep", "ski", "umbrella"}

// Picture is a picture to be captioned: a file or a drawn scene.
type Picture struct {
	Name       string
	Path       string   // the file; "" for a drawn scene
	Credit     string   // Markdown that belongs under the picture wherever it is shown, "" if there is nothing to say
	References []string // what people wrote about it, if that is known
}

// CaptionSet is the pictures to caption and where they come from.
type CaptionSet struct {
	Pictures []Picture
	From     string // for display
}

// CaptionPictures chooses the photographs that the report captions: those in the folder
// named by GAZE_CAPTION_IMAGES, sorted by name; otherwise the report's own five, if they are
// in ../shared/data beside the clone at root ("" for none); otherwise the five that ship
// ([hub.CaptionPhotos]).
func CaptionPictures(root string) (CaptionSet, error) {
	dir, err := environ.Existing(EnvImages)
	if err != nil {
		return CaptionSet{}, err
	}
	if dir != "" {
		return ownPictures(dir)
	}
	if set, ok := theReportsCaptioned(root); ok {
		return set, nil
	}
	photos, err := hub.CaptionPhotos()
	set := CaptionSet{From: "COCO val2017, scaled down; they ship with Gaze (" + hub.CaptionPhotosName + ")"}
	for _, p := range photos {
		set.Pictures = append(set.Pictures, Picture{Name: filepath.Base(p.Path), Path: p.Path, Credit: p.Credit(), References: p.Captions})
	}
	return set, err
}

// ownPictures lists the pictures of GAZE_CAPTION_IMAGES.
func ownPictures(dir string) (CaptionSet, error) {
	paths, err := data.List([]string{dir})
	if err != nil {
		return CaptionSet{}, environ.Wrong(EnvImages, environ.Get(EnvImages), err.Error())
	}
	set := CaptionSet{From: dir + " (" + EnvImages + ")"}
	for _, path := range paths {
		set.Pictures = append(set.Pictures, Picture{Name: filepath.Base(path), Path: path})
	}
	return set, nil
}

// theReportsCaptioned finds the report's photographs beside the clone. They may be looked
// at there, but not published: their licences aren't known.
func theReportsCaptioned(root string) (set CaptionSet, ok bool) {
	if root == "" {
		return set, false
	}
	set.From = "the report's own five, in the shared data beside the clone"
	for _, name := range reportCaptioned {
		path := filepath.Join(root, "..", "shared", "data", "local_only", "p2_images", name+".jpg")
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return CaptionSet{}, false
		}
		set.Pictures = append(set.Pictures, Picture{Name: filepath.Base(path), Path: path, Credit: "*The report's picture. Its licence isn't known: don't publish it.*"})
	}
	return set, true
}

// DrawnPictures lists the five scenes that package scenes draws for the report.
func DrawnPictures() []Picture {
	var list []Picture
	for _, name := range scenes.ReportNames() {
		list = append(list, Picture{Name: name})
	}
	return list
}

// Find returns the picture of that name.
func (s CaptionSet) Find(name string) (p Picture, ok bool) {
	i := slices.IndexFunc(s.Pictures, func(p Picture) bool { return p.Name == name })
	if i < 0 {
		return Picture{}, false
	}
	return s.Pictures[i], true
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
