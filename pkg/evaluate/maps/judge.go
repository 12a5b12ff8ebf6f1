package maps

import (
	"context"

	"gaze/pkg/data"
	"gaze/pkg/data/pets"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// Family groups columns that ask the same question. Each family weighs the same in a
// league, however many columns it has.
type Family string

// The families.
const (
	Truth        Family = "truth"        // drawn pictures, of which it is known what made the answer
	Localisation Family = "localisation" // whether the map lies on the thing
	Faithfulness Family = "faithfulness" // whether the answer changes with what the map marks
	Sanity       Family = "sanity"       // whether the map depends on the model, and not on noise
	Descriptive  Family = "descriptive"  // what a map looks like; never ranked
)

// Column is a metric in a league.
type Column struct {
	Key    string // short, unique: "deletion-road"
	Name   string // as in tables: "deletion AUC, ROAD"
	Family Family
	Lower  bool       // smaller is better
	Range  [2]float64 // the least and the greatest possible value
	// Chance is what a constant map scores, if that is the same for every picture; else
	// nil, and the league compares with its constant map.
	Chance *float64
	// Operator is how the metric removes parts of a picture; "" if it doesn't. A method
	// that removes parts in the same way isn't ranked by the column.
	Operator string
	About    string // one sentence: definition and source
}

// Case is a picture on which maps are judged.
type Case struct {
	Name    string
	Stratum string            // that the picture is resampled with, such as its breed
	Index   int               // for random numbers
	Tensor  *transform.Tensor // as the model sees it
	Class   int               // whose logit the maps explain; it stays the same whatever is removed
	Right   bool              // the model predicts the picture's own class
	Pet     *data.Mask        // of the pixels that the model sees; nil: not known
	Head    *data.Mask        // the same; nil: not known
	Drawn   *Drawn            // how the picture was drawn; nil for photographs
}

// Drawn says how to draw a picture of package pets again.
type Drawn struct {
	Seed         uint64
	Breed, Index int
	Size         int // in pixels
	Options      pets.Options
	Pipeline     transform.Pipeline // from the drawing to the tensor
}

// Entrant is a row of a league: a method with its settings, or a baseline.
type Entrant struct {
	Name     string
	Method   *explain.Method // nil for a baseline
	Competes bool
	Settings explain.Settings
	Operator string // how the method itself removes parts of a picture; "" if it doesn't
	// Make makes a map of each case with a model.
	Make func(ctx context.Context, e *explain.Explainer, cases []*Case) ([]explain.Map, error)
	// MakeAgainst makes maps of what speaks for each case's class rather than for another,
	// as [explain.Options].Against does. Nil: the entrant's maps are the same whatever the
	// class, so that those of Make stand for them.
	MakeAgainst func(ctx context.Context, e *explain.Explainer, cases []*Case, against []int) ([]explain.Map, error)
}

// Judge scores maps by one or several metrics.
type Judge interface {
	Columns() []Column
	// Judge returns scores [case][entrant][column] of maps[case][entrant]. NaN stands for
	// what doesn't apply, such as a mask that isn't known. The result doesn't depend on
	// how the cases are split over several calls, nor on the number of workers.
	Judge(ctx context.Context, e *explain.Explainer, entrants []*Entrant, cases []*Case, maps [][]explain.Map) ([][][]float64, error)
}
