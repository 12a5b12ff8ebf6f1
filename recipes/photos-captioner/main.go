// Command photos-captioner trains the captioner of photographs that ships with Gaze: 'make
// photos-captioner DATA=FOLDER' runs it.
//
//	photos-captioner -data FOLDER -work FOLDER -o FOLDER [-seeds 1,2,3] [-licences free]
//
// The folder has photographs and captions.json as [data.OpenCaptions] takes them, with the
// splits train and val, and may have more_captions.txt, sentences without pictures, one a
// line. Features of a frozen EfficientNet-Lite2 are computed once and kept in -work. Each
// seed then learns sentences first (with what the features of their pictures might have
// been), and then the photographs. A run that was stopped resumes where it was. The first
// seed's captioner, its record and its model card are written to -o: choosing the seed that
// is best on val would flatter it.
//
// -licences free leaves out photographs that may not be used commercially, to see what that
// costs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gomlx/compute"

	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/train"
	"gaze/pkg/weights"
)

const (
	backboneName = "efficientnet-lite2"
	side         = 272 // of a picture, in pixels: with it, cells lie exactly below the pixels that they see

	textSettings  = "lr=1.5e-3; schedule=cosine; floor=3e-5; warmup=0.3; optimizer=adamw; weight_decay=0.05; no_decay=true; clip=1; ema=0.99"
	photoSettings = "lr=1.2e-3; schedule=cosine; floor=3e-5; warmup=0.5; optimizer=adamw; weight_decay=0.05; no_decay=true; clip=1; ema=0.99"
	textBatch     = 64 // sentences
	photoBatch    = 16 // photographs
	each          = 3  // captions of each
)

// dropped is what training drops and smooths.
var dropped = caption.Training{Dropout: 0.1, Input: 0.1, Smoothing: 0.1}

// recommended is how the captioner is asked.
var recommended = caption.Search{Beam: 10, LengthPenalty: 1, Neighbours: 40}

// options are the flags.
type options struct {
	data, work, out, licences, pets string
	seeds                           []uint64
	textEpochs, photoEpochs         int
}

func main() {
	var o options
	var seeds string
	flag.StringVar(&o.data, "data", "", "folder with captions.json and the photographs")
	flag.StringVar(&o.work, "work", "photos-captioner", "folder of the features and the runs")
	flag.StringVar(&o.out, "o", "", "folder to write the captioner, its record and its card to")
	flag.StringVar(&seeds, "seeds", "1,2,3", "seeds to train with")
	flag.StringVar(&o.licences, "licences", "all", "photographs to learn from: all, or free (none that forbids commercial use)")
	flag.StringVar(&o.pets, "pets", "", "folder of pets with trimaps or outlines, as 'gaze pull oxford-pets' writes it, to test where the captioner looks")
	flag.IntVar(&o.textEpochs, "text-epochs", 1, "epochs over the sentences")
	flag.IntVar(&o.photoEpochs, "photo-epochs", 5, "epochs over the photographs")
	flag.IntVar(&recommended.Beam, "beam", recommended.Beam, "width of the beam search that the captioner recommends")
	flag.IntVar(&recommended.Neighbours, "neighbours", recommended.Neighbours, "photographs whose captions choose among those of the beam")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := o.check(seeds)
	if err == nil {
		err = o.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "photos-captioner:", err)
		os.Exit(1)
	}
}

func (o *options) check(seeds string) error {
	for _, s := range strings.Split(seeds, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
		if err != nil {
			return fmt.Errorf("-seeds %s: seeds are whole numbers with commas between them", seeds)
		}
		o.seeds = append(o.seeds, n)
	}
	switch {
	case o.data == "" || o.out == "":
		return errors.New("name the folder of the photographs (-data FOLDER) and the one to write to (-o FOLDER)")
	case o.licences != "all" && o.licences != "free":
		return fmt.Errorf("-licences %s: it is all or free", o.licences)
	case o.textEpochs < 1 || o.photoEpochs < 1:
		return errors.New("at least one epoch over the sentences and one over the photographs are needed")
	}
	return nil
}

func (o options) run(ctx context.Context) error {
	device, err := backend.Default()
	if err != nil {
		return err
	}
	began := time.Now()
	l, err := o.load(ctx, device)
	if err != nil {
		return err
	}
	defer l.net.Close()
	fmt.Fprintf(os.Stderr, "features and fits took %s\n", time.Since(began).Round(time.Second))
	r := newRecord(o, l)
	if err := r.baselines(l); err != nil {
		return err
	}
	for i, seed := range o.seeds {
		m, seconds, err := o.train(ctx, device, l, seed)
		if err != nil {
			return err
		}
		path := filepath.Join(o.work, fmt.Sprintf("captioner-%s-%d.safetensors", o.licences, seed))
		if i == 0 {
			path = filepath.Join(o.out, "captioner.safetensors")
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), m.Save(path, true)); err != nil {
			return err
		}
		if err := r.seed(ctx, device, l, path, seed, seconds); err != nil {
			return err
		}
		if i == 0 && o.pets != "" {
			if r.Pets, err = judgePets(ctx, device, path, o.pets, 200); err != nil {
				return err
			}
		}
		if err := r.write(o.out); err != nil {
			return err
		}
	}
	return nil
}

// train trains a captioner with a seed, or resumes the training, and gives it the
// photographs to remember.
func (o options) train(ctx context.Context, device compute.Backend, l *loaded, seed uint64) (m *caption.Model, seconds float64, err error) {
	photos, trained, err := photoConfig(l.net, side, l.vocab.Len(), len(l.gist.concepts))
	if err != nil {
		return nil, 0, err
	}
	if m, err = caption.New(trained, seed); err != nil {
		return nil, 0, err
	}
	m.Vocab = l.vocab
	net, err := train.CaptionerOnText(m, dropped)
	if err != nil {
		return nil, 0, err
	}
	at := func(stage string) string {
		return filepath.Join(o.work, fmt.Sprintf("%s-%d-%s", o.licences, seed, stage))
	}
	text := stage{device: device, dir: at("sentences"), settings: textSettings, epochs: o.textEpochs, seed: seed, batch: textBatch, source: l.textSource(seed), rules: []train.Rule{train.FreezeCells()}}
	m, first, err := text.run(ctx, m, net)
	if err != nil {
		return nil, 0, err
	}
	if net, err = train.CaptionerOnFeatures(m, dropped); err != nil {
		return nil, 0, err
	}
	pictures := stage{device: device, dir: at("photographs"), settings: photoSettings, epochs: o.photoEpochs, seed: seed, batch: photoBatch, source: l.photoSource(seed)}
	m, second, err := pictures.run(ctx, m, net)
	if err != nil {
		return nil, 0, err
	}
	photos.Search = &recommended
	search := photos.Search
	photos.Search = nil // which needs the neighbours
	if m, err = fold(m, photos, l.scale, l.gist); err != nil {
		return nil, 0, err
	}
	if m, err = remember(m, l.gist, l.pooled, l.remembered); err != nil {
		return nil, 0, err
	}
	m.Config.Search = search
	return m, first + second, nil
}

// stage is one of the two trainings.
type stage struct {
	device   compute.Backend
	dir      string
	settings string
	epochs   int
	seed     uint64
	batch    int
	source   train.Source
	rules    []train.Rule
}

// run trains the model, or resumes the training, and returns the model with the averaged
// weights and the seconds that it took.
func (s stage) run(ctx context.Context, m *caption.Model, net *train.Network) (*caption.Model, float64, error) {
	settings, err := train.ParseSettings(fmt.Sprintf("%s; epochs=%d; batch=%d; seed=%d", s.settings, s.epochs, s.batch, s.seed))
	if err != nil {
		return nil, 0, err
	}
	manifest, err := train.ReadManifest(s.dir)
	if resume := err == nil; err != nil || manifest.Status != train.Done {
		if manifest, err = s.fit(ctx, m, net, settings, resume); err != nil {
			return nil, 0, err
		}
	}
	file, err := weights.Open(filepath.Join(s.dir, "best", "model.safetensors"))
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	var list []*weights.Tensor
	for _, name := range file.Names() {
		t, _ := file.Tensor(name)
		values, err := t.Float32s()
		if err != nil {
			return nil, 0, err
		}
		list = append(list, weights.NewTensor(name, t.Shape, append([]float32(nil), values...)))
	}
	out, err := m.WithParameters(list)
	return out, manifest.Seconds, err
}

func (s stage) fit(ctx context.Context, m *caption.Model, net *train.Network, settings train.Settings, resume bool) (*train.Manifest, error) {
	options := settings.Options(s.source.Len(), 0)
	options.Rules = append(options.Rules, s.rules...)
	t, err := train.NewTrainer(s.device, net, options)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	decided := settings.Map()
	decided["dropout"] = fmt.Sprintf("%+v", dropped)
	fmt.Fprintf(os.Stderr, "%s: %d epochs of %d batches\n", s.dir, s.epochs, s.source.Len())
	fit := train.Fit{Dir: s.dir, Train: s.source, Epochs: s.epochs, Settings: decided, Resume: resume, CheckpointEvery: 100, Progress: report}
	return fit.Run(ctx, t)
}

func report(p train.Progress) {
	if p.Done%20 == 0 && !p.EpochDone() {
		fmt.Fprintf(os.Stderr, "epoch %d/%d, batch %d/%d: loss %.3f, pieces right %.1f %%; %.0f s so far, %.0f left\n",
			p.Epoch, p.Epochs, p.Done, p.Batches, p.Loss, 100*float64(p.Correct)/float64(max(p.Answers, 1)), p.Seconds, p.Remaining.Seconds())
	}
}
