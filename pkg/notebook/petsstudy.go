package notebook

import (
	"context"
	"fmt"
	"os"

	"gaze/internal/environ"
	"gaze/internal/report"
	"gaze/pkg/study"
)

// noRecord is shown in the place of a recorded study where there is none.
const noRecord = "This program was built without a recorded study on photographs: `make study-pets DATA=…` makes one."

// RealStudy returns the recorded study on photographs of pets; nil if the program was built
// without one. With GAZE_PETS and GAZE_VIT set, it is the same study of those instead, which
// trains as [Study] does. Trouble ends the cell with the reason, as [Check] does.
func RealStudy() *study.Result {
	environ.WarnOnce(os.Stderr)
	if s := Must(report.LivePetsStudy(context.Background())); s != nil {
		return runStudy(s)
	}
	return Must(report.PetsRecord())
}

// ShowRealStudy shows the study on photographs: what it is, a table for each model, and the
// curves of learning rates and changes. Without one it says how to make it.
func ShowRealStudy(r *study.Result) {
	if r == nil {
		Show(Text(noRecord))
		return
	}
	items := []any{Text(report.IntroducePets(r))}
	for _, model := range r.Models() {
		table := r.Of(model).Table()
		if model != "" {
			table.Caption = model + ". " + table.Caption
		}
		items = append(items, table)
	}
	for _, chart := range Must(report.PetsCurves(r)) {
		items = append(items, chart)
	}
	Show(items...)
}

// ShowRealResults shows what the study on photographs says of the report's results: the best
// of every model beside published accuracies, the effects, what reproduces and what doesn't,
// and the confusion and calibration of the best run.
func ShowRealResults(r *study.Result) {
	if r == nil {
		Show(Text(noRecord))
		return
	}
	items := []any{report.MarksTable(r), study.EffectTable(report.PetsEffects(r)), Text(report.DiscussPets(r))}
	if f := r.Final(); f.Run.Report != nil {
		items = append(items, Text(fmt.Sprintf("The best run of all by validation is *%s*: %s.", f.Title(), f.Run.Report)))
		items = append(items, f.Run.Report.ConfusionFigure(), f.Run.Report.ReliabilityFigure())
	}
	Show(items...)
}
