package filelock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestLock waits for the holder and gives up with the context.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "x.lock")
	release, err := Lock(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := Try(path); ok || err != nil {
		t.Errorf("taken twice: %v, %v", ok, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	waited := 0
	if _, err := Lock(ctx, path, func() { waited++ }); !errors.Is(err, context.DeadlineExceeded) || waited != 1 {
		t.Errorf("waiting in vain: %v, told %d times", err, waited)
	}
	release()
	again, err := Lock(t.Context(), path, func() { t.Error("waits for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestLockByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.held")
	release, ok, err := lockByName(path)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, ok, err := lockByName(path); ok || err != nil {
		t.Errorf("taken twice: %v, %v", ok, err)
	}
	release()
	if _, err := os.Stat(path); err == nil {
		t.Error("the lock stays")
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	release, ok, err = lockByName(path)
	if !ok || err != nil {
		t.Fatalf("the lock of a dead process holds: %v, %v", ok, err)
	}
	release()
}
