// Package spark runs the shards of a job on a Spark cluster. Spark starts 'gaze batch work'
// on its executors, by SQL's TRANSFORM, and starts a task again whose process, executor or
// machine died. No pictures pass through Spark: a task gets the numbers of its shards, and
// answers with their receipts.
package spark

import (
	"errors"
	"strconv"
	"strings"

	"gaze/pkg/batch"
)

// Query is the SQL that runs shards.
type Query struct {
	Command []string // of a task; it reads lines of shards (see [batch.ParseShards]) and answers with lines
	Tasks   [][]int  // the shards of each task, in ascending order
}

// SQL is the query. Its rows have one column, reply, with a line that a task's process wrote.
//
// A range of n numbers in n partitions is n tasks; a list of files or values would be packed
// into fewer.
func (q Query) SQL() (string, error) {
	if len(q.Tasks) == 0 {
		return "", errors.New("there are no shards to run")
	}
	lists := make([]string, len(q.Tasks))
	for i, shards := range q.Tasks {
		lists[i] = batch.FormatShards(shards)
	}
	n := strconv.Itoa(len(q.Tasks))
	return "SELECT TRANSFORM (shards)\n" +
		"  USING " + literal(batch.ShellQuote(q.Command...)) + "\n" +
		"  AS (reply STRING)\n" +
		"FROM (\n" +
		"  SELECT element_at(split(" + literal(strings.Join(lists, " ")) + ", ' '), CAST(id AS INT) + 1) AS shards\n" +
		"  FROM range(0, " + n + ", 1, " + n + ")\n" +
		")", nil
}

// literal is a string of Spark's SQL.
func literal(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(text) + "'"
}
