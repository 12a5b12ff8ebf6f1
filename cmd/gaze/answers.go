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

// answer is a classifier's prediction for a picture.
type answer struct {
	Filename    string   `json:"filename"`
	Class       int      `json:"class"`
	Label       string   `json:"label"`
	Probability float64  `json:"probability"`
	Top         []choice `json:"top,omitempty"` // likeliest first; only with --top
	Pet         *float64 `json:"pet,omitempty"` // of pets37: the probability that there is a cat or a dog
}

// choice is one of the likeliest classes.
type choice struct {
	Class       int     `json:"class"`
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
}

// newAnswer makes an answer from logits. Ties go to the class with the lower number.
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

// softmax turns logits into probabilities. Logits that aren't finite, as damaged
// weights can give, are an error: they have no likeliest class.
func softmax(logits []float32) ([]float64, error) {
	most := math.Inf(-1)
	for _, v := range logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, errors.New("the model's logits aren't finite: its weights may be damaged ('gaze model FILE' checks them)")
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

// label is a class's name, or its number if there are no names.
func label(class int, names []string) string {
	if names == nil {
		return strconv.Itoa(class)
	}
	return names[class]
}

// answerWriter collects and writes answers: rows for standard output at once, a file or
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

// answerWriter decides where answers go: to a file, as JSON, as a table on a terminal,
// otherwise as CSV to standard output.
func (c *classifyFlags) answerWriter(b *batch, s classifier, labels []string) *answerWriter {
	r := &answerWriter{cmd: b.cmd, file: c.file() != "", asJSON: c.asJSON, header: []string{"filename", "label"}}
	for i := range min(c.top, s.classes()) {
		r.header = append(r.header, fmt.Sprintf("label%d", i+1), fmt.Sprintf("p%d", i+1))
	}
	switch {
	case r.file || r.asJSON:
	case c.out == "" && isTerminal(b.cmd.OutOrStdout()):
		var names []string
		for _, picture := range b.listing.Pictures {
			names = append(names, picture.Name)
		}
		r.table = newAnswerTable(names, labels, s.classes())
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

// row is an answer as a CSV row.
func (r *answerWriter) row(a answer) []string {
	row := []string{a.Filename, a.Label}
	for _, c := range a.Top {
		row = append(row, c.Label, strconv.FormatFloat(c.Probability, 'g', 6, 64))
	}
	return row
}

// csv is the CSV file of all answers, with names quoted where needed.
func (r *answerWriter) csv() ([]byte, error) {
	var buf bytes.Buffer
	err := writeRows(&buf, append([][]string{r.header}, r.rows...)...)
	return buf.Bytes(), err
}

func writeRows(out io.Writer, rows ...[]string) error { return csv.NewWriter(out).WriteAll(rows) }

// answerTable writes answers as a table for people to read. Column widths come from
// all possible names, so each row can be written at once.
type answerTable struct{ file, label int }

// The largest column widths.
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

// write writes a picture's lines: its label, or its likeliest classes, one per line.
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

// cell clips or pads a text to a column's width.
func cell(text string, columns int) string {
	text = clip(printable(text), columns)
	return text + strings.Repeat(" ", max(0, columns-columnsOf(text)))
}
