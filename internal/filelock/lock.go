// Package filelock keeps two processes from writing the same folder at once. It locks a
// file with the operating system, so a lock ends with its process. It protects only against
// processes that also use it.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	lockPoll  = 100 * time.Millisecond
	lockTouch = 20 * time.Second // how often the holder of a named lock touches its file
	lockStale = 2 * time.Minute  // a named lock that wasn't touched for this long is a dead process's
)

// Lock waits until no other process holds the lock file at path, then takes it. It
// makes the folder if there is none, and calls waiting once if it has to wait.
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

// Try takes the lock file at path; ok is false if another process holds it. The system
// releases it when the process ends, however it ends. On a file system that can't
// lock, the existence of a file stands for the lock.
func Try(path string) (release func(), ok bool, err error) {
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o644))
	ok, err = lock.TryLock()
	if err == nil && ok {
		return func() { _ = lock.Close() }, true, nil // the process's end releases it at the latest
	}
	if notOpened := new(fs.PathError); errors.As(err, &notOpened) && !errors.Is(err, errors.ErrUnsupported) {
		return nil, false, err
	}
	if err != nil {
		return lockByName(path + ".held")
	}
	return nil, false, nil
}

// lockByName locks by the existence of a file, where the system has no file locks.
// The holder touches the file while it runs, so that the lock of a killed process is
// recognised.
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
