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

// Set-up writes a note for each clone to the cache: a file with the clone's path. Programs
// built elsewhere use it to find the plugins that set-up installed in the clone. Each
// clone has its own file, so that concurrent set-ups don't interfere.

// clonesFolder returns the folder of the notes in a cache.
func clonesFolder(cache string) string { return filepath.Join(cache, folder, "clones") }

var moduleLine = regexp.MustCompile(`(?m)^module\s+gaze\s*$`)

// IsClone reports whether dir has Gaze's go.mod.
func IsClone(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && moduleLine.Match(text)
}

// Remember writes the note for a clone to a cache, and removes the notes of clones that no
// longer exist.
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
			_ = os.Remove(n.file) // another set-up may have removed it already
		}
	}
	sum := sha256.Sum256([]byte(clone))
	return atomicfile.WriteBytes(filepath.Join(dir, hex.EncodeToString(sum[:8])), []byte(clone+"\n"))
}

// Clones lists the clones that have a note in a cache and still exist, most recently set
// up first. Notes that belong to another user are ignored, because the plugins in a clone
// are loaded into the program.
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

// notes returns the notes in a cache, newest first.
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
