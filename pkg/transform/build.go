package transform

import (
	"maps"
	"slices"
	"strings"
)

// maxSide bounds the sizes a pipeline may ask for, so that a slip of the
// keyboard doesn't fill the memory (a square of it is 0.8 GB as a tensor);
// maxOffset bounds where a crop may lie.
const (
	maxSide   = 1 << 13
	maxOffset = 1 << 15
)

// maker makes a step out of its arguments.
type maker struct {
	usage string
	build func(c *call) Op
}

// makers are the steps by name.
var makers map[string]maker

func init() {
	makers = make(map[string]maker)
	for _, group := range []map[string]maker{sizeMakers, geometryMakers, colourMakers, augmentMakers, tensorMakers} {
		maps.Copy(makers, group)
	}
}

// Usages lists how each step of a pipeline's text is written, sorted by name.
func Usages() []string {
	out := make([]string, 0, len(makers))
	for _, name := range slices.Sorted(maps.Keys(makers)) {
		out = append(out, makers[name].usage)
	}
	return out
}

// build makes a step from its name and arguments. "random" before a step's name,
// or p= among its arguments, makes a fixed step happen at random.
func (p *parser) build(name string, at int, args []argument) (Op, error) {
	base, random := name, false
	m, known := makers[name]
	if rest, ok := strings.CutPrefix(name, "random"); ok && !known {
		base, random = rest, true
		m, known = makers[rest]
	}
	if !known {
		return nil, p.fail(at, "there is no step %q; the steps are %s", name, strings.Join(slices.Sorted(maps.Keys(makers)), ", "))
	}
	c := &call{p: p, name: name, at: at, usage: m.usage, args: args}
	asked := c.random()
	op := m.build(c)
	fixed, isFixed := op.(ImageOp)
	chance := 0.0
	if isFixed {
		chance = c.chance(usualChance(base))
	}
	if err := c.done(); err != nil {
		return nil, err
	}
	switch {
	case isFixed && asked && isBackground(op):
		return nil, p.fail(at, "background can't happen at random")
	case isFixed && asked:
		return Chance{chance, fixed}, nil
	case isFixed || !random:
		return op, nil
	}
	if _, ok := op.(RandomOp); ok { // such as randomrotation
		return op, nil
	}
	return nil, p.fail(at, "%s can't happen at random", base)
}
