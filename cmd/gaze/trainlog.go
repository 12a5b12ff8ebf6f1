package main

import (
	"fmt"
	"io"
	"sync"

	"gaze/pkg/train"
)

// trainLog writes how a run goes, and what should be known of it, to standard
// error: one at a time, so that messages don't run into the live line.
type trainLog struct {
	mutex    sync.Mutex
	out      io.Writer
	reporter *train.Reporter
}

func newTrainLog(out io.Writer) *trainLog {
	return &trainLog{out: out, reporter: train.NewReporter(out)}
}

func (l *trainLog) progress(p train.Progress) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.reporter.Report(p)
}

// say writes a line of its own.
func (l *trainLog) say(text string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.reporter.Close()
	fmt.Fprintf(l.out, "gaze: %s\n", text)
}

// close takes the live line away.
func (l *trainLog) close() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.reporter.Close()
}
