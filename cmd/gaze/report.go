package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"gaze/pkg/hub"
	"gaze/pkg/notebook"
)

func newReport() *cobra.Command {
	out := "report"
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Run every notebook and export HTML pages with an index",
		Long: "Run every notebook with the Go (Gaze) kernel and export self-contained HTML pages with an\n" +
			"index. It needs a clone of the project that 'make setup' has prepared.",
		Example: "  gaze report -o report && open report/index.html",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root, err := cloneRoot()
			if err != nil {
				return err
			}
			python := filepath.Join(root, ".venv", "bin", "python")
			if _, err := os.Stat(python); err != nil {
				return fmt.Errorf("%s isn't there: run 'make setup' in %s first", python, root)
			}
			abs, err := filepath.Abs(out)
			if err != nil {
				return err
			}
			progress := &progressLine{w: cmd.ErrOrStderr()}
			if err := notebook.Prepare(cmd.Context(), root, hub.Options{Progress: progress.show}); err != nil {
				return err
			}
			run := exec.CommandContext(cmd.Context(), python, filepath.Join(root, "tools", "notebooks", "run.py"), "-o", abs)
			run.Dir = root
			run.Stdout, run.Stderr = cmd.ErrOrStderr(), cmd.ErrOrStderr()
			if err := run.Run(); err != nil {
				return fmt.Errorf("the notebooks didn't all pass (%w): see above, and the executed copies in %s", err, filepath.Join(out, "executed"))
			}
			fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(out, "index.html"))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", out, "folder for the pages")
	return cmd
}

// cloneRoot finds the clone that the program belongs to: the folder above the
// program's own, or the working folder or one above it.
func cloneRoot() (string, error) {
	var starts []string
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(filepath.Dir(exe)))
	}
	if wd, err := os.Getwd(); err == nil {
		for dir := wd; ; dir = filepath.Dir(dir) {
			starts = append(starts, dir)
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	for _, dir := range starts {
		if _, err := os.Stat(filepath.Join(dir, "tools", "notebooks", "run.py")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("no clone of the project here: run this inside one (the notebooks and their runner live there)")
}
