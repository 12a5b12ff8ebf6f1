package notebook

import (
	"context"
	"fmt"
	"os"

	"gaze/pkg/hub"
	"gaze/pkg/plots"
	"gaze/pkg/vit"
)

// DefaultWeights is the checkpoint that notebooks use when GAZE_VIT is not set.
const DefaultWeights = "dinov2-small"

// Weights is a checkpoint and where it came from.
type Weights struct {
	*vit.Model
	Title   string // architecture and name, for figures
	Source  string // where the file came from
	License string // as its source states it; empty for a file of the user's own
}

// Model opens the checkpoint that GAZE_VIT names (a file, a folder, or a name
// that 'gaze models' lists), else [DefaultWeights]. One of the known names is
// fetched first if it isn't in the cache. Trouble ends the cell with the
// reason, as [Check] does.
func Model() *Weights {
	name := os.Getenv("GAZE_VIT")
	if name == "" {
		name = DefaultWeights
	}
	return Must(open(name))
}

// Prepare fetches what the notebooks will use and isn't there yet, so that their
// cells needn't. root is the clone's folder.
func Prepare(ctx context.Context, root string, o hub.Options) error {
	name := os.Getenv("GAZE_VIT")
	if name == "" {
		name = DefaultWeights
	}
	if c, known := hub.Find(name); known && len(c.Files) > 0 {
		if _, err := hub.Pull(ctx, name, o); err != nil {
			return err
		}
	}
	if photos, _ := findPhotographs(root); photos == nil {
		if _, err := hub.SamplePhotos(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func open(fileOrName string) (*Weights, error) {
	w := &Weights{Source: "a file of your own, " + fileOrName}
	path := fileOrName
	if _, err := os.Stat(path); err != nil {
		c, known := hub.Find(fileOrName)
		_, here := hub.Path(fileOrName)
		if !here && (!known || len(c.Files) == 0) { // a repository outside the catalogue isn't fetched unasked
			_, err := hub.Resolve(fileOrName)
			return nil, fmt.Errorf("GAZE_VIT: %w", err)
		}
		if !here {
			fmt.Fprintf(os.Stderr, "fetching %s, once\n", fileOrName)
		}
		r, err := hub.Pull(context.Background(), fileOrName, hub.Options{})
		if err != nil {
			return nil, err
		}
		path, w.Source, w.License = r.Path, r.Source, r.License
	}
	m, err := vit.Load(path)
	if err != nil {
		return nil, err
	}
	w.Model = m
	w.Title = fmt.Sprintf("%s (%s)", m.Name, hub.ShortName(fileOrName))
	return w, nil
}

// About sums up the weights: what they are, where they come from, how pictures
// are prepared for them.
func About(w *Weights) plots.Table {
	d := w.Describe()
	license := w.License
	if license == "" {
		license = "not known"
	}
	rows := [][]any{
		{"weights", w.Title},
		{"from", w.Source},
		{"licence", license},
		{"layout", fmt.Sprintf("%s (%s)", d.Layout, d.Format)},
		{"parameters", fmt.Sprintf("%.1f million", float64(d.Parameters)/1e6)},
		{"blocks", fmt.Sprintf("%d of %d heads, tokens of %d", d.Depth, d.Heads, d.Dim)},
		{"position grid", fmt.Sprintf("%d×%d patches of %d×%d pixels", d.Grid[0], d.Grid[1], d.PatchSize[0], d.PatchSize[1])},
		{"pipeline", d.Pipeline},
	}
	return plots.Table{Columns: []plots.Column{{Name: "", Align: plots.AlignLeft}, {Name: "", Align: plots.AlignLeft}}, Rows: rows}
}
