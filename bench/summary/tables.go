package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// labels are what groups are called in the README; others by their names.
var labels = map[string]string{
	"inference":  "inference, ViT-S/16 and B/16",
	"small":      "small models, up to 65 tokens",
	"neighbours": "inference beside one busy process",
	"start":      "from start to the first answer",
	"training":   "a training step with Adam, also accumulated, checkpointed",
	"attention":  "the [class] token's attention in all layers",
	"explain":    "maps that explain a class, and a forward pass",
	"caption":    "captions at CATR's size",
	"pipeline":   "decoding and augmenting, on one core",
	"scaling":    "ViT-S/16 by batch, resolution and layers",
}

// span is the least and the greatest of what each row gives.
func span(rows []row, of func(row) (float64, bool), show func(float64) string) string {
	var all []string
	var values []float64
	for _, r := range rows {
		if v, ok := of(r); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return "–"
	}
	all = append(all, show(slices.Min(values)))
	if most := show(slices.Max(values)); most != all[0] {
		all = append(all, most)
	}
	return strings.Join(all, " to ")
}

func ratio(x float64) string { return fmt.Sprintf("%.2f", x) }

// number has three significant digits.
func number(x float64) string {
	if x == 0 {
		return "0"
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(math.Abs(x))))), x)
}

// table is a table in Markdown.
func table(head []string, body [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, cells := range body {
		line(cells)
	}
	return b.String()
}

// index is results/README.md: for each processor, Gaze's speed relative to the best peer.
func index(runs []run) string {
	var groups []string
	for _, r := range runs {
		for _, g := range r.groups() {
			if !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
		}
	}
	var body [][]string
	for _, r := range runs {
		cells := []string{fmt.Sprintf("[%s](%s/bench.md), %d cores", r.title(), r.folder, r.Machine.Cores), r.date()}
		for _, g := range groups {
			cells = append(cells, span(r.of(g), row.toBest, ratio))
		}
		body = append(body, cells)
	}
	return "# Results for each processor\n\n" +
		"Gaze's speed relative to the fastest other peer, by the medians: the least and the greatest of each group's rows. Above 1, Gaze is\n" +
		"faster. The date is that of the newest row. `make bench` writes this page; [how it is measured](../README.md).\n\n" +
		table(append([]string{"processor", "date"}, groups...), body)
}

// section is the README's tables, one for each processor.
func section(runs []run) string {
	var parts []string
	for _, r := range runs {
		head := []string{"", "Gaze", "times as fast as the fastest other", "as torch eager", "peak memory beside the leanest other"}
		var body [][]string
		for _, g := range r.groups() {
			rows := r.of(g)
			if len(rows) == 0 {
				continue
			}
			label := labels[g]
			if label == "" {
				label = g
			}
			first, _ := rows[0].gaze()
			body = append(body, []string{
				label, fmt.Sprintf("%s %s (%s)", number(first.figure()), rows[0].Unit, rows[0].Name),
				span(rows, row.toBest, ratio), span(rows, row.toTorch, ratio), span(rows, row.memory, ratio),
			})
		}
		title := fmt.Sprintf("**%s**, %d cores, %s ([all rows](bench/results/%s/bench.md)):", r.title(), r.Machine.Cores, r.date(), r.folder)
		parts = append(parts, title+"\n\n"+table(head, body)+r.share())
	}
	return strings.Join(parts, "\n")
}

// share says how much of the processor's peak rate inference reaches.
func (r run) share() string {
	of := func(row row) (float64, bool) {
		g, _ := row.gaze()
		if row.Task.Model == nil || g.Rate == 0 || r.Machine.Peak == 0 {
			return 0, false
		}
		return 100 * g.Rate * row.Task.Model.operations() * 1e-9 / r.Machine.Peak, true
	}
	text := span(r.of("inference"), of, func(x float64) string { return fmt.Sprintf("%.0f", x) })
	if text == "–" {
		return ""
	}
	return fmt.Sprintf("\nInference reaches %s %% of this processor's peak float32 rate, %s GFLOP/s measured in registers.\n", text, number(r.Machine.Peak))
}
