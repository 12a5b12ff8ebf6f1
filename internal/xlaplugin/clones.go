package xlaplugin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"gaze/internal/atomicfile"
	"gaze/internal/ownfile"
)

// Set-up leaves a note for each clone in the cache, a file with the clone's path, so
// that programs built elsewhere find the plugins that it installed there. Each clone
// has a file of its own: set-ups that run at once don't disturb each other.

// clonesFolder is the folder of the notes in a cache.
func clonesFolder(cache string) string { return filepath.Join(cache, folder, "clones") }

var moduleLine = regexp.MustCompile(`(?m)^module\s+gaze\s*$`)

// IsClone says whether dir holds Gaze's go.mod.
func IsClone(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && moduleLine.Match(text)
}

// Remember notes a clone in a cache, and removes the notes of clones that are gone.
func Remember(cache, clone string) error {
	clone, err := filepath.Abs(clone)
	if err != nil {
		return err
	}
	if !IsClone(clone) {
		return fmt.Errorf("%s isn't a clone of Gaze", clone)
	}
	dir := clonesFolder(cache)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, n := range notes(cache) {
		if n.clone == clone {
			now := time.Now()
			return os.Chtimes(n.file, now, now)
		}
		if _, err := os.Stat(filepath.Join(n.clone, "go.mod")); errors.Is(err, os.ErrNotExist) {
			_ = os.Remove(n.file) // another set-up may have done it
		}
	}
	sum := sha256.Sum256([]byte(clone))
	return atomicfile.WriteBytes(filepath.Join(dir, hex.EncodeToString(sum[:8])), []byte(clone+"\n"))
}

// Clones lists the clones that are noted in a cache and still there, the one set up
// last first. Notes that belong to another user are passed over: what lies in a clone
// is loaded into the program.
func Clones(cache string) []string {
	var clones []string
	for _, n := range notes(cache) {
		if IsClone(n.clone) {
			clones = append(clones, n.clone)
		}
	}
	return clones
}

type note struct {
	file, clone string
	at          time.Time
}

// notes lists the notes in a cache, the newest first.
func notes(cache string) []note {
	entries, err := os.ReadDir(clonesFolder(cache))
	if err != nil {
		return nil
	}
	var all []note
	for _, e := range entries {
		file := filepath.Join(clonesFolder(cache), e.Name())
		info, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), ".") || info.Size() > 1<<16 {
			continue
		}
		text, err := ownfile.Read(file)
		clone := strings.TrimSuffix(string(text), "\n")
		if err != nil || !filepath.IsAbs(clone) {
			continue
		}
		all = append(all, note{file, clone, info.ModTime()})
	}
	slices.SortStableFunc(all, func(a, b note) int { return b.at.Compare(a.at) })
	return all
}
