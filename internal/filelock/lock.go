// Package filelock keeps two processes from writing the same folder at once.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	lockPoll  = 100 * time.Millisecond
	lockTouch = 20 * time.Second // how often the holder of a named lock shows that it lives
	lockStale = 2 * time.Minute  // a named lock untouched for so long was left by a dead process
)

// Lock waits until no other process has the lock file at path, then takes it;
// waiting is called once if there is something to wait for. The folder is made
// if need be.
func Lock(ctx context.Context, path string, waiting func()) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		release, ok, err := Try(path)
		if err != nil {
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		if ok {
			return release, nil
		}
		if first && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// lockByName locks by the existence of a file, for systems without file locks.
// The holder touches the file while it lives, so that a lock left behind by a
// killed process is recognised.
func lockByName(path string) (release func(), ok bool, err error) {
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > lockStale {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, false, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if err := f.Close(); err != nil {
		return nil, false, err
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case now := <-time.After(lockTouch):
				_ = os.Chtimes(path, now, now) // at worst the lock looks stale
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		_ = os.Remove(path) // at worst the next process waits until it is stale
	}, true, nil
}
