package report

import (
	"context"
	"errors"
	"fmt"

	"gaze/pkg/caption"
	"gaze/pkg/hub"
)

// DefaultCaptioner is the captioner used if GAZE_CAPTIONER isn't set: the one that knows
// photographs, or that of drawn scenes in a program that lists none of photographs.
func DefaultCaptioner() string {
	if _, ok := hub.Lookup(hub.PhotosCaptioner); ok {
		return hub.PhotosCaptioner
	}
	return hub.LaptopCaptioner
}

// CompleteCaptioner gives a captioner the weights of its backbone where its file leaves them
// to another checkpoint, which is fetched if it isn't in the cache. It closes m and returns
// the complete captioner, or m if nothing is missing.
func CompleteCaptioner(ctx context.Context, m *caption.Model, o hub.Options) (*caption.Model, error) {
	return m.Complete(func(name string) (string, error) { return backboneFile(ctx, name, o) })
}

// backboneFile is the file of a checkpoint that a captioner is built on.
func backboneFile(ctx context.Context, name string, o hub.Options) (string, error) {
	c := Checkpoint{Given: name}
	err := c.pull(ctx, o)
	return c.Path, err
}

// prepareCaptioner finds the captioner, and fetches its backbone if it is in another
// checkpoint.
func prepareCaptioner(ctx context.Context, o hub.Options) error {
	found, err := FindCheckpoint(ctx, EnvCaptioner, DefaultCaptioner(), o)
	if err != nil {
		return err
	}
	wrong := func(err error) error { return fmt.Errorf("%s: %w", EnvCaptioner, err) }
	path, err := hub.Resolve(found.Path)
	if err != nil {
		return wrong(err)
	}
	m, err := caption.Open(path, "", "", hub.VocabFile(path))
	if err != nil {
		return wrong(err)
	}
	if lacks := m.LacksBackbone(); lacks != "" {
		_, err = backboneFile(ctx, lacks, o)
	}
	return errors.Join(err, m.Close())
}
