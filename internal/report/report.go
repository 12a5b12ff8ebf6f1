// Package report tells the story of the report: which ways of fine-tuning problem 1
// compares, which photographs and pictures are shown, and what the text under the
// figures says. It knows the report; the packages that measure and draw don't.
//
// Every number and every comparison in a text is read from results. Notebooks, whose
// cells can't import internal packages, reach it through package notebook.
package report

// The variables that say what the report is about (docs/environment.md).
const (
	EnvVIT       = "GAZE_VIT"            // a Vision Transformer: a file, a folder, a run or a known name
	EnvPets      = "GAZE_PETS"           // photographs or a data set
	EnvCaptioner = "GAZE_CAPTIONER"      // a captioner: a file, a folder, a run or a known name
	EnvImages    = "GAZE_CAPTION_IMAGES" // photographs to caption
	EnvQuick     = "GAZE_QUICK_STUDY"    // a small study, for tests
)

// DefaultVIT is the checkpoint that is shown when GAZE_VIT isn't set.
const DefaultVIT = "dinov2-small"
