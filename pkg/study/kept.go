package study

import (
	"bytes"
	"context"
	"encoding/gob"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"gaze/internal/atomicfile"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/vit"
)

// testFile holds the answers of a run's best weights on the set that it is tested on.
const testFile = "test.gob"

// kept is what the file holds.
type kept struct {
	Data        string // names that set
	Predictions evaluate.Predictions
}

// predictions are the answers on a set, whose pictures may be in memory, from the
// run's folder if they are there.
func (j job) predictions(ctx context.Context, backend compute.Backend, dir string, set *data.Dataset, pictures data.Set) (*evaluate.Predictions, error) {
	hash, err := set.Hash(ctx)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, testFile)
	var k kept
	if text, err := os.ReadFile(path); err == nil && gob.NewDecoder(bytes.NewReader(text)).Decode(&k) == nil && k.Data == hash {
		return &k.Predictions, nil
	}
	m, err := vit.Load(filepath.Join(dir, "best", "model.safetensors"))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	p, err := evaluate.Predict(ctx, backend, m, pictures, j.study.Data.Classes, evaluate.Options{Workers: j.study.Workers})
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(kept{hash, *p}); err != nil {
		return nil, err
	}
	return p, atomicfile.WriteBytes(path, text.Bytes())
}
