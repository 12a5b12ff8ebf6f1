// Command league-captions compares ways of making maps of the words of captions: the
// decoder's attention to the picture, rollout, Grad-CAM and relevance.
//
//	league-captions -record FILE [-untaught FILE] [-pets FOLDER] [-photos FOLDER]
//
// -untaught is a captioner that 'make captioner TEACH=0' made. -pets is a folder of
// photographs of pets with trimaps or outlines, -photos one with captions.json. A run that
// was stopped goes on with the rows that the record lacks.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"gaze/pkg/backend"
)

func main() {
	var o captionsOptions
	flag.StringVar(&o.record, "record", "captions.json", "file to write the record to")
	flag.StringVar(&o.untaught, "untaught", "", "captioner of drawn scenes that was trained without target maps")
	flag.StringVar(&o.pets, "pets", "", "folder of photographs of pets with trimaps or outlines")
	flag.StringVar(&o.photos, "photos", "", "folder of photographs with captions.json")
	flag.IntVar(&o.scenes, "scenes", 300, "number of drawn scenes, of held-out combinations")
	flag.IntVar(&o.most, "most", 200, "number of photographs of each kind, at most")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	device, err := backend.Default()
	if err == nil {
		_, err = captionsPart(ctx, device, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "league-captions:", err)
		os.Exit(1)
	}
}
