// Command reproduce trains the classification notebook's final result again, from the
// repository alone. It checks that the accuracy is exactly the same and classifies the
// test pictures: 'make reproduce' runs it.
//
//	reproduce -o FOLDER
//
// FOLDER/run is the run, and FOLDER/pred.csv has the predictions of 'gaze classify' for
// the test pictures. The accuracy is compared with that of the study, which is trained
// first if the notebook hasn't done so. On the same backend and kind of processor the
// two are the same; on others, sums are rounded in a different order.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/study"
)

func main() {
	out := flag.String("o", "reproduced", "new folder")
	gaze := flag.String("gaze", "bin/gaze", "the gaze program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *out, *gaze); err != nil {
		fmt.Fprintln(os.Stderr, "reproduce:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, gaze string) error {
	if _, err := os.Stat(out); err == nil {
		return fmt.Errorf("%s already exists: remove it or choose another folder (-o)", out)
	}
	device, err := backend.Default()
	if err != nil {
		return err
	}
	s, err := report.Classification(ctx)
	if err != nil {
		return err
	}
	if s.Data.Test == nil {
		return errors.New("the data set has no test pictures")
	}
	s.Progress = func(p study.Progress) {
		if p.EpochDone() {
			fmt.Fprintf(os.Stderr, "run %d of %d, %s, seed %d: %s\n", p.Run, p.Runs, p.Row.Name, p.Seed, p.Progress)
		}
	}
	result, err := s.Run(ctx, device)
	if err != nil {
		return err
	}
	want := result.Final()
	fmt.Println("the study's:", want)
	got, err := s.Again(ctx, device, want, out)
	if err != nil {
		return err
	}
	fmt.Println("again:      ", got)
	if err := os.Rename(got.Run.Dir, filepath.Join(out, "run")); err != nil {
		return err
	}
	if err := classify(ctx, gaze, out, s.Data.Test.Root); err != nil {
		return err
	}
	if got.Run.Test.Correct != want.Run.Test.Correct {
		return fmt.Errorf("the accuracy differs: %d pictures correct instead of %d", got.Run.Test.Correct, want.Run.Test.Correct)
	}
	fmt.Println("exactly the same accuracy; wrote", filepath.Join(out, "pred.csv"))
	return nil
}

// classify runs 'gaze classify', as a user would.
func classify(ctx context.Context, gaze, out, pictures string) error {
	args := []string{"classify", "--numbers", "--model", filepath.Join(out, "run"), "-o", filepath.Join(out, "pred.csv"), pictures}
	fmt.Println(gaze, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, gaze, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
