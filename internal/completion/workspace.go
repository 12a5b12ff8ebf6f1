package completion

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gaze/internal/atomicfile"
)

// workspace is a folder with a module of its own, in which gopls sees the cells. The clone is
// a dependency of the module, not a part of the workspace: gopls reads its declarations
// only, and analyses nothing there.
type workspace struct {
	dir     string
	root    string               // the clone
	watched map[string]time.Time // the clone's Go files, with the time of their last change
}

// The two documents of the package that cells are: gopls gets their text from us. Of two
// declarations of one name, the first file's counts.
const (
	cellFile     = "cell.go"  // the cell that is being edited
	declaredFile = "cells.go" // what the cells that ran have declared
)

// cellsModuleName is the module of the cells.
const cellsModuleName = "gaze.cells"

// newWorkspace makes the folder. Its module has the clone's requirements, so that the go
// command has nothing to look for. parent is the folder to make it in, by default the system's
// for temporary files.
func newWorkspace(root, parent string) (*workspace, error) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, fmt.Errorf("completion needs the clone's go.mod: %w", err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("completion needs the clone's go.sum: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "gaze-completion-")
	if err != nil {
		return nil, fmt.Errorf("a folder for completion: %w", err)
	}
	w := &workspace{dir: dir, root: root}
	files := map[string]string{
		"go.mod":     cellsModule(string(mod), modulePath(root), root),
		"go.sum":     string(sum),
		cellFile:     "package main\n",
		declaredFile: "package main\n",
	}
	for name, text := range files {
		if err := atomicfile.WriteBytes(filepath.Join(dir, name), []byte(text)); err != nil {
			_ = w.remove()
			return nil, fmt.Errorf("a folder for completion: %w", err)
		}
	}
	w.watched = w.goFiles()
	return w, nil
}

// cellsModule is the go.mod of a module that requires the clone and all that the clone does.
func cellsModule(mod, module, root string) string {
	var b strings.Builder
	for l := range strings.Lines(mod) {
		if strings.HasPrefix(l, "module ") {
			l = "module " + cellsModuleName + "\n"
		}
		b.WriteString(l)
	}
	fmt.Fprintf(&b, "\nrequire %s v0.0.0\n\nreplace %s => %q\n", module, module, root)
	return b.String()
}

// path is the path of a file in the workspace.
func (w *workspace) path(name string) string { return filepath.Join(w.dir, name) }

// remove deletes the folder.
func (w *workspace) remove() error { return os.RemoveAll(w.dir) }

// goFiles are the clone's Go files that cells can depend on.
func (w *workspace) goFiles() map[string]time.Time {
	found := map[string]time.Time{}
	for _, folder := range []string{"pkg", "internal"} {
		_ = filepath.WalkDir(filepath.Join(w.root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if entry.IsDir() && entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				if info, err := entry.Info(); err == nil {
					found[path] = info.ModTime()
				}
			}
			return nil
		})
	}
	return found
}

// fileEvent is a change of a file, as the protocol has it.
type fileEvent struct {
	URI  string `json:"uri"`
	Type int    `json:"type"`
}

// The types of a fileEvent.
const (
	fileCreated = 1
	fileChanged = 2
	fileDeleted = 3
)

// changes are the clone's Go files that have changed since the last call.
func (w *workspace) changes() []fileEvent {
	now := w.goFiles()
	var events []fileEvent
	for path, at := range now {
		if before, ok := w.watched[path]; !ok {
			events = append(events, fileEvent{uriOf(path), fileCreated})
		} else if !before.Equal(at) {
			events = append(events, fileEvent{uriOf(path), fileChanged})
		}
	}
	for path := range w.watched {
		if _, ok := now[path]; !ok {
			events = append(events, fileEvent{uriOf(path), fileDeleted})
		}
	}
	w.watched = now
	return events
}
