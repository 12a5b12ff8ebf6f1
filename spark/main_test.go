package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/spark-connect-go/spark/sql/types"
)

// rows are rows of a column.
func rows(values ...any) []types.Row {
	var list []types.Row
	for _, v := range values {
		list = append(list, row{v})
	}
	return list
}

// row is a row of one column.
type row struct{ value any }

func (r row) At(int) any                    { return r.value }
func (r row) Value(string) any              { return r.value }
func (r row) Values() []any                 { return []any{r.value} }
func (r row) Len() int                      { return 1 }
func (r row) FieldNames() []string          { return []string{"reply"} }
func (r row) ToJsonString() (string, error) { return "", nil }

func TestRun(t *testing.T) {
	long := errors.New("[FAILED] " + strings.Repeat("é", maxReason) + "\n\tat org.apache.spark\n")
	for _, c := range []struct {
		name, args, in string
		rows           []types.Row
		err            error
		status         int
		query, out     string
		log            string
	}{
		{name: "rows", args: "sc://a:1", in: " SELECT 1;\n", rows: rows("{}", "a b"), query: "SELECT 1", out: "{}\na b\n"},
		{name: "no rows", args: "sc://a:1", in: "SELECT 1", query: "SELECT 1"},
		{name: "no URL", in: "SELECT 1", status: 2, log: usage},
		{name: "another URL", args: "http://a", in: "SELECT 1", status: 2, log: usage},
		{name: "no query", args: "sc://a:1", in: " ;\n", status: 1, log: "gaze-spark: standard input has no query"},
		{name: "a number", args: "sc://a:1", in: "SELECT 1", rows: rows("a", 7), status: 1, query: "SELECT 1", log: "gaze-spark: row 1 of the query is 7, not a line of text"},
		{name: "two lines", args: "sc://a:1", in: "SELECT 1", rows: rows("a\nb"), status: 1, query: "SELECT 1", log: "gaze-spark: row 0"},
		{name: "an error", args: "sc://a:1", in: "SELECT 1", err: fmt.Errorf("a: %w", errors.New("b\n\n at c\nd")), status: 1, query: "SELECT 1", log: "gaze-spark: a: b; d\n"},
		{name: "a long error", args: "sc://a:1", in: "SELECT 1", err: long, status: 1, query: "SELECT 1", log: "é …\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, log bytes.Buffer
			asked := ""
			status := run(t.Context(), strings.Fields(c.args), strings.NewReader(c.in), &out, &log, func(_ context.Context, _, text string) ([]types.Row, error) {
				asked = text
				return c.rows, c.err
			})
			if status != c.status || asked != c.query || status == 0 && out.String() != c.out || !strings.Contains(log.String(), c.log) {
				t.Errorf("status %d, asked %q, wrote %q, said %q", status, asked, out.String(), log.String())
			}
		})
	}
}

func TestRunIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	status := run(ctx, []string{"sc://a:1"}, strings.NewReader("SELECT 1"), &bytes.Buffer{}, &log, func(ctx context.Context, _, _ string) ([]types.Row, error) {
		cancel()
		return nil, ctx.Err()
	})
	if status != 1 || log.String() != "gaze-spark: interrupted\n" {
		t.Errorf("status %d, said %q", status, log.String())
	}
}
