package train

import (
	"errors"
	"slices"
	"testing"
)

// TestAhead takes batches in order, stops early, and stops at an error.
func TestAhead(t *testing.T) {
	broken := errors.New("broken")
	draw := func(i int) (Batch, error) {
		if i == 6 {
			return Batch{}, broken
		}
		return Batch{Labels: []int{i}}, nil
	}
	take := func(from, to, most int) (got []int, err error) {
		for b, err := range Ahead(from, to, draw) {
			if err != nil {
				return got, err
			}
			if got = append(got, b.Labels[0]); len(got) == most {
				break
			}
		}
		return got, nil
	}
	cases := []struct {
		from, to, most int
		want           []int
		err            error
	}{
		{0, 5, 100, []int{0, 1, 2, 3, 4}, nil},
		{3, 5, 100, []int{3, 4}, nil},
		{5, 5, 100, nil, nil},
		{0, 1000, 2, []int{0, 1}, nil},
		{4, 9, 100, []int{4, 5}, broken},
	}
	for _, c := range cases {
		got, err := take(c.from, c.to, c.most)
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("from %d to %d, %d at most: %v, error %v; want %v, %v", c.from, c.to, c.most, got, err, c.want, c.err)
		}
	}
}
