package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/environ"
	"gaze/pkg/data"
	"gaze/pkg/hub"
)

// reportPhotos are the photographs that the report shows, from the validation set of its
// course (Oxford-IIIT Pet).
var reportPhotos = []string{"26_5064", "29_4718", "31_4838"}

// shownPhotos is the largest number of photographs shown from a folder.
const shownPhotos = 6

// Photographs are the photographs to show.
type Photographs struct {
	Paths   []string
	From    string // the source, for display
	License string // "" if it isn't known
	Of      int    // number of photographs that Paths were chosen from
}

// FindPhotographs chooses the photographs to show.
//
// If GAZE_PETS is set, they come from that folder of pictures, or from that data set as
// [data.OpenDataset] reads it: the report's three photographs if all are there, otherwise
// the first six by name, taking a data set's validation pictures first. If it isn't set,
// they are the report's three in ../shared/data beside the clone at root ("" for none),
// at their true shape if they are there, or else the sample photographs, which are fetched on first use.
func FindPhotographs(ctx context.Context, root string, o hub.Options) (Photographs, error) {
	folder, err := environ.Existing(EnvPets)
	if err != nil {
		return Photographs{}, err
	}
	if folder != "" {
		return ownPhotographs(folder)
	}
	if root != "" {
		squashed := filepath.Join(root, "..", "shared", "data", "images", "oxford_pets_ccbysa")
		for _, dir := range []string{filepath.Join(sharedPets(root), "val"), squashed} {
			list, _ := data.List([]string{dir}) // an error is normal: the folder rarely exists
			if found := theReports(list); found != nil {
				return Photographs{found, "the shared data beside the clone", oxfordLicense, len(list)}, nil
			}
		}
	}
	paths, err := hub.SamplePhotos(ctx, o)
	if errors.Is(err, hub.ErrUnreachable) {
		err = fmt.Errorf("%w; or set %s to a folder of photographs", err, EnvPets)
	}
	return Photographs{paths, "the scikit-image package", "CC0 or public domain, as scikit-image states", len(paths)}, err
}

const oxfordLicense = "Oxford-IIIT Pet, CC BY-SA 4.0"

// ownPhotographs chooses from the folder or data set named by GAZE_PETS.
func ownPhotographs(path string) (Photographs, error) {
	all, err := list(path)
	if err != nil {
		return Photographs{}, environ.Wrong(EnvPets, environ.Get(EnvPets), err.Error())
	}
	p := Photographs{Paths: theReports(all), From: EnvPets, License: oxfordLicense, Of: len(all)}
	if p.Paths == nil {
		p.Paths, p.License = all[:min(len(all), shownPhotos)], ""
	}
	return p, nil
}

// list returns the pictures directly in a folder, or those of a data set with the
// validation split first, sorted by name.
func list(path string) ([]string, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.IsDir() && !strings.EqualFold(filepath.Ext(path), ".csv") {
		return nil, errors.New("that is a file: name a folder of photographs, or a data set")
	} else if info.IsDir() {
		if _, err := os.ReadDir(path); err != nil {
			return nil, err
		}
		if found, err := data.List([]string{path}); err == nil {
			return found, nil
		}
	}
	splits, err := data.OpenDataset(path)
	if err != nil {
		return nil, fmt.Errorf("it has no photographs and isn't a data set: %w", err)
	}
	var found []string
	for _, set := range []*data.Dataset{splits.Validation, splits.Train, splits.Test} {
		if set == nil {
			continue
		}
		var part []string
		for _, item := range set.Items {
			part = append(part, item.Path)
		}
		slices.SortFunc(part, func(a, b string) int {
			return cmp.Or(cmp.Compare(filepath.Base(a), filepath.Base(b)), cmp.Compare(a, b))
		})
		found = append(found, part...)
	}
	return found, nil
}

// theReports finds the report's photographs among paths and returns them in the report's
// order. Their names may be followed by the size (26_5064_224.png). It returns nil if one
// is missing.
func theReports(paths []string) []string {
	var found []string
	for _, want := range reportPhotos {
		i := slices.IndexFunc(paths, func(path string) bool { return stem(path) == want })
		if i < 0 {
			i = slices.IndexFunc(paths, func(path string) bool { return strings.HasPrefix(stem(path), want+"_") })
		}
		if i < 0 {
			return nil
		}
		found = append(found, paths[i])
	}
	return found
}

func stem(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}
