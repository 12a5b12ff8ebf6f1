package batch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func ExampleFormatShards() {
	fmt.Println(FormatShards([]int{0, 1, 2, 3, 7, 9, 10}))
	// Output: 0-3,7,9-10
}

func ExampleParseShards() {
	shards, err := ParseShards("0-3,7", 8)
	fmt.Println(shards, err)
	// Output: [0 1 2 3 7] <nil>
}

func TestParseShardsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                        `"" is no shard's number`,
		"1,":                      `"" is no shard's number`,
		"-1":                      `"" is no shard's number`,
		"+1":                      `"+1" is no shard's number`,
		"x":                       `"x" is no shard's number`,
		"10":                      "there is no shard 10: the job has shards 0 to 9",
		"3-2":                     "must ascend",
		"0-9,0-9":                 "no shard may come twice",
		"1,1":                     "shard 1 comes twice",
		"1-3,2":                   "shard 2 comes twice",
		"0-99999999999":           "there is no shard 99999999999",
		"0-999999999999999999999": "is no shard's number",
	} {
		if _, err := ParseShards(text, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
}

func FuzzParseShards(f *testing.F) {
	for _, text := range []string{"0", "0-3,7", "9,1-2", "1-", "-", ",", "5-5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shards, err := ParseShards(text, 50)
		if err != nil {
			return
		}
		slices.Sort(shards)
		again, err := ParseShards(FormatShards(shards), 50)
		if err != nil || !slices.Equal(again, shards) {
			t.Errorf("%q: %v, then %v, %v", text, shards, again, err)
		}
	})
}

func TestDivide(t *testing.T) {
	shards := make([]int, 10)
	for i := range shards {
		shards[i] = i
	}
	for _, c := range []struct{ size, perTask, limit, tasks, first int }{
		{size: 1000, tasks: 10, first: 1},
		{size: 400, tasks: 4, first: 3},
		{size: 5000, tasks: 10, first: 1},
		{size: 1000, limit: 4, tasks: 4, first: 3},
		{size: 1000, perTask: 2, tasks: 5, first: 2},
		{size: 1000, perTask: 2, limit: 3, tasks: 3, first: 4},
	} {
		j := &Job{}
		j.ShardSize = c.size
		got := j.Divide(shards, c.perTask, c.limit)
		if len(got) != c.tasks || len(got[0]) != c.first || !slices.Equal(slices.Concat(got...), shards) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
