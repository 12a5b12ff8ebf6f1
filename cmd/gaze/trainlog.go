package main

import (
	"fmt"
	"io"
	"sync"

	"gaze/pkg/train"
)

// trainLog writes a run's progress and messages to standard error, under one mutex, so
// that messages don't break into the live line.
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

// say writes a message on its own line.
func (l *trainLog) say(text string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.reporter.Close()
	fmt.Fprintf(l.out, "gaze: %s\n", text)
}

// close erases the live line.
func (l *trainLog) close() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.reporter.Close()
}
