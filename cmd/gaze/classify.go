package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gaze/internal/atomicfile"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

func newClassify() *cobra.Command {
	var model, pipeline, namesFile, out, logitsFile string
	cmd := &cobra.Command{
		Use:   "classify --model FILE -o pred.csv PATH...",
		Short: "Classify pictures",
		Long: "Classify pictures and write a csv with the header filename,label and a row per picture,\n" +
			"in the order of their names. The label is the class's number, counted from 0, or its\n" +
			"name with --names. A picture that can't be read is named on standard error and left\n" +
			"out; the exit status is then 1.",
		Example: "  gaze classify --model vit-base-patch16-224 -o pred.csv --logits logits.npy photos/",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if logitsFile != "" && filepath.Clean(logitsFile) == filepath.Clean(out) {
				return misuse(cmd, fmt.Errorf("--logits: %s is the csv already: name another file", logitsFile))
			}
			if err := checkFolders(out, logitsFile); err != nil {
				return err
			}
			s, err := openSession(cmd, model, pipeline)
			if err != nil {
				return err
			}
			defer s.close()
			if err := s.model.CheckHead(); err != nil {
				return err
			}
			labels, err := readNames(namesFile, s.model.Config.Classes)
			if err != nil {
				return err
			}
			var rows [][]string
			var logits []float32
			failed := forEachPicture(cmd.Context(), args, cmd.ErrOrStderr(), func(path string, im *transform.Image) error {
				o, err := s.run(im, vit.Want{Logits: true})
				if err != nil {
					return err
				}
				logits = append(logits, o.Logits.Values...)
				rows = append(rows, []string{filepath.Base(path), label(argmax(o.Logits.Values), labels)})
				return nil
			})
			// A csv cut short by an interruption would pass for a whole one.
			if failed != nil && (len(rows) == 0 || cmd.Context().Err() != nil) {
				return failed
			}
			if err := writeCSV(out, rows); err != nil {
				return err
			}
			if logitsFile != "" {
				t := weights.NewTensor("logits", []int{len(rows), s.model.Config.Classes}, logits)
				if err := weights.WriteNPY(logitsFile, t); err != nil {
					return err
				}
			}
			return failed
		},
	}
	f := cmd.Flags()
	modelFlag(cmd, &model)
	f.StringVar(&pipeline, "pipeline", "", "how pictures are prepared (default: as the checkpoint says; 'gaze model FILE' shows it)")
	f.StringVar(&namesFile, "names", "", "file with a class name per line, written instead of numbers")
	f.StringVarP(&out, "output", "o", "", "the csv to write")
	f.StringVar(&logitsFile, "logits", "", "write the logits as float32 [pictures, classes]")
	require(cmd, "model", "output")
	return cmd
}

// readNames reads a class name per line and checks that there are enough.
func readNames(path string, classes int) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), "\n")
	if len(lines) != classes {
		return nil, fmt.Errorf("%s has %d names, the model %d classes", path, len(lines), classes)
	}
	return lines, nil
}

func label(class int, names []string) string {
	if names == nil {
		return strconv.Itoa(class)
	}
	return names[class]
}

// argmax returns the index of the largest value, the first of equals.
func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}

// writeCSV writes the predictions, quoting names where csv must.
func writeCSV(path string, rows [][]string) error {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	if err := w.Write([]string{"filename", "label"}); err != nil {
		return err
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, buf.Bytes())
}
