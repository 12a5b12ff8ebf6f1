package main

import (
	"bytes"
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

// Every file that a command writes is planned and written here, so that no command
// overwrites a file that it reads or a file that Gaze didn't write.

// forceFlag defines --force.
func forceFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "force", false, "also replace existing files that Gaze didn't write (never a file that this command reads)")
}

// newPlan returns an empty plan of the files that a command reads and writes.
func newPlan(cmd *cobra.Command, force bool) *outputs.Plan {
	p := outputs.New(force)
	p.Warn = func(text string) { warn(cmd, []string{text}) }
	if f, ok := cmd.OutOrStdout().(*os.File); ok {
		p.Prints(f, "standard output")
	}
	return p
}

// planFile plans the output file given by a flag. It may be a device or a pipe.
func planFile(p *outputs.Plan, path, flag string) { p.WritesStream(path, flag) }

// checkPlan checks a plan before anything is written. Conflicts are wrong usage;
// collide is the advice given when several outputs have the same name.
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

// lineOutput returns the stream for lines printed in addition to the files: standard
// output, or standard error if one of the files is standard output.
func lineOutput(cmd *cobra.Command, files ...string) io.Writer {
	if slices.ContainsFunc(files, outputs.IsStdout) {
		return cmd.ErrOrStderr()
	}
	return cmd.OutOrStdout()
}

// checkFigureName checks that a figure's file name has one of the endings.
func checkFigureName(path string, endings ...string) error {
	if outputs.IsStream(path) || slices.Contains(endings, strings.ToLower(filepath.Ext(path))) {
		return nil
	}
	return fmt.Errorf("-o %s: figures are written as %s", path, strings.Join(endings, " or "))
}

// writeFigure draws a figure to a planned file.
func writeFigure(p *outputs.Plan, path string, f plots.Figure) error {
	data, err := encodeFigure(path, f)
	if err != nil {
		return err
	}
	return p.WriteBytes(path, data)
}

// encodeFigure draws a figure as SVG if the file's name ends in .svg, otherwise as PNG.
func encodeFigure(path string, f plots.Figure) ([]byte, error) {
	if isSVG(path) {
		text, err := f.SVG()
		return []byte(text), err
	}
	return plots.PNG(f, 2)
}

// encodeNPY is a tensor as a .npy file.
func encodeNPY(t *weights.Tensor) ([]byte, error) {
	var buf bytes.Buffer
	err := weights.EncodeNPY(&buf, t)
	return buf.Bytes(), err
}

// newFile is the content of a file that is still to be written.
type newFile struct {
	path string
	data []byte
}

// writeAll writes planned files.
func writeAll(p *outputs.Plan, files []newFile) error {
	for _, f := range files {
		if err := p.WriteBytes(f.path, f.data); err != nil {
			return err
		}
	}
	return nil
}

// writeNPY writes a tensor to a planned .npy file.
func writeNPY(p *outputs.Plan, path string, t *weights.Tensor) error {
	return p.Write(path, func(w io.Writer) error { return weights.EncodeNPY(w, t) })
}

// checkpointFiles lists the files that opening a checkpoint reads, including optional
// ones that don't exist. The checkpoint is a file, a folder, a run or a catalogue name.
func checkpointFiles(fileOrName string) []string {
	path, err := hub.Resolve(fileOrName)
	if err != nil {
		return nil // opening it reports the error
	}
	files := append(modelFiles(path), path)
	if model, err := train.ModelFile(path); err == nil && model != path { // the best model of a run
		files = append(files, modelFiles(model)...)
	}
	return append(files, runFiles(path)...)
}

// modelFiles lists the files read for a Vision Transformer or a captioner at path and,
// in a folder, the files that would be opened instead if they existed.
func modelFiles(path string) []string {
	files := append(vit.Files(path), hub.CaptionerFiles(path)...)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		for _, name := range weights.FolderNames() {
			files = append(files, filepath.Join(path, name))
		}
	}
	return files
}

// runFiles lists the files of a gaze train run in its folder, or nothing if the folder
// holds no run.
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

// folderFiles lists the files directly in a folder whose names wanted accepts, or all
// of them if wanted is nil.
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

// datasetFiles lists the files of a data set: pictures, tables and class names,
// including optional files that don't exist.
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

// emptyEvents is larger, in bytes, than the events file of a run that has logged
// nothing yet.
const emptyEvents = 64

// checkNewRun reports an error if training into a folder that holds no run would
// replace a file, or if the folder holds a model, which would then be opened as the
// run's. Other files in the folder don't matter.
func checkNewRun(dir string) error {
	for file, most := range map[string]int64{
		filepath.Join("checkpoints", "last.safetensors"): -1,
		filepath.Join("best", "model.safetensors"):       -1,
		filepath.Join("best", "config.json"):             -1,
		"metrics.jsonl":                                  0, // left empty by a run that was killed at its start
	} {
		if err := checkAbsent(filepath.Join(dir, file), most); err != nil {
			return err
		}
	}
	for _, name := range append([]string{"config.json"}, weights.FolderNames()...) {
		if path := filepath.Join(dir, name); exists(path) {
			return fmt.Errorf("%s exists: the folder holds a model, which would be taken for the run's result; choose another folder", path)
		}
	}
	for _, path := range folderFiles(dir, func(name string) bool { return strings.HasPrefix(name, "events.out.") }) {
		if err := checkAbsent(path, emptyEvents); err != nil {
			return err
		}
	}
	return nil
}

// exists reports whether there is a file of any kind at a path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// checkAbsent reports an error if anything exists at path, unless it is a regular file of
// at most the given number of bytes.
func checkAbsent(path string, most int64) error {
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
	return fmt.Errorf("%s exists, but there is no run.json in its folder: a new run would replace it; choose another folder", path)
}
