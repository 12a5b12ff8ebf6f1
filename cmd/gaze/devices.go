package main

import (
	"cmp"
	"encoding/json"
	"fmt"
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
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "\nprograms compiled by XLA are %s\n%s", backend.KeptPrograms(), kernels())
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

// kernels returns a line about Gaze's own kernels, or "" if the backend doesn't run them.
func kernels() string {
	b, err := backend.Default()
	switch {
	case err != nil || !backend.Kernels(b):
		return ""
	case backend.Tiles():
		return "linear layers, attention and norms are Gaze's own kernels, on AMX tiles and AVX-512 ($GAZE_TILES=off, $GAZE_KERNELS=off change that)\n"
	}
	return "linear layers, attention and norms are Gaze's own kernels, on AVX-512 ($GAZE_KERNELS=off changes that)\n"
}

// writeJSON writes v, indented, to the command's standard output.
func writeJSON(cmd *cobra.Command, v any) error {
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
