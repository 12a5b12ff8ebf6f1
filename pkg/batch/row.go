package batch

import (
	"github.com/parquet-go/parquet-go"
)

// Row is a row of a part: a picture, and what the job wants of it. Of a bad picture only
// Key, Err and what was known before it failed are there.
type Row struct {
	Key           string
	Width, Height int    // of the picture, upright, in pixels; 0: not known
	Hash          string // SHA-256 of the picture's file, in hexadecimal; "": it couldn't be read
	Result
	Damage string // of a file that is damaged but could be decoded, as data.DecodeWarn says it
	Err    string // why there are no results; "": there are
}

// Result is what models make of a picture. What isn't wanted is empty.
type Result struct {
	Label       string    // the likeliest class's name or, without names, its number
	Class       int       // its number, counted from 0
	Probability float64   // its softmax probability
	Logits      []float32 // of all classes
	Embedding   []float32 // the features that the classification head reads
	Attention   []float32 // softmax weights of the [class] query over the patches, row by row
	Grid        [2]int    // rows and columns of Attention
	Caption     string
	LogProb     float64 // of the caption, natural logarithm
}

// column is a column of a part.
type column struct {
	name   string
	want   string // the result that needs it; "": it is always there
	node   parquet.Node
	filled func(r *Row) bool // nil: it has a value in each row
	value  func(r *Row) parquet.Value
	list   func(r *Row) []float32 // in the place of value, for lists
}

// good says that a row has results.
func good(r *Row) bool { return r.Err == "" }

func text(name, want string, filled func(*Row) bool, value func(*Row) string) column {
	return column{name: name, want: want, node: parquet.String(), filled: filled,
		value: func(r *Row) parquet.Value { return parquet.ByteArrayValue([]byte(value(r))) }}
}

func number(name, want string, filled func(*Row) bool, value func(*Row) int) column {
	return column{name: name, want: want, node: parquet.Leaf(parquet.Int32Type), filled: filled,
		value: func(r *Row) parquet.Value { return parquet.Int32Value(int32(value(r))) }}
}

func double(name, want string, value func(*Row) float64) column {
	return column{name: name, want: want, node: parquet.Leaf(parquet.DoubleType), filled: good,
		value: func(r *Row) parquet.Value { return parquet.DoubleValue(value(r)) }}
}

func floats(name, want string, values func(*Row) []float32) column {
	return column{name: name, want: want, node: parquet.List(parquet.Leaf(parquet.FloatType)), filled: good, list: values}
}

// columns are those of all parts, in order.
var columns = []column{
	text("key", "", nil, func(r *Row) string { return r.Key }),
	number("width", "", func(r *Row) bool { return r.Width > 0 }, func(r *Row) int { return r.Width }),
	number("height", "", func(r *Row) bool { return r.Height > 0 }, func(r *Row) int { return r.Height }),
	text("hash", "", func(r *Row) bool { return r.Hash != "" }, func(r *Row) string { return r.Hash }),
	text("label", Classes, good, func(r *Row) string { return r.Label }),
	number("class", Classes, good, func(r *Row) int { return r.Class }),
	double("probability", Classes, func(r *Row) float64 { return r.Probability }),
	floats("logits", Logits, func(r *Row) []float32 { return r.Logits }),
	floats("embedding", Embeddings, func(r *Row) []float32 { return r.Embedding }),
	floats("attention", Attention, func(r *Row) []float32 { return r.Attention }),
	number("attention_rows", Attention, good, func(r *Row) int { return r.Grid[0] }),
	number("attention_columns", Attention, good, func(r *Row) int { return r.Grid[1] }),
	text("caption", Caption, good, func(r *Row) string { return r.Caption }),
	double("caption_logprob", Caption, func(r *Row) float64 { return r.LogProb }),
	text("damage", "", func(r *Row) bool { return r.Damage != "" }, func(r *Row) string { return r.Damage }),
	text("error", "", func(r *Row) bool { return r.Err != "" }, func(r *Row) string { return r.Err }),
}

// columnsOf are the columns of a job's parts.
func columnsOf(s Spec) (list []column) {
	for _, c := range columns {
		if c.want == "" || s.Wanted(c.want) {
			list = append(list, c)
		}
	}
	return list
}

// Columns lists the names of the columns of a job's parts, in order.
func (s Spec) Columns() (names []string) {
	for _, c := range columnsOf(s) {
		names = append(names, c.name)
	}
	return names
}

// inOrder is a group whose fields keep their order; Parquet's own groups sort them.
type inOrder struct {
	parquet.Group
	names []string
}

// Fields lists the fields.
func (g inOrder) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(g.names))
	for i, name := range g.names {
		fields[i] = byName[name]
	}
	return fields
}

// schema is that of a part.
func schema(list []column) *parquet.Schema {
	g := inOrder{Group: parquet.Group{}}
	for _, c := range list {
		node := c.node
		if c.filled != nil {
			node = parquet.Optional(node)
		}
		g.Group[c.name] = node
		g.names = append(g.names, c.name)
	}
	return parquet.NewSchema("pictures", g)
}

// appendRow appends a row's values, as Parquet has them, to a slice.
func appendRow(to parquet.Row, list []column, r *Row) parquet.Row {
	for i, c := range list {
		switch filled := c.filled == nil || c.filled(r); {
		case !filled:
			to = append(to, parquet.NullValue().Level(0, 0, i))
		case c.list == nil && c.filled == nil:
			to = append(to, c.value(r).Level(0, 0, i))
		case c.list == nil:
			to = append(to, c.value(r).Level(0, 1, i))
		default:
			to = appendList(to, c.list(r), i)
		}
	}
	return to
}

// appendList appends the values of an optional list. Definition level 1 is an empty list, 2
// an element; repetition level 1 is an element after the first.
func appendList(to parquet.Row, values []float32, column int) parquet.Row {
	if len(values) == 0 {
		return append(to, parquet.NullValue().Level(0, 1, column))
	}
	for k, v := range values {
		to = append(to, parquet.FloatValue(v).Level(min(k, 1), 2, column))
	}
	return to
}
