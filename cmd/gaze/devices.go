package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/pkg/backend"
)

func newDevices() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "Show which backends and plugins there are, which one is used and why",
		Example: "  gaze devices\n" +
			"  GOMLX_BACKEND=go:ops_sequential gaze devices   # what a choice of your own does",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := backend.Discover()
			if asJSON {
				return writeJSON(cmd, found)
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
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "\nprograms compiled by XLA are %s\n%s", backend.KeptPrograms(), kernels())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// kernels tells of Gaze's own kernels, a line, if the backend used runs them.
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
