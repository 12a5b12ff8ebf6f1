package main

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

type pair[K cmp.Ordered, V any] struct {
	key   K
	value V
}

func sorted[K cmp.Ordered, V any](m map[K]V) []pair[K, V] {
	var out []pair[K, V]
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, pair[K, V]{k, m[k]})
	}
	return out
}

type tree[T any] struct {
	left, right *tree[T]
	value       T
}

func (t *tree[T]) all() iter.Seq[T] {
	return func(yield func(T) bool) {
		if t != nil {
			t.left.all()(yield)
			yield(t.value)
			t.right.all()(yield)
		}
	}
}

type point struct{ X, Y int }

func main() {
	fmt.Println(sorted(map[string]point{"b": {1, 2}, "a": {3, 4}}))
	t := &tree[point]{&tree[point]{nil, nil, point{1, 1}}, nil, point{2, 2}}
	for p := range t.all() {
		fmt.Print(p, " ")
	}
	fmt.Println()
	var p atomic.Pointer[point]
	p.Store(&point{5, 6})
	fmt.Println(*p.Load())
	words := strings.Fields("the quick brown fox")
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	sort.Slice(words, func(i, j int) bool { return words[i] < words[j] })
	fmt.Println(words, slices.MaxFunc(words, func(a, b string) int { return cmp.Compare(len(a), len(b)) }))
	once := sync.OnceValue(func() point { return point{7, 8} })
	fmt.Printf("%v %T\n", once(), once())
}

// Output:
// [{a {3 4}} {b {1 2}}]
// {1 1} {2 2}
// {5 6}
// [brown fox quick the] brown
// {7 8} main.point
