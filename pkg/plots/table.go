package plots

import (
	"fmt"
	"html"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Align is the alignment of a column's cells.
type Align uint8

// The alignments of a column.
const (
	AlignAuto Align = iota // right if all its values are numbers, else left
	AlignLeft
	AlignRight
	AlignCenter
)

// Best says which number of a column is the best. The best number is bold.
type Best uint8

// The meanings of best.
const (
	BestNone Best = iota
	BestHighest
	BestLowest
)

// Column describes one column of a Table.
type Column struct {
	Name   string
	Align  Align
	Format string // format of the numbers for package fmt, such as "%.3f"; empty: "%v"
	Best   Best
}

// Table is a table that can be shown as HTML, Markdown or plain text. Values are
// strings, numbers, or anything that fmt can print; nil and NaN are shown as a
// dash. Rows may be shorter than Columns; values beyond Columns are ignored. If no column
// has a name, the first values of the rows are the heads.
type Table struct {
	Caption   string
	Columns   []Column
	Rows      [][]any
	Highlight []int // rows with a background colour, such as the best one
}

// cell is a formatted value.
type cell struct {
	text string
	best bool
}

// asNumber returns the value of a number of any Go type.
func asNumber(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case float32:
		return float64(x), true
	case int:
		return float64(x), true
	case int64:
		return float64(x), true
	case int32:
		return float64(x), true
	case uint64:
		return float64(x), true
	case uint32:
		return float64(x), true
	case uint8:
		return float64(x), true
	}
	return 0, false
}

func (t Table) value(row, col int) any {
	if row < len(t.Rows) && col < len(t.Rows[row]) {
		return t.Rows[row][col]
	}
	return nil
}

// align returns the alignment of a column, with AlignAuto resolved.
func (t Table) align(col int) Align {
	if a := t.Columns[col].Align; a != AlignAuto {
		return a
	}
	some := false
	for r := range t.Rows {
		v := t.value(r, col)
		if v == nil {
			continue
		}
		if _, ok := asNumber(v); !ok {
			return AlignLeft
		}
		some = true
	}
	if some {
		return AlignRight
	}
	return AlignLeft
}

// format formats a value; any white space becomes a blank, and a number's hyphen a minus sign.
func (t Table) format(v any, col int) string {
	n, isNumber := asNumber(v)
	switch {
	case v == nil || isNumber && math.IsNaN(n):
		return "–"
	case isNumber && t.Columns[col].Format != "":
		return minus(fmt.Sprintf(t.Columns[col].Format, v))
	case isNumber:
		return minus(fmt.Sprint(v))
	}
	return Signs(clean(fmt.Sprint(v)))
}

// cells formats all values and finds the best ones. Values whose formatted text is the
// same are equally good.
func (t Table) cells() [][]cell {
	out := make([][]cell, len(t.Rows))
	for r := range t.Rows {
		out[r] = make([]cell, len(t.Columns))
		for c := range t.Columns {
			out[r][c].text = t.format(t.value(r, c), c)
		}
	}
	for c, col := range t.Columns {
		best, at := math.NaN(), -1
		for r := range t.Rows {
			v, ok := asNumber(t.value(r, c))
			if !ok || math.IsNaN(v) || col.Best == BestNone {
				continue
			}
			if at < 0 || col.Best == BestHighest && v > best || col.Best == BestLowest && v < best {
				best, at = v, r
			}
		}
		for r := range out {
			_, ok := asNumber(t.value(r, c))
			out[r][c].best = at >= 0 && ok && out[r][c].text == out[at][c].text
		}
	}
	return out
}

// short matches values that must not be broken over lines: numbers, intervals, shares.
var short = regexp.MustCompile(`^[-−+±\d.,%×():/ ]{1,12}(to [-−+\d.,%() ]+|\([-−+\d.,% ]+to [-−+\d.,% ]+\)|± [\d.,% ]+)?$`)

// headed says whether the table has a row of heads: whether any column has a name.
func (t Table) headed() bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name != "" })
}

func (t Table) highlighted(row int) bool {
	for _, h := range t.Highlight {
		if h == row {
			return true
		}
	}
	return false
}

// HTML returns the table as HTML with inline styles only. It inherits its colours, and
// its rules and backgrounds are half-transparent, so that it looks right on light and
// dark pages. All text is escaped.
func (t Table) HTML() string {
	var b strings.Builder
	const rule = "rgba(128,128,128,0.55)"
	const thin = "rgba(128,128,128,0.22)"
	b.WriteString(`<table style="border-collapse:collapse;border:none;border-top:1.5px solid ` + rule + `;border-bottom:1.5px solid ` + rule +
		`;margin:0.6em 0;font-size:13px;line-height:1.45;color:inherit;background:transparent;font-variant-numeric:tabular-nums">` + "\n")
	if t.Caption != "" {
		b.WriteString(`<caption style="caption-side:top;text-align:left;font-weight:600;padding:0 0 6px 0;color:inherit">` + html.EscapeString(t.Caption) + "</caption>\n")
	}
	if t.headed() {
		b.WriteString(`<thead><tr style="background:transparent">`)
		for c, col := range t.Columns {
			fmt.Fprintf(&b, `<th scope="col" style="text-align:%s;font-weight:600;padding:4px 12px;border:none;border-bottom:1px solid %s;background:transparent">%s</th>`,
				t.align(c).css(), rule, html.EscapeString(col.Name))
		}
		b.WriteString("</tr></thead>\n")
	}
	b.WriteString("<tbody>\n")
	for r, row := range t.cells() {
		ground := "transparent"
		if t.highlighted(r) {
			ground = "rgba(86,180,233,0.20)"
		}
		fmt.Fprintf(&b, `<tr style="background:%s">`, ground)
		for c, v := range row {
			border := "border-top:1px solid " + thin
			if r == 0 {
				border = "border-top:none"
			}
			weight := ""
			if v.best {
				weight = ";font-weight:700"
			}
			if strings.Contains(v.text, " ") && short.MatchString(v.text) {
				weight += ";white-space:nowrap"
			}
			if c == 0 && !t.headed() {
				fmt.Fprintf(&b, `<th scope="row" style="text-align:left;font-weight:600;padding:3px 12px;border:none;%s;background:transparent">%s</th>`,
					border, html.EscapeString(v.text))
				continue
			}
			fmt.Fprintf(&b, `<td style="text-align:%s;padding:3px 12px;border:none;%s%s">%s</td>`,
				t.align(c).css(), border, weight, html.EscapeString(v.text))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table>\n")
	return b.String()
}

func (a Align) css() string {
	switch a {
	case AlignRight:
		return "right"
	case AlignCenter:
		return "center"
	}
	return "left"
}

// String returns the table as plain text in columns. The best values are followed by an
// asterisk, and highlighted rows are preceded by one.
func (t Table) String() string {
	return t.text("", "  ", "", false)
}

// Markdown returns the table in GitHub's Markdown; the best values are bold.
func (t Table) Markdown() string {
	return t.text("| ", " | ", " |", true)
}

// text formats the table in columns of characters between the given borders.
func (t Table) text(left, between, right string, markdown bool) string {
	rows := t.grid(markdown)
	widths := make([]int, len(t.Columns))
	for _, row := range rows {
		for c, s := range row {
			widths[c] = max(widths[c], utf8.RuneCountInString(s), 3)
		}
	}
	var b strings.Builder
	if t.Caption != "" {
		if markdown {
			b.WriteString("**" + clean(t.Caption) + "**\n\n")
		} else {
			b.WriteString(clean(t.Caption) + "\n")
		}
	}
	line := func(cells []string) {
		b.WriteString(strings.TrimRight(left+strings.Join(cells, between)+right, " ") + "\n")
	}
	for r, row := range rows {
		if r == 0 && !markdown && !t.headed() {
			continue // Markdown has no tables without heads
		}
		cells := make([]string, len(row))
		for c, s := range row {
			cells[c] = padded(s, widths[c], t.align(c))
		}
		line(cells)
		if r > 0 {
			continue
		}
		for c, w := range widths {
			cells[c] = strings.Repeat("─", w)
			if markdown {
				cells[c] = markdownRule(w, t.align(c))
			}
		}
		line(cells)
	}
	return b.String()
}

// grid returns the header and the rows as text, with the best values marked.
func (t Table) grid(markdown bool) [][]string {
	head := make([]string, len(t.Columns))
	for c, col := range t.Columns {
		head[c] = clean(col.Name)
	}
	rows := [][]string{head}
	for r, row := range t.cells() {
		out := make([]string, len(row))
		for c, v := range row {
			out[c] = v.text
			switch {
			case markdown && v.best:
				out[c] = "**" + v.text + "**"
			case !markdown && v.best:
				out[c] += "*"
			case !markdown && t.align(c) == AlignRight && t.Columns[c].Best != BestNone:
				out[c] += " " // aligned with the digits of the best one
			}
		}
		if !markdown && len(out) > 0 && t.highlighted(r) {
			out[0] = "* " + out[0]
		}
		rows = append(rows, out)
	}
	if markdown {
		for _, row := range rows {
			for c := range row {
				row[c] = strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(row[c])
			}
		}
	}
	return rows
}

func padded(s string, width int, a Align) string {
	n := width - utf8.RuneCountInString(s)
	switch a {
	case AlignRight:
		return strings.Repeat(" ", n) + s
	case AlignCenter:
		return strings.Repeat(" ", n/2) + s + strings.Repeat(" ", n-n/2)
	}
	return s + strings.Repeat(" ", n)
}

func markdownRule(width int, a Align) string {
	switch a {
	case AlignRight:
		return strings.Repeat("-", width-1) + ":"
	case AlignCenter:
		return ":" + strings.Repeat("-", width-2) + ":"
	}
	return strings.Repeat("-", width)
}
