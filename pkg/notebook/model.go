package notebook

import (
	"context"
	"fmt"
	"os"

	"gaze/internal/environ"
	"gaze/internal/report"
	"gaze/internal/trace"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

// Weights is a checkpoint and where it came from.
type Weights struct {
	*vit.Model
	Title   string // architecture and name, for figures
	What    string // the catalogue's description of a known checkpoint; "" for the user's own file
	Source  string // where the file came from
	License string // as its source states it; empty for the user's own file
}

// Model opens the checkpoint that GAZE_VIT names (a file, a folder, a run of 'gaze
// train', which stands for its best model, or a name that 'gaze models' lists), else
// [hub.ImgFocusName]. One of the known names is fetched first if it isn't in the cache.
// Trouble ends the cell with the reason, as [Check] does.
func Model() *Weights {
	defer trace.Ended("opened the checkpoint")
	return Must(open())
}

func open() (*Weights, error) {
	environ.WarnOnce(os.Stderr)
	c, err := report.FindCheckpoint(context.Background(), report.EnvVIT, report.DefaultVIT, hub.Options{Log: note})
	if err != nil {
		return nil, err
	}
	w := &Weights{Source: "a file of your own, " + c.Given}
	switch {
	case c.Pulled != nil:
		w.Source, w.License = c.Pulled.Source, c.Pulled.License
		if known, ok := hub.Find(c.Given); ok {
			w.What = known.Title
		}
	case c.Run != "":
		w.Source = "a run of your own, " + c.Given
	}
	path := c.Path
	if c.Run != "" {
		path = c.Run
	}
	if w.Model, err = train.LoadModel(path); err != nil {
		return nil, fmt.Errorf("%s: %w", report.EnvVIT, err)
	}
	w.Title = fmt.Sprintf("%s (%s)", w.Name, c.Short)
	return w, nil
}

// note tells the user something that isn't a failure: in a notebook on standard output,
// since front ends show standard error in red, elsewhere on standard error.
func note(text string) {
	if display.inNotebook() {
		fmt.Println(text)
		return
	}
	fmt.Fprintln(os.Stderr, text)
}

// About describes the weights: the architecture, where they come from, and how pictures
// are prepared for them.
func About(w *Weights) plots.Table {
	d := w.Describe()
	license := w.License
	if license == "" {
		license = "not known"
	}
	rows := [][]any{{"weights", w.Title}}
	if w.What != "" {
		rows = append(rows, []any{"kind", w.What})
	}
	rows = append(rows, [][]any{
		{"from", w.Source},
		{"licence", license},
		{"layout", fmt.Sprintf("%s (%s)", d.Layout, d.Format)},
		{"parameters", fmt.Sprintf("%.1f million", float64(d.Parameters)/1e6)},
		{"blocks", fmt.Sprintf("%d of %d heads, tokens of %d", d.Depth, d.Heads, d.Dim)},
		{"position grid", fmt.Sprintf("%d×%d patches of %d×%d pixels", d.Grid[0], d.Grid[1], d.PatchSize[0], d.PatchSize[1])},
		{"pipeline", d.Pipeline},
	}...)
	return plots.Table{Columns: []plots.Column{{Name: "", Align: plots.AlignLeft}, {Name: "", Align: plots.AlignLeft}}, Rows: rows}
}
