// Package mpi lets processes that srun or mpirun started add up numbers.
//
// Programs that import it don't need MPI. They load a small library that does, which
// `make mpi` compiles for the MPI that is there: every MPI has its own binary interface, so
// a program that is linked with one can't run with another, or without. A separate process
// that speaks MPI would copy every gradient once more.
//
// The processes also hold connections to the first one, by which they notice within seconds
// that one has gone. MPI itself would wait for it forever, or end all of them at once,
// depending on who started them.
package mpi

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gaze/internal/environ"
)

// Env names the variable with the library's path.
const Env = "GAZE_MPI"

// libraryFile is the library's name, in the folder of the program.
const libraryFile = "libgaze-mpi.so"

// World is the processes that were started together. Its methods must not be called at the
// same time, and in the same order in every process.
type World struct {
	library *library
	rank    int
	size    int
	watch   *watch
}

// Open joins the processes that were started together. In a process that wasn't started by
// srun or mpirun, the world has only that one.
func Open() (*World, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	l, err := load(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w := &World{library: l}
	if w.rank, w.size, err = l.open(); err != nil {
		return nil, fmt.Errorf("starting MPI: %w", err)
	}
	if w.watch, err = w.newWatch(); err != nil {
		return nil, fmt.Errorf("process %d of %d: %w", w.rank, w.size, err)
	}
	return w, nil
}

// find finds the library: the one that the variable names, or the one beside the program.
func find() (string, error) {
	path, err := environ.Existing(Env)
	if path != "" || err != nil {
		return path, err
	}
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	path = filepath.Join(filepath.Dir(exe), libraryFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("there is no %s: 'make mpi' compiles it with the MPI of this machine, or name it with %s", path, Env)
	}
	return path, err
}

// Rank is the number of this process, from 0.
func (w *World) Rank() int { return w.rank }

// Size is the number of processes.
func (w *World) Size() int { return w.size }

// Sum replaces values by their sums over all processes, which have the same bits in each.
func (w *World) Sum(values []float32) error {
	return w.call(func() error { return w.library.sumFloats(values) })
}

// SumFloat64 is Sum for float64.
func (w *World) SumFloat64(values []float64) error {
	return w.call(func() error { return w.library.sumDoubles(values) })
}

// Close leaves, once all processes do. An error says that one of them went before.
func (w *World) Close() error {
	err := w.SumFloat64([]float64{0})
	w.watch.ignore() // from here on they may go
	if err == nil {
		err = w.library.close() // no process returns from it before all have called it
	}
	w.watch.end()
	return err
}

// grace is how long a call may go on after a process has gone that may have taken part in it.
const grace = time.Second

// call makes a call that waits for the other processes. If one of them goes meanwhile, the
// call never returns, so it is left behind: this process is of no further use to MPI.
func (w *World) call(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-w.watch.lost:
		select {
		case err := <-done: // it went after it had taken part
			return err
		case <-time.After(grace):
			return w.watch.why
		}
	}
}
