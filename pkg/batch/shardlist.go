package batch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// FormatShards writes the numbers of shards as ranges, such as "0-3,7". The numbers must be
// in ascending order.
func FormatShards(shards []int) string {
	var b strings.Builder
	for i := 0; i < len(shards); {
		end := i + 1
		for end < len(shards) && shards[end] == shards[end-1]+1 {
			end++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(shards[i]))
		if end-i > 1 {
			b.WriteString("-" + strconv.Itoa(shards[end-1]))
		}
		i = end
	}
	return b.String()
}

// ParseShards reads what [FormatShards] writes: numbers and ranges, separated by commas. A
// number that isn't below limit is an error, as is one that comes twice.
func ParseShards(text string, limit int) ([]int, error) {
	var shards []int
	for _, field := range strings.Split(text, ",") {
		field = strings.TrimSpace(field)
		from, to, isRange := strings.Cut(field, "-")
		if !isRange {
			to = from
		}
		first, err := shardNumber(from, limit)
		if err != nil {
			return nil, err
		}
		last, err := shardNumber(to, limit)
		if err != nil {
			return nil, err
		}
		if last < first || len(shards)+last-first >= limit {
			return nil, fmt.Errorf("%q: a range must ascend, and no shard may come twice", field)
		}
		for n := first; n <= last; n++ {
			shards = append(shards, n)
		}
	}
	sorted := slices.Sorted(slices.Values(shards))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return nil, fmt.Errorf("shard %d comes twice", sorted[i])
		}
	}
	return shards, nil
}

func shardNumber(text string, limit int) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 0 || text[0] == '+':
		return 0, fmt.Errorf("%q is no shard's number: they are counted from 0", text)
	case n >= limit:
		return 0, fmt.Errorf("there is no shard %d: the job has shards 0 to %d", n, limit-1)
	}
	return n, nil
}

// enoughPictures is how many pictures a process should work on. Opening a ViT-S/16 costs
// about as much processor time as some tens of pictures (docs/scaling.md), so it is far below
// 5 % of a process's work.
const enoughPictures = 1000

// Divide divides shards among the tasks of an engine whose tasks each start a process. A
// task gets the given number of shards, or with 0 enough of them to make opening the model
// cheap. There are at most limit tasks, for which tasks get more shards than that; 0 is no
// limit.
func (j *Job) Divide(shards []int, perTask, limit int) [][]int {
	if perTask == 0 {
		perTask = (enoughPictures + j.ShardSize - 1) / j.ShardSize
	}
	if limit > 0 {
		perTask = max(perTask, (len(shards)+limit-1)/limit)
	}
	return slices.Collect(slices.Chunk(shards, perTask))
}
