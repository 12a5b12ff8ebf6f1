// Command league finds out which ways of making maps deserve belief: 'make league' runs it.
//
//	league -work FOLDER -o FILE [-data FOLDER] [-imgfocus MODEL] [-parts drawn,twin,pets37,imgfocus] [-quick]
//
// It trains the final setting of the study on drawn pets with three seeds, and a twin that knows
// pictures with removed cells; chooses each method's settings on validation pictures; makes the
// maps of every method on test pictures and has them judged. The parts pets37 and imgfocus
// look at photographs: -data is a folder as 'gaze pull oxford-pets' writes it.
//
// Everything is kept in the work folder: a run that was stopped goes on, and one that is done
// only writes the record again. The record is the same for any number of workers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"gaze/pkg/hub"
)

func main() {
	r := recipe{plan: full}
	flag.StringVar(&r.work, "work", "league/work", "folder for models, maps and scores; a run that was stopped goes on")
	flag.StringVar(&r.out, "o", "league/record.json", "file for the record")
	flag.StringVar(&r.data, "data", "", "photographs with index.csv, trimaps and outlines; without it, the parts of photographs are left out")
	flag.StringVar(&r.imgfocus, "imgfocus", hub.ImgFocusName, "the saliency model: a file, a folder or a name that 'gaze models' lists")
	flag.StringVar(&r.photos, "photos", "", "photographs with captions.json, for the part captions")
	flag.StringVar(&r.untaught, "untaught", "", "a captioner that 'make captioner TEACH=0' made, for the part captions")
	parts := flag.String("parts", "drawn,twin,pets37,imgfocus", "what to do; also captions, which compares maps of words and writes captions.json beside the record")
	quick := flag.Bool("quick", false, "a few pictures: shows that everything works and says little")
	workers := flag.Int("workers", 0, "goroutines; 0: one for each processor. The record doesn't depend on it")
	flag.IntVar(&r.plan.Localised, "pictures", full.Localised, "drawn test pictures for truth and localisation")
	flag.IntVar(&r.plan.Singles, "singles", full.Singles, "drawn test pictures for the removal of single cells and of random subsets")
	flag.IntVar(&r.plan.Curves, "curves", full.Curves, "drawn test pictures for curves of removal")
	flag.IntVar(&r.plan.Costly, "costly", full.Costly, "test pictures of which methods with more than 3 forward passes make maps")
	flag.IntVar(&r.plan.Sane, "sane", full.Sane, "test pictures for sanity")
	flag.IntVar(&r.plan.Validation, "validation", full.Validation, "drawn validation pictures on which settings are chosen")
	flag.IntVar(&r.plan.Resamples, "resamples", full.Resamples, "of the bootstrap")
	flag.Parse()
	if *quick {
		r.plan = small
	}
	r.workers = *workers
	r.parts = strings.Split(*parts, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := r.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "league:", err)
		os.Exit(1)
	}
}
