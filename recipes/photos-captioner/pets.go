package main

import (
	"context"
	"fmt"
	"os"

	"github.com/gomlx/compute"

	"gaze/internal/meter"
	"gaze/pkg/caption"
	"gaze/pkg/data"
	"gaze/pkg/evaluate/captions"
	"gaze/pkg/hub"
)

// judgePets tests the captioner on photographs of pets of which trimaps or outlines are
// known: at most most of them, evenly spread over the set.
func judgePets(ctx context.Context, device compute.Backend, path, folder string, most int) (*captions.PetReport, error) {
	truth, err := data.OpenTruth(folder)
	if err != nil {
		return nil, err
	}
	var all []*data.Known
	for _, k := range truth.Pictures {
		if (k.HasTrimap() || k.HasOutline()) && (k.Species == "cat" || k.Species == "dog") {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no picture has a trimap or an outline", folder)
	}
	count := min(most, len(all))
	m, err := caption.Load(path)
	if err != nil {
		return nil, err
	}
	if m, err = m.Complete(hub.Resolve); err != nil {
		return nil, err
	}
	defer m.Close()
	c, err := caption.NewCaptioner(device, m, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	log := meter.NewLog(os.Stderr, count, "photographs of pets")
	load := func(i int) (captions.Pet, error) { return captions.OpenPet(all[i*len(all)/count]) }
	return captions.EvaluatePets(ctx, c, count, load, captions.OcclusionOptions{Seed: 1, Options: captions.Options{
		Caption:  m.Config.Recommended(),
		Progress: func(done, _ int) { log.Done(done) },
	}})
}
