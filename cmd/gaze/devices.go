package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/internal/xlaplugin"
	"gaze/pkg/backend"
	"gaze/pkg/hub"
)

func newDevices() *cobra.Command {
	var asJSON bool
	var clone string
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "List the backends and plugins, which one is used, and why",
		Example: "  gaze devices\n" +
			"  GOMLX_BACKEND=go:ops_sequential gaze devices   # the effect of choosing one yourself",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if clone != "" {
				return rememberClone(clone)
			}
			found := backend.Discover()
			_, unusable := backend.Default()
			if asJSON {
				return cmp.Or(writeJSON(cmd, found), unusable)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "USED\tBACKEND\tVERSION\tWHY\tPATH")
			for _, c := range found {
				mark := ""
				if c.Used {
					mark = "yes"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", mark, c.Name, c.Version, c.Reason, c.Path)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if unusable != nil {
				return unusable
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "\nprograms compiled by XLA are %s\n%s", backend.KeptPrograms(), computes(found))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().StringVar(&clone, "remember", "", "record a clone, so that programs built elsewhere find its plugins")
	if err := cmd.Flags().MarkHidden("remember"); err != nil { // for set-up
		panic(err)
	}
	return cmd
}

// rememberClone records a clone in the cache.
func rememberClone(clone string) error {
	cache, err := hub.CacheDir()
	if err != nil {
		return err
	}
	return xlaplugin.Remember(cache, clone)
}

// computes says what computes the programs of the backend in use, and why.
func computes(found []backend.Candidate) string {
	i := slices.IndexFunc(found, func(c backend.Candidate) bool { return c.Used })
	if i < 0 {
		return ""
	}
	const ours = "linear layers, convolutions, attention and norms in float32 are Gaze's own kernels for "
	k := found[i].Kernels
	switch {
	case k == nil && strings.HasPrefix(found[i].Spec, "go"):
		return "GoMLX's Go backend computes everything; Gaze's own kernels are for XLA on the CPU\n"
	case k == nil:
		return "XLA computes everything; Gaze's own kernels are for XLA on the CPU\n"
	case k.Set == "":
		return fmt.Sprintf("XLA computes everything, without Gaze's own kernels: %s\n", k.Why)
	case k.Tiles:
		return fmt.Sprintf("%s%s, with AMX tiles: %s and AMX\nXLA computes the rest ($GAZE_TILES=off, $GAZE_KERNELS=avx2 and =off change that)\n", ours, k.Set, k.Why)
	case k.Set == "AVX-512":
		return fmt.Sprintf("%s%s: %s\nXLA computes the rest ($GAZE_KERNELS=avx2 and =off change that)\n", ours, k.Set, k.Why)
	}
	return fmt.Sprintf("%s%s: %s\nXLA computes the rest ($GAZE_KERNELS=off changes that)\n", ours, k.Set, k.Why)
}

// writeJSON writes v, indented, to the command's standard output.
func writeJSON(cmd *cobra.Command, v any) error {
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
