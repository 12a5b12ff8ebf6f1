package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gaze/internal/environ"
	"gaze/internal/report"
	"gaze/pkg/hub"
)

// reportFlags are the settings of 'gaze report'.
type reportFlags struct {
	out, title, author string
	force              bool
}

func newReport() *cobra.Command {
	f := reportFlags{out: "report"}
	cmd := &cobra.Command{
		Use:   "report [NOTEBOOK…]",
		Short: "Run notebooks and export HTML pages with an index",
		Long: "Run the clone's notebooks, or those that are named, with the Go (Gaze) kernel and export\n" +
			"self-contained HTML pages: one for each notebook, an index, and all of them on one page to\n" +
			"print or to hand in (all.html; in the browser's print dialog, save it as PDF). Your own\n" +
			"notebooks may lie anywhere.\n\n" +
			"This needs a clone of the project in which 'make setup' was run. An earlier report in the\n" +
			"folder is replaced; if notebooks are named, only these are run, and the others of the\n" +
			"earlier report stay in it. Other files are replaced only with --force.",
		Example: "  gaze report -o report && open report/index.html\n" +
			"  gaze report notebooks/3-class-attention.ipynb\n" +
			"  gaze report -o mine --title \"Attention on my own cats\" --author \"A. Student\" ~/mine/cats.ipynb",
		RunE: func(cmd *cobra.Command, args []string) error {
			root, err := cloneRoot()
			if err != nil {
				return err
			}
			notebooks, err := notebookPaths(args)
			if err != nil {
				return misuse(cmd, err)
			}
			if needsModels(root, notebooks) {
				progress := &progressLine{w: cmd.ErrOrStderr()}
				if err := report.Prepare(cmd.Context(), root, hub.Options{Progress: progress.show}); err != nil {
					return err
				}
			}
			if err := f.run(cmd, root, notebooks); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(f.out, "index.html"))
			return nil
		},
	}
	cmd.Flags().StringVarP(&f.out, "output", "o", f.out, "folder for the pages")
	cmd.Flags().StringVar(&f.title, "title", "", "title of the index and of the page to print (default \"Gaze report\")")
	cmd.Flags().StringVar(&f.author, "author", "", "author's name on the cover of the page to print")
	cmd.Flags().BoolVar(&f.force, "force", false, "also replace files in the folder that aren't from a report")
	return cmd
}

// notebookPaths checks the named notebooks and returns their absolute paths: the runner
// works in the clone's folder.
func notebookPaths(args []string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		status, err := os.Stat(arg)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%s: there is no such file", arg)
		case err != nil:
			return nil, fmt.Errorf("%s can't be read: %w", arg, err)
		case status.IsDir():
			return nil, fmt.Errorf("%s is a folder: name the notebooks in it, for example %s", arg, filepath.Join(arg, "*.ipynb"))
		case filepath.Ext(arg) != ".ipynb":
			return nil, fmt.Errorf("%s isn't a notebook: its name should end in .ipynb", arg)
		}
		path, err := filepath.Abs(arg)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// needsModels says whether any of the notebooks is one of the clone's own, whose models and
// photographs are fetched beforehand; without names all of these are run.
func needsModels(root string, notebooks []string) bool {
	for _, path := range notebooks {
		if filepath.Dir(path) == filepath.Join(root, "notebooks") {
			return true
		}
	}
	return len(notebooks) == 0
}

// run starts the notebook runner and waits for its end.
func (f *reportFlags) run(cmd *cobra.Command, root string, notebooks []string) error {
	python := filepath.Join(root, ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return fmt.Errorf("%s doesn't exist: run 'make setup' in %s first", python, root)
	}
	abs, err := filepath.Abs(f.out)
	if err != nil {
		return err
	}
	start, err := environ.StartFolder()
	if err != nil {
		return err
	}
	script := []string{filepath.Join(root, "tools", "notebooks", "run.py"), "-o", abs, "--title=" + f.title, "--author=" + f.author}
	if f.force {
		script = append(script, "--force")
	}
	script = append(append(script, "--"), notebooks...)
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
		return fmt.Errorf("the report can't be written to %s: see above", f.out)
	case err != nil:
		return fmt.Errorf("not all notebooks passed (%w): see above, and the executed copies in %s", err, filepath.Join(f.out, "executed"))
	}
	return nil
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
