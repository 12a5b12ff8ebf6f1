package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/pkg/data"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
	"gaze/pkg/train"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// Every file that a command writes is planned and written here, so that none lands
// on what the command reads or on what Gaze didn't make.

// forceFlag defines --force.
func forceFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "force", false, "replace existing files that Gaze didn't write (never one that is read here)")
}

// newPlan is an empty plan of what a command reads and writes.
func newPlan(cmd *cobra.Command, force bool) *outputs.Plan {
	p := outputs.New(force)
	p.Warn = func(text string) { warn(cmd, []string{text}) }
	if f, ok := cmd.OutOrStdout().(*os.File); ok {
		p.Prints(f, "standard output")
	}
	return p
}

// planFile plans a single file that a flag names. It may be a device or a pipe.
func planFile(p *outputs.Plan, path, flag string) { p.WritesStream(path, flag) }

// checkPlan checks a plan before anything is written. What contradicts itself is
// wrong usage; collide says what to do about outputs of the same name.
func checkPlan(cmd *cobra.Command, p *outputs.Plan, collide string) error {
	err := p.Check()
	var conflict *outputs.Conflict
	if !errors.As(err, &conflict) {
		return err
	}
	text := oneLine(err)
	if conflict.Collision {
		text += ": " + collide
	} else {
		text += ": nothing was written; name another file or folder"
	}
	return misuse(cmd, errors.New(text))
}

const anotherFile = "name another file for one of them"

// besides is where lines go that a command prints besides its files: to standard
// output, unless a file is written there.
func besides(cmd *cobra.Command, files ...string) io.Writer {
	if slices.ContainsFunc(files, outputs.IsStdout) {
		return cmd.ErrOrStderr()
	}
	return cmd.OutOrStdout()
}

// checkFigureName makes sure that a figure's name says what it is.
func checkFigureName(path string, endings ...string) error {
	if outputs.IsStream(path) || slices.Contains(endings, strings.ToLower(filepath.Ext(path))) {
		return nil
	}
	return fmt.Errorf("-o %s: figures are written as %s", path, strings.Join(endings, " or "))
}

// writeFigure draws a figure to a planned file, as SVG if its name says so, else as
// PNG.
func writeFigure(p *outputs.Plan, path string, f plots.Figure) error {
	if isSVG(path) {
		text, err := f.SVG()
		if err != nil {
			return err
		}
		return p.WriteBytes(path, []byte(text))
	}
	data, err := plots.PNG(f, 2)
	if err != nil {
		return err
	}
	return p.WriteBytes(path, data)
}

// writeNPY writes a tensor's values to a planned file as .npy.
func writeNPY(p *outputs.Plan, path string, t *weights.Tensor) error {
	return p.Write(path, func(w io.Writer) error { return weights.EncodeNPY(w, t) })
}

// checkpointFiles lists what is read, or would be if it were there, when a
// checkpoint is opened: a file, a folder, a run, or a name of the catalogue.
func checkpointFiles(fileOrName string) []string {
	path, err := hub.Resolve(fileOrName)
	if err != nil {
		return nil // opening it says what is wrong
	}
	files := append(modelFiles(path), path)
	if model, err := train.ModelFile(path); err == nil && model != path { // the best model of a run
		files = append(files, modelFiles(model)...)
	}
	return append(files, runFiles(path)...)
}

// modelFiles lists the files that are read of a Vision Transformer or a captioner at
// path, and, in a folder, those that would be opened instead if they were written.
func modelFiles(path string) []string {
	files := append(vit.Files(path), hub.CaptionerFiles(path)...)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		for _, name := range weights.FolderNames() {
			files = append(files, filepath.Join(path, name))
		}
	}
	return files
}

// runFiles lists what gaze train keeps of a run in its folder; nothing if there is
// no run in it.
func runFiles(dir string) []string {
	manifest := filepath.Join(dir, "run.json")
	if _, err := os.Stat(manifest); err != nil {
		return nil
	}
	files := append(folderFiles(filepath.Join(dir, "best"), nil), folderFiles(filepath.Join(dir, "checkpoints"), nil)...)
	files = append(files, folderFiles(dir, func(name string) bool { return strings.HasPrefix(name, "events.out.") })...)
	return append(files, manifest, filepath.Join(dir, "metrics.jsonl"), filepath.Join(dir, "pictures.csv"),
		filepath.Join(dir, "best", "model.safetensors"), filepath.Join(dir, "best", "config.json"))
}

// folderFiles lists the files directly in a folder whose names are wanted; all of
// them if wanted is nil.
func folderFiles(dir string, wanted func(name string) bool) []string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var files []string
	for _, e := range list {
		if !e.IsDir() && (wanted == nil || wanted(e.Name())) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

// datasetFiles lists the files of a data set: its pictures, tables, and names of
// classes, also those that would be read if they were there.
func datasetFiles(path string, set *data.Dataset) []string {
	var files []string
	for _, item := range set.Items {
		files = append(files, item.Path)
	}
	for _, dir := range []string{path, filepath.Dir(path), set.Root, filepath.Dir(set.Root)} {
		files = append(files, filepath.Join(dir, "classes.txt"))
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return append(files, path)
	}
	for _, dir := range []string{path, set.Root} {
		files = append(files, folderFiles(dir, func(name string) bool { return strings.EqualFold(filepath.Ext(name), ".csv") })...)
	}
	return files
}

// emptyEvents is more than the file of events of a run has that hasn't begun.
const emptyEvents = 64

// checkNewRun is an error if training into a folder that holds no run would replace
// a file, or make the folder of a model stand for the run. What else is in the folder
// doesn't matter.
func checkNewRun(dir string) error {
	for file, most := range map[string]int64{
		filepath.Join("checkpoints", "last.safetensors"): -1,
		filepath.Join("best", "model.safetensors"):       -1,
		filepath.Join("best", "config.json"):             -1,
		"metrics.jsonl":                                  0, // left by a run that was killed as it began
	} {
		if err := notThere(filepath.Join(dir, file), most); err != nil {
			return err
		}
	}
	for _, name := range append([]string{"config.json"}, weights.FolderNames()...) {
		if path := filepath.Join(dir, name); exists(path) {
			return fmt.Errorf("%s is there: the folder holds a model, and would stand for the run from then on, so name another folder", path)
		}
	}
	for _, path := range folderFiles(dir, func(name string) bool { return strings.HasPrefix(name, "events.out.") }) {
		if err := notThere(path, emptyEvents); err != nil {
			return err
		}
	}
	return nil
}

// exists tells whether there is anything at a path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// notThere is an error if there is anything at a path but a file of at most so many
// bytes.
func notThere(path string, most int64) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && info.Size() <= most {
		return nil
	}
	return fmt.Errorf("%s is there already, though there is no run.json in its folder: a new run would replace it, so name another folder", path)
}
