package report

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"gaze/internal/environ"
	"gaze/pkg/data"
	"gaze/pkg/data/pets"
	"gaze/pkg/hub"
	"gaze/pkg/study"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

// The names of the study's rows. Their settings are in laptopRows and reportRows.
const (
	Crawls     = "rate too low"
	Learns     = "a good rate"
	Collapses  = "rate too high"
	Augmented  = "+ augmentation"
	Larger     = "+ larger pictures"
	Accumulate = "+ accumulation"
	Scaled     = "+ accumulation, rate x4"
	Gentle     = "gentle augmentation"
	Scratch    = "from scratch"
	OwnProbe   = "linear probe"
	RealProbe  = "linear probe of " + hub.ImgFocusName
)

// LaptopModel is the checkpoint that the laptop study fine-tunes. It is shipped with the
// program.
const LaptopModel = "pets-vit"

// Picture size, numbers of pictures and seed of the laptop study's data set. Training
// pictures are posed, the others natural (see package pets).
const (
	laptopSize = 96
	laptopSeed = 1
)

// scale is how large a study is: the pictures of each breed in the laptop's set, and the
// seeds of each row.
type scale struct {
	train, val, test int
	seeds            []uint64
}

var (
	fullScale = scale{10, 10, 30, []uint64{1, 2, 3}}
	// quickScale trains for about a minute and a half on two cores, and still has what
	// every cell of the notebook needs, such as differences with an interval.
	quickScale = scale{3, 3, 5, []uint64{1, 2}}
)

// Classification is the study of the report's problem 1.
//
// If GAZE_PETS names a data set (see [data.OpenDataset]) and GAZE_VIT a checkpoint (a
// file, a folder, a run, or a name listed by 'gaze models' such as B_16_imagenet1k), it
// uses the report's own settings. If the data set has no validation split, a part of
// each class is held out, as in 'gaze train', the same for all rows and seeds, and Notes
// says so. Otherwise it is a small study for a laptop, with synthetic pets and a small
// Vision Transformer; if one of the variables is set, Notes says why it isn't used. With
// GAZE_QUICK_STUDY on it has fewer seeds and drawn pictures, and Notes says so. The runs
// are stored in the cache folder.
func Classification(ctx context.Context) (*study.Study, error) {
	cache, err := hub.CacheDir()
	if err != nil {
		return nil, err
	}
	quick, err := environ.Switch(EnvQuick, false)
	if err != nil {
		return nil, err
	}
	size := fullScale
	if quick {
		size = quickScale
	}
	s := &study.Study{Seeds: size.seeds, Dir: filepath.Join(cache, "study")}
	if quick {
		s.Notes = append(s.Notes, fmt.Sprintf("%s is on: a small study, which shows that everything works and says little about accuracy", EnvQuick))
	}
	switch own, why, err := ownData(); {
	case err != nil:
		return nil, err
	case why == "":
		return s, ownStudy(ctx, s, own)
	case why != unset:
		s.Notes = append(s.Notes, why)
	}
	s.Parallel = runtime.GOMAXPROCS(0) + 1 // one more than processors, because steps have serial parts
	if s.Data, err = laptopData(ctx, cache, size); err != nil {
		return nil, err
	}
	start, err := hub.Resolve(LaptopModel)
	if err != nil {
		return nil, err
	}
	s.Rows = laptopRows(start)
	if real, ok := hub.Path(hub.ImgFocusName); ok {
		s.Rows = append(s.Rows, study.Row{Name: RealProbe, Asks: "How good are the features of a ViT-S/14 trained on photographs and fine-tuned for saliency?", Start: real,
			Pipeline: "resize(84,84,bicubic) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])", Settings: probing})
	}
	return s, nil
}

// unset is the reason when neither variable is set.
const unset = "unset"

// ownData returns the data set named by GAZE_PETS if the study can use it with the model
// named by GAZE_VIT; otherwise why gives the reason. If GAZE_PETS names nothing that
// exists, or a damaged data set, that is an error.
func ownData() (set *data.Splits, why string, err error) {
	folder, err := environ.Existing(EnvPets)
	if err != nil {
		return nil, "", err
	}
	const instead = "this study uses drawn pets and the small model shipped with Gaze"
	vit := environ.Get(EnvVIT) != ""
	switch {
	case folder == "" && !vit:
		return nil, unset, nil
	case folder == "":
		return nil, fmt.Sprintf("%s is set without %s, so %s", EnvVIT, EnvPets, instead), nil
	}
	set, err = data.OpenDataset(folder)
	if err != nil {
		if photos, listed := data.List([]string{folder}); listed == nil && !slices.Equal(photos, []string{folder}) { // not a file
			return nil, fmt.Sprintf("%s names %d photographs without classes, so %s (%v)", EnvPets, len(photos), instead, err), nil
		}
		return nil, "", environ.Wrong(EnvPets, environ.Get(EnvPets), err.Error())
	}
	switch {
	case !vit:
		return nil, fmt.Sprintf("%s is set without %s, so %s", EnvPets, EnvVIT, instead), nil
	case set.Train == nil:
		return nil, fmt.Sprintf("%s has no pictures to train on (a folder train), so %s", EnvPets, instead), nil
	case len(set.Classes) < 2:
		return nil, fmt.Sprintf("%s: all pictures are of the class %s, but a classifier needs two classes, so %s", EnvPets, strings.Join(set.Classes, ""), instead), nil
	}
	return set, "", nil
}

// holdOut takes validation pictures from the training pictures, as 'gaze train' does
// with the study's first seed. All runs share them, so that they can be compared.
func holdOut(s *study.Study) error {
	whole := s.Data.Train
	h := &train.HeldOut{Fraction: train.DefaultSettings().Valid, Seed: s.Seeds[0], Of: whole.Len()}
	rest, part, err := whole.Split(h.Seed, h.Fraction)
	if err != nil {
		return fmt.Errorf("there are no validation pictures, and none can be held out: %w", err)
	}
	h.Pictures = part.Len()
	splits := *s.Data
	splits.Train, splits.Validation = rest, part
	s.Data, s.HeldOut = &splits, h
	s.Notes = append(s.Notes, h.Text(rest, part, len(splits.Classes)))
	return nil
}

// ownStudy fills in the report's settings for the user's data and the checkpoint named
// by GAZE_VIT.
func ownStudy(ctx context.Context, s *study.Study, set *data.Splits) error {
	s.Data = set
	s.Folder, _ = environ.Existing(EnvPets) // ownData has opened it, so there is no error
	s.Notes = append(s.Notes, set.Notes...)
	if set.Validation == nil {
		if whole, ok := data.SetOf(s.Folder); ok {
			s.Notes = append(s.Notes, fmt.Sprintf("%s is a split of %s: name that instead to use its other splits", s.Folder, whole))
		}
		if err := holdOut(s); err != nil {
			return environ.Wrong(EnvPets, environ.Get(EnvPets), err.Error())
		}
	}
	start, err := FindCheckpoint(ctx, EnvVIT, "", hub.Options{Log: func(text string) { fmt.Fprintln(os.Stderr, text) }})
	if err != nil {
		return err
	}
	m, err := vit.Load(start.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", EnvVIT, err)
	}
	defer m.Close()
	s.Rows = reportRows(start.Path, m.Config.ImageSize)
	return nil
}

// laptopData opens the synthetic set, and first draws it if it isn't in the cache.
func laptopData(ctx context.Context, cache string, size scale) (*data.Splits, error) {
	train, val, test := size.train*pets.Classes, size.val*pets.Classes, size.test*pets.Classes
	dir := filepath.Join(cache, "pets", fmt.Sprintf("seed%d-%d-%d-%d-%d", laptopSeed, laptopSize, train, val, test))
	if _, err := os.Stat(dir); err != nil {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return nil, err
		}
		set := pets.Pets(laptopSeed, laptopSize, train, val, test)
		if err := pets.Write(ctx, dir, set, pets.WriteOptions{Format: "jpg"}); err != nil {
			return nil, err
		}
	}
	return data.OpenDataset(dir)
}

// ReportAugmentation is the report's random steps after resizing, in its order and
// strength, followed by the conversion to a tensor.
const ReportAugmentation = "rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | perspective(0.2,p=0.5) | totensor | normalize(0.5,0.5)"

const probing = "lr=3e-3; epochs=30; batch=37; probe=true"

// laptopRows is the report's study scaled down to a laptop. Rates, sizes and the number
// of accumulated batches were chosen on a validation set drawn with another seed.
func laptopRows(start string) []study.Row {
	const (
		small = "resize(72,72) | totensor | normalize(0.5,0.5)"
		aug72 = "randomhflip | resize(72,72) | " + ReportAugmentation
		aug96 = "randomhflip | resize(96,96) | " + ReportAugmentation
		mild  = "randomhflip | resize(96,96) | rotation(15) | jitter(0.8:1.2,0.8:1.2,0.8:1.2) | totensor | normalize(0.5,0.5)"
	)
	return []study.Row{
		{Name: Crawls, Asks: "What is the effect of a rate that is far too low?", Start: start, Pipeline: small, Settings: "lr=1e-5; epochs=6; batch=16"},
		{Name: Learns, Asks: "What is the effect of a suitable rate?", Start: start, Pipeline: small, Settings: "lr=3e-4; epochs=6; batch=16"},
		{Name: Collapses, Asks: "What is the effect of a rate ten times as high?", Start: start, Pipeline: small, Settings: "lr=3e-3; epochs=6; batch=16"},
		{Name: Augmented, Asks: "Does the report's augmentation compensate for posed training pictures?", Start: start, Pipeline: aug72, Settings: "lr=3e-4; epochs=6; batch=16"},
		{Name: Larger, Asks: "Do more pixels help?", Start: start, Pipeline: aug96, Settings: "lr=3e-4; epochs=6; batch=16"},
		{Name: Accumulate, Asks: "Do larger batches, by gradient accumulation, help?", Start: start, Pipeline: aug96, Settings: "lr=3e-4; epochs=6; batch=16; accumulate=4"},
		{Name: Scaled, Asks: "And with a rate scaled with the batch size?", Start: start, Pipeline: aug96, Settings: "lr=1.2e-3; epochs=6; batch=16; accumulate=4"},
		{Name: Gentle, Asks: "How good is a gentler augmentation, with a warm-up and a decaying rate?", Start: start, Pipeline: mild, Settings: "lr=4e-4; epochs=8; batch=16; schedule=cosine; warmup=1"},
		{Name: Scratch, Asks: "What is the pretraining worth?", Start: "vit:dim=128,depth=6,heads=4,patch=12,size=72", Pipeline: small, Settings: "lr=3e-4; epochs=6; batch=16"},
		{Name: OwnProbe, Asks: "How good are the pretrained features?", Start: start, Pipeline: "resize(96,96) | totensor | normalize(0.5,0.5)", Settings: probing},
	}
}

// reportRows is the report's own settings.
func reportRows(start string, size [2]int) []study.Row {
	plain := fmt.Sprintf("resize(%d,%d) | totensor | normalize(0.5,0.5)", size[0], size[1])
	augmented := func(h, w int) string {
		return fmt.Sprintf("randomhflip | centercrop(%d,%d) | resize(%d,%d) | ", h, w, h, w) + ReportAugmentation
	}
	return []study.Row{
		{Name: Learns, Asks: "What is the effect of the report's rate?", Start: start, Pipeline: plain, Settings: "lr=1e-6; epochs=5; batch=16"},
		{Name: Collapses, Asks: "What is the effect of a rate that is too high?", Start: start, Pipeline: plain, Settings: "lr=1e-4; epochs=5; batch=16"},
		{Name: Augmented, Asks: "Does the augmentation help?", Start: start, Pipeline: augmented(size[0], size[1]), Settings: "lr=1e-6; epochs=5; batch=16"},
		{Name: Larger, Asks: "Does the report's size of 256 help?", Start: start, Pipeline: augmented(256, 256), Settings: "lr=1e-6; epochs=5; batch=16"},
		{Name: Accumulate, Asks: "Do gradients accumulated over 15 batches help?", Start: start, Pipeline: augmented(256, 256), Settings: "lr=1e-6; epochs=5; batch=16; accumulate=15"},
	}
}
