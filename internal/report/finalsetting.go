package report

import (
	"context"
	"fmt"
	"slices"

	"gaze/pkg/hub"
	"gaze/pkg/study"
	"gaze/pkg/transform"
)

// FinalSetting is the laptop study with one row, the setting that the study on drawn pets
// ends with, so that its models can be trained without the rows that led there. The runs
// are kept in dir.
func FinalSetting(ctx context.Context, dir string) (*study.Study, error) {
	cache, err := hub.CacheDir()
	if err != nil {
		return nil, err
	}
	s := &study.Study{Seeds: slices.Clone(fullScale.seeds), Dir: dir}
	if s.Data, err = laptopData(ctx, cache, fullScale); err != nil {
		return nil, err
	}
	start, err := hub.Resolve(LaptopModel)
	if err != nil {
		return nil, err
	}
	for _, row := range laptopRows(start) {
		if row.Name == Gentle {
			s.Rows = []study.Row{row}
		}
	}
	return s, nil
}

// Erased is a setting's twin that learns to do without parts of a picture: it goes on from
// a model of that setting, and each training picture loses a random share of its cells,
// from none to most (0.75), which get the value 0. cell is the side of a cell in pixels.
func Erased(row study.Row, from string, cell int, most float64) (study.Row, error) {
	step := fmt.Sprintf(" | randomerasecells(%d,share=0:%g)", cell, most)
	twin := study.Row{Name: "cells removed", Asks: "Does a model that knows pictures with removed parts rank the methods alike?",
		Start: from, Pipeline: row.Pipeline + step, Settings: row.Settings}
	_, err := transform.Parse(twin.Pipeline)
	return twin, err
}

// LaptopPictures is how the pictures of [FinalSetting] are drawn (see package pets): the
// seed and the side in pixels.
func LaptopPictures() (seed uint64, size int) { return laptopSeed, laptopSize }
