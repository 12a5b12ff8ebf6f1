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

// The names of the study's rows. What they are trained with is in laptopRows and
// reportRows.
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
	RealProbe  = "linear probe of a real ViT-S"
)

// LaptopModel is what the laptop's study fine-tunes, a checkpoint that comes with
// the program.
const LaptopModel = "pets-vit"

// What the laptop's set has of each: training pictures are posed, the others
// natural (see package pets).
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
// Where GAZE_PETS names a data set (see [data.OpenDataset]) and GAZE_VIT a checkpoint, a
// file, a folder, a run, or a name that 'gaze models' lists such as B_16_imagenet1k, it
// has the report's own settings. Of a data set without a validation split, a part of each
// class is held out, as 'gaze train' does, the same for all rows and seeds; Notes says
// so. Otherwise it is a profile for a
// laptop: synthetic pets and a small Vision Transformer; if one of the variables is set,
// Notes says why it isn't used. With GAZE_QUICK_STUDY on it has fewer seeds and drawn
// pictures, which Notes says, too. The runs are kept in the cache's folder.
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
	s.Parallel = runtime.GOMAXPROCS(0) + 1 // one more than processors: steps aren't parallel all through
	if s.Data, err = laptopData(ctx, cache, size); err != nil {
		return nil, err
	}
	start, err := hub.Resolve(LaptopModel)
	if err != nil {
		return nil, err
	}
	s.Rows = laptopRows(start)
	if real, ok := hub.Path("dinov2-small"); ok {
		s.Rows = append(s.Rows, study.Row{Name: RealProbe, Asks: "How far do the features of a model go that has seen photographs only?", Start: real,
			Pipeline: "resize(84,84,bicubic) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])", Settings: probing})
	}
	return s, nil
}

// unset is the reason when neither variable is set.
const unset = "unset"

// ownData is the data set that GAZE_PETS names, if the study can be about it and the
// model that GAZE_VIT names; otherwise why says what is missing. A GAZE_PETS that leads
// nowhere, or to a damaged data set, is an error.
func ownData() (set *data.Splits, why string, err error) {
	folder, err := environ.Existing(EnvPets)
	if err != nil {
		return nil, "", err
	}
	const instead = "this study is about drawn pets and the small model that comes with Gaze"
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
		return nil, fmt.Sprintf("%s: all pictures are of the class %s, so that there is nothing to tell apart, and %s", EnvPets, strings.Join(set.Classes, ""), instead), nil
	}
	return set, "", nil
}

// holdOut takes pictures to validate on from those to train on, as 'gaze train' with
// the study's first seed does: one part for all runs, which can then be compared.
func holdOut(s *study.Study) error {
	whole := s.Data.Train
	h := &train.HeldOut{Fraction: train.DefaultSettings().Valid, Seed: s.Seeds[0], Of: whole.Len()}
	rest, part, err := whole.Split(h.Seed, h.Fraction)
	if err != nil {
		return fmt.Errorf("there are no pictures to validate on, and none can be held out: %w", err)
	}
	h.Pictures = part.Len()
	splits := *s.Data
	splits.Train, splits.Validation = rest, part
	s.Data, s.HeldOut = &splits, h
	s.Notes = append(s.Notes, h.Text(rest, part, len(splits.Classes)))
	return nil
}

// ownStudy fills in the report's settings for the user's data and the checkpoint that
// GAZE_VIT names.
func ownStudy(ctx context.Context, s *study.Study, set *data.Splits) error {
	s.Data = set
	s.Folder, _ = environ.Existing(EnvPets) // it was opened by that
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

// laptopData is the synthetic set, drawn when it isn't in the cache yet.
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

// ReportAugmentation is the report's random steps on a picture of a size, in its
// order and strength.
const ReportAugmentation = "rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | perspective(0.2,p=0.5) | totensor | normalize(0.5,0.5)"

const probing = "lr=3e-3; epochs=30; batch=37; probe=true"

// laptopRows is the report's study at a laptop's size. Rates, sizes and the number of
// accumulated batches were chosen on a validation set drawn with another seed.
func laptopRows(start string) []study.Row {
	const (
		small = "resize(72,72) | totensor | normalize(0.5,0.5)"
		aug72 = "randomhflip | resize(72,72) | " + ReportAugmentation
		aug96 = "randomhflip | resize(96,96) | " + ReportAugmentation
		mild  = "randomhflip | resize(96,96) | rotation(15) | jitter(0.8:1.2,0.8:1.2,0.8:1.2) | totensor | normalize(0.5,0.5)"
	)
	return []study.Row{
		{Name: Crawls, Asks: "What does a rate do that is far too low?", Start: start, Pipeline: small, Settings: "lr=1e-5; epochs=6; batch=16"},
		{Name: Learns, Asks: "What does a rate do that suits?", Start: start, Pipeline: small, Settings: "lr=3e-4; epochs=6; batch=16"},
		{Name: Collapses, Asks: "What does a rate do that is ten times as high?", Start: start, Pipeline: small, Settings: "lr=3e-3; epochs=6; batch=16"},
		{Name: Augmented, Asks: "Does the report's augmentation make up for what posed pictures don't show?", Start: start, Pipeline: aug72, Settings: "lr=3e-4; epochs=6; batch=16"},
		{Name: Larger, Asks: "Do more pixels help?", Start: start, Pipeline: aug96, Settings: "lr=3e-4; epochs=6; batch=16"},
		{Name: Accumulate, Asks: "Do larger batches, gathered over several, help?", Start: start, Pipeline: aug96, Settings: "lr=3e-4; epochs=6; batch=16; accumulate=4"},
		{Name: Scaled, Asks: "And with a rate that grows as the batches do?", Start: start, Pipeline: aug96, Settings: "lr=1.2e-3; epochs=6; batch=16; accumulate=4"},
		{Name: Gentle, Asks: "What does a gentler augmentation give, with a warm-up and a rate that falls?", Start: start, Pipeline: mild, Settings: "lr=4e-4; epochs=8; batch=16; schedule=cosine; warmup=1"},
		{Name: Scratch, Asks: "What is the pretraining worth?", Start: "vit:dim=128,depth=6,heads=4,patch=12,size=72", Pipeline: small, Settings: "lr=3e-4; epochs=6; batch=16"},
		{Name: OwnProbe, Asks: "How much is in the features already?", Start: start, Pipeline: "resize(96,96) | totensor | normalize(0.5,0.5)", Settings: probing},
	}
}

// reportRows is the report's own settings.
func reportRows(start string, size [2]int) []study.Row {
	plain := fmt.Sprintf("resize(%d,%d) | totensor | normalize(0.5,0.5)", size[0], size[1])
	augmented := func(h, w int) string {
		return fmt.Sprintf("randomhflip | centercrop(%d,%d) | resize(%d,%d) | ", h, w, h, w) + ReportAugmentation
	}
	return []study.Row{
		{Name: Learns, Asks: "What does the report's rate do?", Start: start, Pipeline: plain, Settings: "lr=1e-6; epochs=5; batch=16"},
		{Name: Collapses, Asks: "What does a rate do that is too high?", Start: start, Pipeline: plain, Settings: "lr=1e-4; epochs=5; batch=16"},
		{Name: Augmented, Asks: "Does the augmentation help?", Start: start, Pipeline: augmented(size[0], size[1]), Settings: "lr=1e-6; epochs=5; batch=16"},
		{Name: Larger, Asks: "Does the report's size of 256 help?", Start: start, Pipeline: augmented(256, 256), Settings: "lr=1e-6; epochs=5; batch=16"},
		{Name: Accumulate, Asks: "Do gradients gathered over 15 batches help?", Start: start, Pipeline: augmented(256, 256), Settings: "lr=1e-6; epochs=5; batch=16; accumulate=15"},
	}
}
