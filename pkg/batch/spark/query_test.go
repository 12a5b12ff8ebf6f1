package spark

import (
	"fmt"
	"strings"
	"testing"
)

func ExampleQuery_SQL() {
	q := Query{Command: []string{"gaze", "batch", "work", "/data/it's", "--shard", "-", "--answer"}, Tasks: [][]int{{0, 1, 2}, {5, 7}}}
	text, err := q.SQL()
	fmt.Println(text, err)
	// Output:
	// SELECT TRANSFORM (shards)
	//   USING 'gaze batch work \'/data/it\'\\\'\'s\' --shard - --answer'
	//   AS (reply STRING)
	// FROM (
	//   SELECT element_at(split('0-2 5,7', ' '), CAST(id AS INT) + 1) AS shards
	//   FROM range(0, 2, 1, 2)
	// ) <nil>
}

func TestSQLRefusesNothing(t *testing.T) {
	if _, err := (Query{Command: []string{"gaze"}}).SQL(); err == nil || !strings.Contains(err.Error(), "no shards") {
		t.Error(err)
	}
}

func TestSQLHasNoVariables(t *testing.T) {
	text, err := Query{Command: []string{"${x}", "a\nb"}, Tasks: [][]int{{0}}}.SQL()
	if err != nil || strings.Contains(text, "${") || !strings.Contains(text, `a\nb`) {
		t.Errorf("%v\n%s", err, text)
	}
}
