package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/pkg/hub"
	"gaze/pkg/vit"
)

func newModel() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "model FILE",
		Short:             "Show what a checkpoint is: layout, architecture, classes, pipeline",
		Example:           "  gaze model dinov2-small\n  gaze model B_16_imagenet1k.pth --json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := loadModel(cmd, args[0])
			if err != nil {
				if c, ok := loadCaptioner(args[0]); ok {
					defer c.Close()
					return showCaptioner(cmd, c, asJSON)
				}
				return err
			}
			defer m.Close()
			if err := m.CheckFinite(); err != nil {
				return err
			}
			d := m.Describe()
			if asJSON {
				return writeJSON(cmd, d)
			}
			return describe(cmd.OutOrStdout(), d)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	choiceFlags(cmd)
	return cmd
}

// describe writes a checkpoint's description for a person.
func describe(out io.Writer, d vit.Description) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("file", "%s (%s)", d.Path, d.Format)
	row("layout", "%s", d.Layout)
	if len(d.Sets) > 1 {
		row("weights", "%s; --weights chooses among %s", d.Weights, strings.Join(d.Sets, ", "))
	}
	row("architecture", "%s, %.1f million parameters", d.Architecture, float64(d.Parameters)/1e6)
	row("tokens", "%d wide, %d blocks of %d heads, MLP %d (%s), before the patches: %s",
		d.Dim, d.Depth, d.Heads, d.MLPDim, d.Activation, strings.Join(d.Prefix, ", "))
	row("pictures", "%d×%d, patches of %d×%d, a grid of %d×%d",
		d.ImageSize[0], d.ImageSize[1], d.PatchSize[0], d.PatchSize[1], d.Grid[0], d.Grid[1])
	switch {
	case d.Classes == 0:
		row("classes", "none: the checkpoint has no classification head")
		if len(d.HeadNames) > 0 {
			row("", "--head-name takes one of %s for it", strings.Join(d.HeadNames, ", "))
		}
	case len(d.Labels) > 0:
		row("classes", "%d: %s, …, %s", d.Classes, d.Labels[0], d.Labels[len(d.Labels)-1])
	default:
		row("classes", "%d, without names", d.Classes)
	}
	row("pipeline", "%s", d.Pipeline)
	return w.Flush()
}

// completeModels offers names of checkpoints that are here, and files.
func completeModels(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, c := range hub.Catalogue() {
		if _, here := hub.Path(c.Name); here {
			out = append(out, c.Name+"\t"+c.Title)
		}
	}
	return out, cobra.ShellCompDirectiveDefault
}

// modelFlag defines --model with its completion.
func modelFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "model", "", "checkpoint: a file, a folder, a run of 'gaze train', or a name that 'gaze models' lists")
	if err := cmd.RegisterFlagCompletionFunc("model", completeModels); err != nil {
		panic(err) // registered twice
	}
	choiceFlags(cmd)
}

// choiceFlags defines the flags that choose among what a checkpoint holds.
func choiceFlags(cmd *cobra.Command) {
	cmd.Flags().String("weights", "", "which set of weights to take of a checkpoint with several, such as state_dict_ema or teacher ('gaze model FILE' lists them)")
	cmd.Flags().String("head-name", "", "which linear layer of the checkpoint is the head, if it isn't the one that the layout has")
}

// chosen reads the flags that choose among what a checkpoint holds; commands that
// don't have them choose nothing.
func chosen(cmd *cobra.Command) vit.LoadOptions {
	var o vit.LoadOptions
	for name, to := range map[string]*string{"weights": &o.Weights, "head-name": &o.Head} {
		if f := cmd.Flags().Lookup(name); f != nil {
			*to = f.Value.String()
		}
	}
	return o
}

// loadModel opens a checkpoint by file or by a name of the catalogue, and
// passes its warnings on.
func loadModel(cmd *cobra.Command, fileOrName string) (*vit.Model, error) {
	path, err := hub.Resolve(fileOrName)
	if err != nil {
		return nil, err
	}
	of := path
	if path, err = bestOfRun(path); err != nil {
		return nil, err
	}
	m, err := vit.Open(path, chosen(cmd))
	if err != nil && of != path { // a run's own model can't be downloaded again
		return nil, fmt.Errorf("the model of the run in %s is damaged: train it again: %s", of, strings.ReplaceAll(err.Error(), "; download it again", ""))
	}
	if err != nil {
		return nil, err
	}
	warn(cmd, m.Warnings)
	return m, nil
}

// title names a checkpoint in a figure.
func title(m *vit.Model, fileOrName string) string {
	return fmt.Sprintf("%s (%s)", m.Name, hub.ShortName(fileOrName))
}

// warn writes warnings to standard error, one a line.
func warn(cmd *cobra.Command, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: warning: %s\n", w)
	}
}

// require marks flags that must be given.
func require(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag was not defined
		}
	}
	// A variable that isn't set makes a flag that is given, but empty.
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range flags {
			if cmd.Flags().Lookup(name).Value.String() == "" {
				return misuse(cmd, fmt.Errorf("--%s is empty", name))
			}
		}
		return nil
	}
}

// checkFolders makes sure, before any work is done, that the folders of files
// to be written exist, and that they aren't folders themselves. Empty names are passed over.
func checkFolders(files ...string) error {
	for _, file := range files {
		if file == "" {
			continue
		}
		dir := filepath.Dir(file)
		if info, err := os.Stat(dir); err != nil {
			return fmt.Errorf("%s can't be written: %w", file, err)
		} else if !info.IsDir() {
			return fmt.Errorf("%s can't be written: %s is not a folder", file, dir)
		}
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			return fmt.Errorf("%s can't be written: it is a folder: name a file", file)
		}
	}
	return nil
}

func isSVG(path string) bool { return strings.EqualFold(filepath.Ext(path), ".svg") }
