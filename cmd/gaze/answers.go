package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// answer is what a classifier says of a picture.
type answer struct {
	Filename    string   `json:"filename"`
	Class       int      `json:"class"`
	Label       string   `json:"label"`
	Probability float64  `json:"probability"`
	Top         []choice `json:"top,omitempty"` // the likeliest first, if asked for
}

// choice is one of the likeliest classes.
type choice struct {
	Class       int     `json:"class"`
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
}

// newAnswer reads logits; of classes that are equally likely the first counts.
func newAnswer(filename string, logits []float32, names []string, top int) (answer, error) {
	probabilities, err := softmax(logits)
	if err != nil {
		return answer{}, err
	}
	pick := func(class int) choice { return choice{class, label(class, names), probabilities[class]} }
	best := pick(argmax(logits))
	a := answer{Filename: filename, Class: best.Class, Label: best.Label, Probability: best.Probability}
	if top == 0 {
		return a, nil
	}
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(logits[j], logits[i]) })
	for _, class := range order[:min(top, len(order))] {
		a.Top = append(a.Top, pick(class))
	}
	return a, nil
}

// softmax turns logits into probabilities. Damaged weights can make logits that are
// no numbers, of which no class is the likeliest.
func softmax(logits []float32) ([]float64, error) {
	most := math.Inf(-1)
	for _, v := range logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, errors.New("the model's answer isn't finite: are its weights damaged? ('gaze model FILE' looks)")
		}
		most = max(most, float64(v))
	}
	out, sum := make([]float64, len(logits)), 0.0
	for i, v := range logits {
		out[i] = math.Exp(float64(v) - most)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out, nil
}

// label is a class's name, or its number where there are no names.
func label(class int, names []string) string {
	if names == nil {
		return strconv.Itoa(class)
	}
	return names[class]
}

// answerWriter takes answers and writes them: rows to standard output at once, a file or
// JSON at the end.
type answerWriter struct {
	answers int
	header  []string
	rows    [][]string // for a file
	list    []answer   // for JSON

	cmd    *cobra.Command
	file   bool
	asJSON bool
	table  *answerTable // on a terminal
	stream bool         // rows go to standard output as csv
}

// answerWriter says where answers go: to a file, as JSON, as a table on a terminal, else
// as csv to standard output.
func (c *classifyFlags) answerWriter(b *batch, s *session, labels []string) *answerWriter {
	r := &answerWriter{cmd: b.cmd, file: c.file() != "", asJSON: c.asJSON, header: []string{"filename", "label"}}
	for i := range min(c.top, s.model.Config.Classes) {
		r.header = append(r.header, fmt.Sprintf("label%d", i+1), fmt.Sprintf("p%d", i+1))
	}
	switch {
	case r.file || r.asJSON:
	case c.out == "" && isTerminal(b.cmd.OutOrStdout()):
		var names []string
		for _, picture := range b.listing.Pictures {
			names = append(names, picture.Name)
		}
		r.table = newAnswerTable(names, labels, s.model.Config.Classes)
	default:
		r.stream = true
	}
	return r
}

// add takes the next answer.
func (r *answerWriter) add(a answer) error {
	out := r.cmd.OutOrStdout()
	r.answers++
	if r.asJSON {
		r.list = append(r.list, a)
	}
	switch {
	case r.file:
		r.rows = append(r.rows, r.row(a))
	case r.table != nil:
		return r.table.write(out, a, r.answers == 1)
	case r.stream && r.answers == 1:
		return writeRows(out, r.header, r.row(a))
	case r.stream:
		return writeRows(out, r.row(a))
	}
	return nil
}

// close writes the JSON.
func (r *answerWriter) close() error {
	if !r.asJSON {
		return nil
	}
	return writeJSON(r.cmd, r.list)
}

// row is an answer as a row of csv.
func (r *answerWriter) row(a answer) []string {
	row := []string{a.Filename, a.Label}
	for _, c := range a.Top {
		row = append(row, c.Label, strconv.FormatFloat(c.Probability, 'g', 6, 64))
	}
	return row
}

// csv is the file of all answers, names quoted where csv must.
func (r *answerWriter) csv() ([]byte, error) {
	var buf bytes.Buffer
	err := writeRows(&buf, append([][]string{r.header}, r.rows...)...)
	return buf.Bytes(), err
}

func writeRows(out io.Writer, rows ...[]string) error { return csv.NewWriter(out).WriteAll(rows) }

// answerTable writes answers for a person. Its columns are as wide as the names
// that can come, so that rows needn't wait for each other.
type answerTable struct{ file, label int }

// Bounds of the columns.
const (
	maxFileColumns  = 40
	maxLabelColumns = 32
)

func newAnswerTable(files, labels []string, classes int) *answerTable {
	t := &answerTable{file: len("file"), label: max(len("label"), len(strconv.Itoa(classes)))}
	for _, name := range files {
		t.file = max(t.file, min(columnsOf(printable(name)), maxFileColumns))
	}
	for _, name := range labels {
		t.label = max(t.label, min(columnsOf(printable(name)), maxLabelColumns))
	}
	return t
}

// write writes a picture's lines: its label, or the likeliest classes one below the
// other.
func (t *answerTable) write(out io.Writer, a answer, first bool) error {
	var text strings.Builder
	if first {
		text.WriteString(t.line("file", "label", "probability"))
	}
	choices := a.Top
	if choices == nil {
		choices = []choice{{a.Class, a.Label, a.Probability}}
	}
	file := a.Filename
	for _, c := range choices {
		text.WriteString(t.line(file, c.Label, fmt.Sprintf("%11.4f", c.Probability)))
		file = ""
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func (t *answerTable) line(file, label, probability string) string {
	return cell(file, t.file) + "  " + cell(label, t.label) + "  " + probability + "\n"
}

// cell fills a text up to a column's width.
func cell(text string, columns int) string {
	text = clip(printable(text), columns)
	return text + strings.Repeat(" ", max(0, columns-columnsOf(text)))
}
