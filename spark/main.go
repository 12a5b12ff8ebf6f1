// Command gaze-spark runs a query of 'gaze batch run --spark' on a Spark cluster:
//
//	gaze batch run JOB --spark - --print | gaze-spark sc://host:port
//
// It reads the query from standard input and writes the first column of each row on a line.
// It is a program, and a module, of its own because Spark's client is as large as the rest of
// Gaze. Interrupted, it calls the query off. Exit status: 0 success, 1 failure (with a
// one-line reason), 2 wrong usage.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/apache/spark-connect-go/spark/sql/types"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, query))
}

// usage is shown after wrong usage.
const usage = "usage: gaze-spark sc://host:port < query.sql"

// run runs the command and returns its exit status.
func run(ctx context.Context, args []string, in io.Reader, out, log io.Writer, query queryFunc) int {
	if len(args) != 1 || !strings.HasPrefix(args[0], "sc://") {
		fmt.Fprintln(log, usage)
		return 2
	}
	err := answer(ctx, args[0], in, out, query)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(log, "gaze-spark: interrupted") // last, since gaze shows the last line
	default:
		fmt.Fprintln(log, "gaze-spark: "+reason(err))
	}
	return 1
}

// queryFunc runs a query and returns its rows.
type queryFunc func(ctx context.Context, remote, text string) ([]types.Row, error)

// maxQuery bounds a query: no Connect server takes larger ones.
const maxQuery = 128 << 20

// answer runs the query that it reads, and writes the first column of its rows.
func answer(ctx context.Context, remote string, in io.Reader, out io.Writer, query queryFunc) error {
	text, err := io.ReadAll(io.LimitReader(in, maxQuery+1))
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	statement := strings.TrimSuffix(strings.TrimSpace(string(text)), ";")
	switch {
	case statement == "":
		return errors.New("standard input has no query")
	case len(text) > maxQuery:
		return fmt.Errorf("the query has more than %d bytes", maxQuery)
	}
	rows, err := query(ctx, remote, statement)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	for i, row := range rows {
		line, ok := row.At(0).(string)
		if !ok || strings.ContainsAny(line, "\n\r") {
			return fmt.Errorf("row %d of the query is %v, not a line of text", i, row.At(0))
		}
		fmt.Fprintln(w, line) // w keeps the error for Flush
	}
	return w.Flush()
}

// maxReason bounds a reason. Spark adds stack traces and plans to its own.
const maxReason = 1000

// reason is an error on one line.
func reason(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "at ") { // a line of a stack trace
			continue
		}
		lines = append(lines, line)
	}
	text := strings.Join(lines, "; ")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + " …"
	}
	return text
}
