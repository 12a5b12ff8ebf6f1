// Command pets37 trains what knows the 37 breeds of the Oxford-IIIT Pet set and ships with
// Gaze: 'make pets37 DATA=FOLDER' runs it.
//
//	pets37 -data FOLDER -work FOLDER -o FOLDER [-others FOLDER] [-seed N]
//
// FOLDER is a data set with the splits train and val, named as in the report
// ({class}_{id}.jpg). Two models come out:
//
//   - pets37-vit, a hybrid Vision Transformer (section 3.1 of the paper): its patches are
//     the cells of EfficientNet-Lite0's feature map, with ImageNet's weights, and two
//     blocks over them are trained on the pets. The network under it stays as it is, so
//     its maps are computed once, of several random crops of each picture, and training
//     takes minutes.
//   - the head of pets37: a linear layer over EfficientNet-Lite2's features. 'gaze
//     classify' combines both.
//
// Everything is kept in the work folder: a run that was stopped goes on where it was, to
// the same bits. Choices were made on val, which is what the record's figures are of.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/gomlx/compute"

	timing "gaze/internal/meter"
	"gaze/pkg/backend"
	"gaze/pkg/convnet"
	"gaze/pkg/data"
	"gaze/pkg/hub"
)

// options are the flags.
type options struct {
	data, work, out, others string
	seed                    uint64
	epochs, views, seeds    int
	study                   bool
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "", "the data set: a folder with train and val")
	flag.StringVar(&o.others, "others", "", "a folder of captioned photographs (captions.json, photos): which of them look like no pet")
	flag.StringVar(&o.work, "work", "pets37", "folder for features and runs")
	flag.StringVar(&o.out, "o", "", "folder to write the models and the record to")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the weights, the crops and the order of pictures")
	flag.IntVar(&o.epochs, "epochs", 16, "epochs of the hybrid's blocks")
	flag.IntVar(&o.views, "views", 3, "random crops of each training picture")
	flag.IntVar(&o.seeds, "seeds", 1, "of -study: number of seeds, from -seed on")
	flag.BoolVar(&o.study, "study", false, "repeat the report's study with the hybrid instead, and write its record")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "pets37:", err)
		os.Exit(1)
	}
}

// recipe is what its steps share.
type recipe struct {
	options
	device compute.Backend
	set    *data.Splits
	hash   string // of the pictures
	record record
}

func run(ctx context.Context, o options) error {
	if o.data == "" || o.out == "" {
		return errors.New("name the data set and the folder to write to: -data FOLDER -o FOLDER")
	}
	set, err := data.OpenDataset(o.data)
	if err != nil {
		return err
	}
	if set.Train == nil || set.Validation == nil {
		return fmt.Errorf("%s: the folders train and val are needed", o.data)
	}
	device, err := backend.Default()
	if err != nil {
		return err
	}
	r := &recipe{options: o, device: device, set: set}
	if r.hash, err = set.Train.Hash(ctx); err != nil {
		return err
	}
	r.record = newRecord(r)
	if err := os.MkdirAll(filepath.Join(o.out, "pets37"), 0o755); err != nil {
		return err
	}
	if o.study {
		return r.studyReport(ctx)
	}
	hybrid, err := r.hybrid(ctx)
	if err != nil {
		return err
	}
	head, err := r.head(ctx)
	if err != nil {
		return err
	}
	if err := r.together(hybrid, head); err != nil {
		return err
	}
	return r.record.write(filepath.Join(o.out, "pets37", "record.json"))
}

// network opens an EfficientNet-Lite, and fetches it first if need be.
func network(ctx context.Context, name string) (*convnet.Model, error) {
	got, err := hub.Pull(ctx, name, hub.Options{Log: say})
	if err != nil {
		return nil, err
	}
	return convnet.Load(got.Path)
}

func say(text string) { fmt.Fprintln(os.Stderr, text) }

// meter tells how far a long step is.
type meter struct {
	log  *timing.Log
	done int
}

func newMeter(what string, all int) *meter {
	return &meter{log: timing.NewLog(os.Stderr, all, "pictures, "+what)}
}

func (m *meter) add(n int) {
	m.done += n
	m.log.Done(m.done)
}
