package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gomlx/compute"

	"gaze/internal/atomicfile"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/train"
	"gaze/pkg/weights"
)

// featureBatch is the number of pictures whose features are computed at a time.
const featureBatch = 32

// features are those of a set's pictures, prepared as for evaluation. They are kept in the
// study's folder under the model and name, which stands for the pictures.
func (j *job) features(ctx context.Context, backend compute.Backend, f *train.FineTune, pictures data.Set, name string) (*train.FeatureSet, error) {
	loader, err := data.NewLoader(pictures, data.LoaderOptions{Pipeline: f.EvalPipeline, Batch: featureBatch, Workers: j.study.Workers})
	if err != nil {
		return nil, err
	}
	folder, source, shape := filepath.Join(j.study.Dir, "features"), train.FromLoader(ctx, loader), loader.Shape()
	key := fmt.Sprintf("%s\n%s\n%s\n%v\n%d", backend.Description(), name, f.EvalPipeline, shape, featureBatch)
	if e := j.extractor(); e != nil {
		return train.ExtractFeatures(ctx, e, source, shape, folder, key)
	}
	m, err := j.open()
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if size := [2]int{shape[1], shape[2]}; size != m.Config.ImageSize {
		if m, err = m.ResizedTo(size[0], size[1]); err != nil {
			return nil, err
		}
	}
	return train.Features(ctx, backend, m, source, folder, key)
}

// trainAndValidation are the features of the pictures to train and to validate on.
func (j *job) trainAndValidation(ctx context.Context, backend compute.Backend, f *train.FineTune) (training, validation *train.FeatureSet, err error) {
	if training, err = j.features(ctx, backend, f, f.Train, f.Data+" train"); err != nil {
		return nil, nil, err
	}
	validation, err = j.features(ctx, backend, f, f.Validation, j.data+" validation")
	return training, validation, err
}

// tested are the features of a set that runs are tested on.
func (j *job) tested(ctx context.Context, backend compute.Backend, f *train.FineTune, set *data.Dataset, pictures data.Set) (*train.FeatureSet, error) {
	hash, err := set.Hash(ctx)
	if err != nil {
		return nil, err
	}
	return j.features(ctx, backend, f, pictures, hash+" test")
}

// trainHead trains a linear head on the features of a model that isn't a Vision Transformer.
func (j *job) trainHead(ctx context.Context, backend compute.Backend, f *train.FineTune, resume bool) (*train.Manifest, error) {
	training, validation, err := j.trainAndValidation(ctx, backend, f)
	if err != nil {
		return nil, err
	}
	network, err := train.LinearHead(training.Dim, len(f.Classes), f.Settings.Smoothing)
	if err != nil {
		return nil, err
	}
	source := training.Source(f.Settings.Batch, true, f.Settings.Seed)
	t, err := train.NewTrainer(backend, network, f.Settings.Options(source.Len(), 0))
	if err != nil {
		return nil, err
	}
	defer t.Close()
	settings := f.Settings.Map()
	delete(settings, "valid")
	settings["model"], settings["pipeline"] = f.Start, f.EvalPipeline.String()
	return train.Fit{
		Dir: f.Dir, Train: source, Validation: validation.Source(f.Settings.Batch, false, f.Settings.Seed), Epochs: f.Settings.Epochs,
		Settings: settings, Data: f.Data, Resume: resume, Progress: f.Progress,
	}.Run(ctx, t)
}

// headPredictions are the answers of a head that trainHead trained.
func (j *job) headPredictions(ctx context.Context, backend compute.Backend, f *train.FineTune, set *data.Dataset, pictures data.Set) (*evaluate.Predictions, error) {
	features, err := j.tested(ctx, backend, f, set, pictures)
	if err != nil {
		return nil, err
	}
	file, err := weights.Open(filepath.Join(f.Dir, "best", "model.safetensors"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	weight, bias, err := headOf(file, features.Dim, len(f.Classes))
	if err != nil {
		return nil, err
	}
	logits := make([]float32, 0, len(features.Labels)*len(bias))
	for start := 0; start < len(features.Values); start += features.Dim {
		row := features.Values[start : start+features.Dim]
		for c, b := range bias {
			sum := float64(b)
			for k, w := range weight[c*features.Dim : (c+1)*features.Dim] {
				sum += float64(float64(w) * float64(row[k]))
			}
			logits = append(logits, float32(sum))
		}
	}
	return j.answers(set, features.Labels, logits)
}

// headOf reads a head's weight, [classes, dim], and bias.
func headOf(file *weights.File, dim, classes int) (weight, bias []float32, err error) {
	for _, part := range []struct {
		name   string
		values *[]float32
		len    int
	}{{"head/weight", &weight, classes * dim}, {"head/bias", &bias, classes}} {
		t, ok := file.Tensor(part.name)
		if !ok || t.Len() != part.len {
			return nil, nil, fmt.Errorf("the head has no %s of %d values", part.name, part.len)
		}
		if *part.values, err = t.Float32s(); err != nil {
			return nil, nil, err
		}
	}
	return slices.Clone(weight), slices.Clone(bias), nil
}

// answers are predictions for a whole set.
func (j *job) answers(set *data.Dataset, labels []int, logits []float32) (*evaluate.Predictions, error) {
	p := &evaluate.Predictions{Classes: j.study.Data.Classes, Labels: labels, Logits: logits}
	if len(labels) != set.Len() {
		return nil, fmt.Errorf("there are features of %d pictures, of %d", len(labels), set.Len())
	}
	for i := range set.Len() {
		p.Names = append(p.Names, set.Name(i))
	}
	return p, nil
}

// nearestFile holds what was found by k-NN beside its answers.
const nearestFile = "nearest.json"

// nearestRun is what the file holds.
type nearestRun struct {
	K        int              `json:"k"`
	Training float64          `json:"seconds"`
	Best     train.Evaluation `json:"validation"`
}

// nearest classifies by k-NN, with k chosen on training pictures, unless that was done
// before.
func (j *job) nearest(ctx context.Context, backend compute.Backend, f *train.FineTune, run *Run) error {
	knn, err := train.ParseKNN(j.row.Settings)
	if err != nil {
		return err
	}
	path := filepath.Join(f.Dir, nearestFile)
	var found nearestRun
	if text, err := os.ReadFile(path); err != nil || json.Unmarshal(text, &found) != nil || found.K < 1 {
		if found, err = j.choose(ctx, backend, f, knn); err != nil {
			return err
		}
		text, err := json.Marshal(found)
		if err != nil {
			return err
		}
		if err := errors.Join(os.MkdirAll(f.Dir, 0o755), atomicfile.WriteBytes(path, append(text, '\n'))); err != nil {
			return err
		}
	}
	run.Neighbours, run.Seconds, run.Best, run.Last, run.Pictures = found.K, found.Training, found.Best, found.Best, f.Train.Len()
	return j.test(ctx, f, run, func(set *data.Dataset, pictures data.Set) (*evaluate.Predictions, error) {
		training, _, err := j.trainAndValidation(ctx, backend, f)
		if err != nil {
			return nil, err
		}
		features, err := j.tested(ctx, backend, f, set, pictures)
		if err != nil {
			return nil, err
		}
		logits, err := knn.Logits(ctx, training, features, len(f.Classes), found.K)
		if err != nil {
			return nil, err
		}
		return j.answers(set, features.Labels, logits)
	})
}

// choose chooses k and validates it.
func (j *job) choose(ctx context.Context, backend compute.Backend, f *train.FineTune, knn train.KNN) (found nearestRun, err error) {
	began, classes := time.Now(), len(f.Classes)
	training, validation, err := j.trainAndValidation(ctx, backend, f)
	if err != nil {
		return found, err
	}
	if found.K, err = knn.Choose(ctx, training, classes); err != nil {
		return found, err
	}
	logits, err := knn.Logits(ctx, training, validation, classes, found.K)
	if err != nil {
		return found, err
	}
	p, err := j.answers(j.study.Data.Validation, validation.Labels, logits)
	if err != nil {
		return found, err
	}
	answers, err := p.Answers()
	if err != nil {
		return found, err
	}
	for i, a := range answers {
		found.Best.Loss += a.Loss / float64(len(answers))
		if found.Best.Total++; a.Predicted == p.Labels[i] {
			found.Best.Correct++
		}
	}
	found.Best.Accuracy = float64(found.Best.Correct) / float64(found.Best.Total)
	found.Training = time.Since(began).Seconds()
	return found, nil
}
