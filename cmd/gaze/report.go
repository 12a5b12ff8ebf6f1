package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gaze/internal/environ"
	"gaze/internal/report"
	"gaze/pkg/hub"
)

func newReport() *cobra.Command {
	out, force := "report", false
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Run every notebook and export HTML pages with an index",
		Long: "Run every notebook with the Go (Gaze) kernel and export self-contained HTML pages with an\n" +
			"index. This needs a clone of the project in which 'make setup' was run. An earlier report in\n" +
			"the folder is replaced; other files are replaced only with --force.",
		Example: "  gaze report -o report && open report/index.html",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root, err := cloneRoot()
			if err != nil {
				return err
			}
			python := filepath.Join(root, ".venv", "bin", "python")
			if _, err := os.Stat(python); err != nil {
				return fmt.Errorf("%s doesn't exist: run 'make setup' in %s first", python, root)
			}
			abs, err := filepath.Abs(out)
			if err != nil {
				return err
			}
			start, err := environ.StartFolder()
			if err != nil {
				return err
			}
			progress := &progressLine{w: cmd.ErrOrStderr()}
			if err := report.Prepare(cmd.Context(), root, hub.Options{Progress: progress.show}); err != nil {
				return err
			}
			script := []string{filepath.Join(root, "tools", "notebooks", "run.py"), "-o", abs}
			if force {
				script = append(script, "--force")
			}
			run := exec.CommandContext(cmd.Context(), python, script...)
			run.Dir, run.Env = root, append(os.Environ(), environ.Start+"="+start)
			run.Stdout, run.Stderr = cmd.ErrOrStderr(), cmd.ErrOrStderr()
			// When interrupted, the runner stops its kernels; if killed, it would leave them running.
			run.Cancel, run.WaitDelay = func() error { return run.Process.Signal(os.Interrupt) }, kernelsEnd
			err = run.Run()
			var exit *exec.ExitError
			switch {
			case cmd.Context().Err() != nil:
				return cmd.Context().Err()
			case errors.As(err, &exit) && exit.ExitCode() == 2: // it failed before running any notebook
				return fmt.Errorf("the report can't be written to %s: see above", out)
			case err != nil:
				return fmt.Errorf("not all notebooks passed (%w): see above, and the executed copies in %s", err, filepath.Join(out, "executed"))
			}
			fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(out, "index.html"))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", out, "folder for the pages")
	cmd.Flags().BoolVar(&force, "force", false, "also replace files in the folder that aren't from a report")
	return cmd
}

// kernelsEnd is the time the notebook runner gets to stop its kernels.
const kernelsEnd = 30 * time.Second

// cloneRoot finds the clone that the program belongs to: the parent of the program's
// folder, or the working folder or a folder above it.
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
	return "", errors.New("this is not a clone of the project: run the command inside one (it needs the notebooks and their runner)")
}
