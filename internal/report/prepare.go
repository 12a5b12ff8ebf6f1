package report

import (
	"context"

	"gaze/pkg/hub"
)

// Prepare checks the files named by the variables and fetches everything the notebooks
// need that isn't in the cache, so that the cells don't download. root is the clone's
// folder.
func Prepare(ctx context.Context, root string, o hub.Options) error {
	if _, err := FindCheckpoint(ctx, EnvVIT, DefaultVIT, o); err != nil {
		return err
	}
	if err := prepareCaptioner(ctx, o); err != nil {
		return err
	}
	if _, err := FindPhotographs(ctx, root, o); err != nil {
		return err
	}
	_, err := CaptionPictures(root)
	return err
}
