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
			"index. It needs a clone of the project that 'make setup' has prepared. A folder that holds\n" +
			"an earlier report is written anew; files that no report made are only replaced with --force.",
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
			// The runner ends its kernels when it is interrupted; killed, it would leave them.
			run.Cancel, run.WaitDelay = func() error { return run.Process.Signal(os.Interrupt) }, kernelsEnd
			err = run.Run()
			var exit *exec.ExitError
			switch {
			case cmd.Context().Err() != nil:
				return cmd.Context().Err()
			case errors.As(err, &exit) && exit.ExitCode() == 2: // before any notebook ran
				return fmt.Errorf("the report can't be written to %s: see above", out)
			case err != nil:
				return fmt.Errorf("the notebooks didn't all pass (%w): see above, and the executed copies in %s", err, filepath.Join(out, "executed"))
			}
			fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(out, "index.html"))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", out, "folder for the pages")
	cmd.Flags().BoolVar(&force, "force", false, "replace files in that folder that no report made, too")
	return cmd
}

// kernelsEnd is how long the notebooks' runner may take to end its kernels.
const kernelsEnd = 30 * time.Second

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
