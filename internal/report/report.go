// Package report holds the content of the report: the fine-tuning runs compared in
// problem 1, the choice of photographs and pictures, and the text under the figures. It
// knows the report; the packages that measure and draw don't, and it neither measures
// nor draws.
//
// Every number and every comparison in a text is computed from results. Notebook cells
// can't import internal packages; they use this one through package notebook.
package report

import "gaze/pkg/hub"

// The variables that select the report's models and pictures (docs/environment.md).
const (
	EnvVIT       = "GAZE_VIT"            // a Vision Transformer: a file, a folder, a run or a known name
	EnvPets      = "GAZE_PETS"           // photographs or a data set
	EnvCaptioner = "GAZE_CAPTIONER"      // a captioner: a file, a folder, a run or a known name
	EnvImages    = "GAZE_CAPTION_IMAGES" // photographs to caption
	EnvQuick     = "GAZE_QUICK_STUDY"    // a small study, for tests
)

// DefaultVIT is the checkpoint used if GAZE_VIT isn't set.
const DefaultVIT = hub.ImgFocusName
