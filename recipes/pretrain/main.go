// Command pretrain trains the small Vision Transformer that ships with Gaze and that the
// classification notebook fine-tunes: 'make pretrain' runs it.
//
//	pretrain -work FOLDER -o FOLDER
//
// It is trained on sister breeds of the synthetic pets: 400 invented breeds that aren't
// among the data set's 37 but are composed of the same ears, muzzles, coats and so on. No
// picture is shown twice. The target of a picture is spread over its breed and the value
// of each of its eleven attributes, so that a picture teaches much more than its breed
// alone would. This pretraining is very close to the task, closer than ImageNet is to
// photographs of pets.
//
// Pictures are first 72 pixels wide, where a step is cheap, then 96. On 2 cores it takes
// most of an hour. A run that was stopped resumes where it was.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/gomlx/compute"

	"gaze/pkg/backend"
	"gaze/pkg/data/pets"
	"gaze/pkg/train"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

const (
	seed   = 2021
	breeds = 400 // sister breeds, numbered after the data set's own
	batch  = 32
	spec   = "vit:dim=128,depth=6,heads=4,patch=12,size=72"
)

// phase is a part of the training with one picture size.
type phase struct {
	size     int
	settings string
	epoch    int // batches in an epoch of Fit, which saves after each epoch
	first    int // number of the first picture of each breed
}

var phases = []phase{
	{72, "lr=1e-3; epochs=20; schedule=cosine; warmup=0.6; floor=1e-4; optimizer=adamw; weight_decay=0.05; no_decay=true; clip=1", 500, 0},
	{96, "lr=4e-4; epochs=4; schedule=cosine; warmup=0.1; optimizer=adamw; weight_decay=0.05; no_decay=true; clip=1; ema=0.998", 500, 100_000},
}

func main() {
	work := flag.String("work", "pretrain", "folder of the runs")
	out := flag.String("o", "", "folder to write model.safetensors and config.json to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *work, *out); err != nil {
		fmt.Fprintln(os.Stderr, "pretrain:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, work, out string) error {
	if out == "" {
		return errors.New("name the folder to write the model to: -o FOLDER")
	}
	device, err := backend.Default()
	if err != nil {
		return err
	}
	cfg, err := vit.ParseConfig(spec)
	if err != nil {
		return err
	}
	cfg.Classes = outputs()
	m, err := vit.New(cfg, seed)
	if err != nil {
		return err
	}
	for _, p := range phases {
		if m, err = m.ResizedTo(p.size, p.size); err != nil {
			return err
		}
		if m, err = p.train(ctx, device, m, filepath.Join(work, fmt.Sprint(p.size))); err != nil {
			return err
		}
		if err := test(device, m, p.size); err != nil {
			return err
		}
	}
	return ship(m, out)
}

// train runs or resumes a phase and returns the model.
func (p phase) train(ctx context.Context, device compute.Backend, m *vit.Model, dir string) (*vit.Model, error) {
	settings, err := train.ParseSettings(p.settings + fmt.Sprintf("; batch=%d; seed=%d", batch, seed))
	if err != nil {
		return nil, err
	}
	net, err := train.ViT(m, 0, 0)
	if err != nil {
		return nil, err
	}
	t, err := train.NewTrainer(device, net, settings.Options(p.epoch, m.Config.Depth))
	if err != nil {
		return nil, err
	}
	defer t.Close()
	old, err := train.ReadManifest(dir)
	if err != nil || old.Status != train.Done {
		s := &source{size: p.size, batches: p.epoch, first: p.first}
		fit := train.Fit{
			Dir: dir, Train: s, Epochs: settings.Epochs, Settings: settings.Map(), Resume: err == nil,
			Save: func(path string, list []*weights.Tensor) error {
				trained, err := m.WithParameters(list)
				if err != nil {
					return err
				}
				return trained.Save(path)
			},
			Progress: report,
		}
		if _, err := fit.Run(ctx, t); err != nil {
			return nil, err
		}
	}
	return vit.Load(filepath.Join(dir, "best", "model.safetensors"))
}

func report(p train.Progress) {
	if p.Forecast != "" {
		fmt.Fprintln(os.Stderr, p.Forecast)
	}
	if p.Done%100 == 0 {
		fmt.Fprintf(os.Stderr, "epoch %d/%d, batch %d/%d: loss %.4f; %.0f pictures/s, %.0f s left\n",
			p.Epoch, p.Epochs, p.Done, p.Batches, p.Train.Loss, p.PicturesPerSec, p.Remaining.Seconds())
	}
}

// ship writes the model without its head, with its weights rounded to float16.
func ship(m *vit.Model, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, "model.safetensors")
	size := m.Config.ImageSize[0]
	m = m.WithoutHead().WithPipeline(fmt.Sprintf("resize(%d,%d) | totensor | normalize(0.5,0.5)", size, size))
	if err := m.Save(path); err != nil {
		return err
	}
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	var list []*weights.Tensor
	for _, name := range f.Names() {
		t, _ := f.Tensor(name)
		half, err := t.Half()
		if err != nil {
			return err
		}
		list = append(list, half)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return weights.WriteSafetensors(path, list, map[string]string{"format": "pt"})
}

// outputs returns the number of outputs of the head: one for each breed, then one for each
// value of each attribute.
func outputs() int {
	n := breeds
	for _, size := range pets.AttributeSizes {
		n += size
	}
	return n
}

// known reports whether a sister breed has the same attributes as one of the data set's
// own breeds.
func known(b pets.BreedSpec) bool {
	for i := range pets.Classes {
		if slices.Equal(pets.Breed(i).Attributes(), b.Attributes()) {
			return true
		}
	}
	return false
}
