package report

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gaze/internal/environ"
	"gaze/pkg/hub"
	"gaze/pkg/train"
)

// Checkpoint is the checkpoint named by a variable.
type Checkpoint struct {
	Given string // as the user wrote it, or the fallback
	Path  string // the file or folder to open; for a run, the file of its best model
	Run   string // the run's folder, "" if it isn't a run
	Short string // a short name for figures
	// Pulled describes the source of a known checkpoint; nil for the user's own files.
	Pulled *hub.Result
}

// FindCheckpoint finds the checkpoint named by a variable: a file, a folder, a run, or a
// name listed by 'gaze models', which is fetched if it isn't in the cache. If the
// variable isn't set, it returns the known checkpoint called fallback. Errors begin with
// the variable's name and list the paths that were tried.
func FindCheckpoint(ctx context.Context, variable, fallback string, o hub.Options) (Checkpoint, error) {
	value, tried, err := environ.FileOrName(variable)
	if err != nil {
		return Checkpoint{}, err
	}
	c := Checkpoint{Given: environ.Get(variable), Path: value}
	switch {
	case value == "":
		c.Given = fallback
		return c, c.pull(ctx, o)
	case tried == nil:
		c.Short = hub.ShortName(value)
		file, err := train.ModelFile(value)
		if err != nil {
			return c, fmt.Errorf("%s: %w", variable, err)
		}
		if file != value {
			c.Path, c.Run = file, value
		}
		return c, nil
	}
	// A repository outside the catalogue is only fetched by 'gaze pull'.
	known, isKnown := hub.Find(value)
	if _, here := hub.Path(value); isKnown && (here || len(known.Files) > 0) {
		if err := c.pull(ctx, o); err != nil {
			return c, fmt.Errorf("%s: %w", variable, err)
		}
		return c, nil
	}
	c.Short = hub.ShortName(value)
	if c.Path, err = hub.Resolve(value); err != nil {
		return c, fmt.Errorf("%s: %w; there is nothing at %s", variable, err, strings.Join(tried, " or "))
	}
	return c, nil
}

// pull fetches a checkpoint of the catalogue.
func (c *Checkpoint) pull(ctx context.Context, o hub.Options) error {
	if _, here := hub.Path(c.Given); !here && o.Log != nil {
		o.Log(fmt.Sprintf("fetching %s (only the first time)", c.Given))
	}
	r, err := hub.Pull(ctx, c.Given, o)
	if err != nil {
		if errors.Is(err, hub.ErrUnreachable) {
			err = fmt.Errorf("%w; to work without the network, give a file or folder with weights", err)
		}
		return err
	}
	c.Path, c.Short, c.Pulled = r.Path, c.Given, &r
	return nil
}
