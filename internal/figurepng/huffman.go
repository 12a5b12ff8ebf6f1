package figurepng

import (
	"cmp"
	"math/bits"
	"slices"
)

// code is a Huffman code. A symbol that doesn't occur has the length 0.
type code struct {
	lengths []uint8
	bits    []uint16 // in the order in which they are written, the first lowest
}

// newCode makes the code of symbols that occur so often, no longer than limit. At least
// two symbols get codes, as some readers expect.
func newCode(counts []int32, limit int) code {
	c := code{make([]uint8, len(counts)), make([]uint16, len(counts))}
	var used []int
	for symbol, n := range counts {
		if n > 0 {
			used = append(used, symbol)
		}
	}
	for symbol := 0; len(used) < 2; symbol++ {
		if !slices.Contains(used, symbol) {
			used = append(used, symbol)
		}
	}
	slices.SortFunc(used, func(a, b int) int {
		return cmp.Or(cmp.Compare(counts[a], counts[b]), cmp.Compare(a, b))
	})
	perLength := limited(depths(used, counts), limit)
	at := 0 // the rarest symbols get the longest codes
	for length := limit; length > 0; length-- {
		for range perLength[length] {
			c.lengths[used[at]] = uint8(length)
			at++
		}
	}
	c.number(perLength, limit)
	return c
}

// depths counts the leaves of each depth of Huffman's tree over symbols, sorted by how
// often they occur.
func depths(sorted []int, counts []int32) map[int]int {
	n := len(sorted)
	weight, parent := make([]int64, 2*n-1), make([]int, 2*n-1)
	for i, symbol := range sorted {
		weight[i] = int64(counts[symbol])
	}
	leaf, inner := 0, n // the lightest trees that have no parent yet
	take := func(next int) int {
		if leaf < n && (inner >= next || weight[leaf] <= weight[inner]) {
			leaf++
			return leaf - 1
		}
		inner++
		return inner - 1
	}
	for next := n; next < 2*n-1; next++ {
		a, b := take(next), take(next)
		weight[next] = weight[a] + weight[b]
		parent[a], parent[b] = next, next
	}
	depth, found := make([]int, 2*n-1), map[int]int{}
	for i := 2*n - 3; i >= 0; i-- {
		depth[i] = depth[parent[i]] + 1
		if i < n {
			found[depth[i]]++
		}
	}
	return found
}

// limited makes numbers of leaves per depth ones of a tree that is at most limit deep:
// deeper leaves are put at the limit, and for each that is then too many, a leaf higher up
// moves down and takes one of the deepest beside it.
func limited(found map[int]int, limit int) []int {
	per := make([]int, limit+1)
	for depth, n := range found {
		per[min(depth, limit)] += n
	}
	total := 0
	for depth := 1; depth <= limit; depth++ {
		total += per[depth] << (limit - depth)
	}
	for ; total > 1<<limit; total-- {
		per[limit]--
		for depth := limit - 1; depth > 0; depth-- {
			if per[depth] > 0 {
				per[depth]--
				per[depth+1] += 2
				break
			}
		}
	}
	return per
}

// number gives symbols their codes from the lengths, as deflate says.
func (c *code) number(perLength []int, limit int) {
	next := make([]uint16, limit+1)
	for length := 1; length < limit; length++ {
		next[length+1] = (next[length] + uint16(perLength[length])) << 1
	}
	for symbol, length := range c.lengths {
		if length > 0 {
			c.bits[symbol] = bits.Reverse16(next[length]) >> (16 - length)
			next[length]++
		}
	}
}
