package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/pkg/hub"
)

// listed is a row of the catalogue as --json writes it.
type listed struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Bytes    int64  `json:"bytes,omitempty"`
	Exact    bool   `json:"bytes_exact"`
	License  string `json:"license"`
	Source   string `json:"source"`
	Page     string `json:"page"`
	Fallback string `json:"fallback,omitempty"`
	Path     string `json:"path,omitempty"` // in the cache
}

func newModels() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "models",
		Short:   "List the known checkpoints, where they come from and their licences",
		Example: "  gaze models\n  gaze pull dinov2-small",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rows []listed
			for _, c := range hub.Catalogue() {
				size, exact := c.Size()
				path, _ := hub.Path(c.Name)
				rows = append(rows, listed{
					Name: c.Name, Title: c.Title, Bytes: size, Exact: exact, License: c.License,
					Source: c.Host.String(), Page: c.Page, Fallback: c.Fallback, Path: path,
				})
			}
			if asJSON {
				return writeJSON(cmd, rows)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tHERE\tSIZE\tLICENCE\tWHAT\tFROM")
			for _, r := range rows {
				here := ""
				if r.Path != "" {
					here = "yes"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, here, byteSize(r.Bytes, r.Exact), r.License, r.Title, r.Page)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// byteSize writes bytes for a person; "?" if they aren't known.
func byteSize(n int64, exact bool) string {
	if n == 0 {
		return "?"
	}
	about := ""
	if !exact {
		about = "~"
	}
	if n < 1e6 {
		return fmt.Sprintf("%s%.0f kB", about, float64(n)/1e3)
	}
	return fmt.Sprintf("%s%.0f MB", about, float64(n)/1e6)
}
