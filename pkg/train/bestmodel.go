package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gaze/pkg/vit"
)

// ModelFile is the file of the best model so far if path is the folder of a run, otherwise
// path. It is an error if the run has no model yet.
func ModelFile(path string) (string, error) {
	if _, err := os.Stat(filepath.Join(path, manifestFile)); err != nil {
		return path, nil
	}
	best := filepath.Join(path, filepath.FromSlash(bestFile))
	if _, err := os.Stat(best); errors.Is(err, os.ErrNotExist) {
		if m, err := ReadManifest(path); err == nil && m.Status == Failed {
			return "", fmt.Errorf("the run in %s has no model: it failed (%s); train again in another folder", path, m.Reason)
		}
		return "", fmt.Errorf("the run in %s has no model yet: its first epoch isn't done ('gaze train --resume -o %s' goes on)", path, path)
	} else if err != nil {
		return "", err
	}
	return best, nil
}

// LoadModel opens a Vision Transformer as [vit.Load] does. If path is the folder of a run
// it opens the best model so far.
func LoadModel(path string) (*vit.Model, error) { return OpenModel(path, vit.LoadOptions{}) }

// OpenModel is [LoadModel] with the options of [vit.Open].
func OpenModel(path string, o vit.LoadOptions) (*vit.Model, error) {
	file, err := ModelFile(path)
	if err != nil {
		return nil, err
	}
	m, err := vit.Open(file, o)
	if err != nil && file != path { // a run's own model can't be downloaded again
		return nil, fmt.Errorf("the model of the run in %s is damaged: train it again: %s", path, strings.ReplaceAll(err.Error(), "; download it again", ""))
	}
	return m, err
}
