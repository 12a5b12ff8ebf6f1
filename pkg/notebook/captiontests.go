package notebook

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"gaze/internal/report"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/data/scenes"
	"gaze/pkg/evaluate/captions"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
)

// scenesTested is the number of new scenes on which captioners are tested.
const scenesTested = 300

// CaptionReport tests the captioner on drawn scenes of a split. The report is cached.
func CaptionReport(split scenes.Split) *captions.Report {
	set := captions.Set{Split: split, Count: scenesTested}
	return Must(tested("report", set.String(), func(ctx context.Context, c captions.Captioner) (*captions.Report, error) {
		return captions.Evaluate(ctx, c, set, captions.Options{})
	}))
}

// CaptionOcclusion runs the occlusion test on held-out scenes (see [captions.Occlude]). The
// result is cached.
func CaptionOcclusion() *captions.OcclusionReport {
	set := captions.Set{Split: scenes.HeldOut, Count: scenesTested / 2}
	return Must(tested("occlusions", set.String(), func(ctx context.Context, c captions.Captioner) (*captions.OcclusionReport, error) {
		return captions.Occlude(ctx, c, set, captions.OcclusionOptions{})
	}))
}

// CaptionOccluded shows how the caption of a drawn picture changes when an object's cells
// are masked in the captioner's attention. An error, such as a caption that doesn't name
// the object, ends the cell, as [Check] does.
func CaptionOccluded(picture, word string) plots.Figure {
	what := fmt.Sprint(picture, " ", word)
	return Must(tested("occlusion", what, func(_ context.Context, c captions.Captioner) (d captions.Occlusion, err error) {
		s, err := scenes.Report(picture, c.Config().LongestSide)
		if err != nil {
			return d, err
		}
		list, _, err := captions.OccludeScene(c, s, captions.OcclusionOptions{})
		if err != nil {
			return d, err
		}
		for _, d := range list {
			if d.Word == word {
				return d, nil
			}
		}
		return d, fmt.Errorf("the caption of %s doesn't have the word %q, or no other region of that size is free to mask for comparison", picture, word)
	})).Figure()
}

// DiscussCaptions describes the results of the captioner's tests in words.
func DiscussCaptions() Text {
	ctx, stop := Interrupt()
	defer stop()
	test, heldOut := CaptionReport(scenes.Test), CaptionReport(scenes.HeldOut)
	one := Must(captions.OneReference(ctx, captions.Set{Split: scenes.HeldOut, Count: scenesTested}))
	return Text(report.DiscussCaptions(test, heldOut, one, CaptionOcclusion(), CaptionRuns()))
}

// testedCaptioner returns the captioner that GAZE_CAPTIONER names if its vocabulary has
// exactly the words of the drawn scenes, or else the one that comes with Gaze.
func testedCaptioner() (*Captioner, error) {
	c, err := openCaptioner()
	if err != nil || knowsScenes(c.Vocab) {
		return c, err
	}
	c.Close()
	return shippedCaptioner()
}

func knowsScenes(v *wordpiece.Vocab) bool {
	words := scenes.Words()
	return v.Len() <= len(words)+8 && !slices.ContainsFunc(words, func(w string) bool { _, ok := v.ID(w); return !ok })
}

// tested runs a test of the captioner and caches its result; what identifies the test's
// pictures.
func tested[T any](name, what string, test func(context.Context, captions.Captioner) (T, error)) (result T, err error) {
	ctx, stop := Interrupt()
	defer stop()
	c, err := testedCaptioner()
	if err != nil {
		return result, err
	}
	defer c.Close()
	dir, err := hub.CacheDir()
	if err != nil {
		return result, err
	}
	weights, err := c.key()
	if err != nil {
		return result, err
	}
	return Cached(filepath.Join(dir, "cells"), name, []any{"2", weights, what}, func() (T, error) {
		s := &captionMaker{captioner: c}
		defer s.close()
		if err := s.start(); err != nil {
			var none T
			return none, err
		}
		return test(ctx, s.running)
	})
}

// CaptionRuns returns the runs recorded by the captioner's recipe: one for each seed and
// one without target maps. It is empty for a captioner of your own.
func CaptionRuns() []captions.Run {
	c := Must(testedCaptioner())
	defer c.Close()
	data := Must(hub.CaptionerRecord(c.path))
	if data == nil {
		return nil
	}
	return Must(captions.ParseRuns(data))
}
