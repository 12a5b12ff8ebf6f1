package study

import (
	"bytes"
	"context"
	"encoding/gob"
	"os"
	"path/filepath"

	"gaze/internal/atomicfile"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
)

// testFile holds the answers of a run's best weights on the set that it is tested on.
const testFile = "test.gob"

// kept is what the file holds.
type kept struct {
	Data        string // names that set
	Predictions evaluate.Predictions
}

// keptPredictions are the answers on a set, from the run's folder if they are there, else
// by predict.
func keptPredictions(ctx context.Context, dir string, set *data.Dataset, predict func() (*evaluate.Predictions, error)) (*evaluate.Predictions, error) {
	hash, err := set.Hash(ctx)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, testFile)
	var k kept
	if text, err := os.ReadFile(path); err == nil && gob.NewDecoder(bytes.NewReader(text)).Decode(&k) == nil && k.Data == hash {
		return &k.Predictions, nil
	}
	p, err := predict()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(kept{hash, *p}); err != nil {
		return nil, err
	}
	return p, atomicfile.WriteBytes(path, text.Bytes())
}
