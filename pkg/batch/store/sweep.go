package store

import (
	"context"
	"time"

	"gaze/internal/atomicfile"
)

// Sweeper is a [Store] in which a killed process can leave temporary files: a folder.
type Sweeper interface {
	// Sweep removes the temporary files of a folder of the store that weren't changed for the
	// given time. "." is the store's own folder.
	Sweep(ctx context.Context, folder string, age time.Duration) error
}

// Sweep removes temporary files of killed processes.
func (l *local) Sweep(_ context.Context, folder string, age time.Duration) error {
	at, err := l.path(folder)
	if err != nil {
		return err
	}
	return atomicfile.SweepOlder(at, age)
}
