package score

import (
	"encoding/binary"
	"maps"
	"regexp/syntax"
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"
)

// An automaton finds which of many patterns matches the longest prefix of a text, and the
// first of them where several do. Generated scanners work like this; alternatives in
// package regexp don't.
//
// Every pattern is compiled by regexp/syntax; the sets of instructions that can
// be active together become states, built when a text first leads to them. Runes that no
// pattern tells apart are one class, so that a state is a short slice.
// An automaton isn't safe for concurrent use: matching adds states.
type automaton struct {
	progs  []*syntax.Prog
	offset []int    // of each prog's instructions in the numbering of all
	bounds []rune   // ascending; from one to the next all runes are of one class
	class  []uint16 // of the runes from bounds[i] on
	sample []rune   // one rune of each class
	ascii  [utf8.RuneSelf]uint16
	states map[string]*state
	start  *state
}

// A state is the set of instructions that wait for a rune.
type state struct {
	insts  []int    // sorted, numbered through all progs
	accept int      // the first pattern that has matched, or -1
	next   []*state // by class; nil: not built yet
}

// dead is where no pattern can match any more.
var dead = &state{accept: -1}

// newAutomaton compiles patterns, which must be valid and without anchors.
func newAutomaton(patterns []string) *automaton {
	a := &automaton{states: map[string]*state{"": dead}}
	total := 0
	edges := map[rune]bool{0: true, utf8.RuneSelf: true}
	for _, p := range patterns {
		re, err := syntax.Parse(p, syntax.Perl)
		if err != nil {
			panic("score: " + err.Error()) // the patterns are this package's own
		}
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			panic("score: " + err.Error())
		}
		a.progs = append(a.progs, prog)
		a.offset = append(a.offset, total)
		total += len(prog.Inst)
		for _, inst := range prog.Inst {
			addEdges(edges, &inst)
		}
	}
	a.classify(slices.Sorted(maps.Keys(edges)))
	for r := range a.ascii {
		a.ascii[r] = a.search(rune(r))
	}
	var first []int
	for i, prog := range a.progs {
		first = a.follow(first, a.offset[i], i, uint32(prog.Start))
	}
	a.start = a.state(first)
	return a
}

// addEdges notes the runes from which inst starts and stops matching.
func addEdges(edges map[rune]bool, inst *syntax.Inst) {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1:
		if len(inst.Rune) == 1 { // and perhaps what folds to it
			r := inst.Rune[0]
			edges[r], edges[r+1] = true, true
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				edges[f], edges[f+1] = true, true
			}
			return
		}
		for i := 0; i < len(inst.Rune); i += 2 {
			edges[inst.Rune[i]] = true
			if inst.Rune[i+1] < unicode.MaxRune {
				edges[inst.Rune[i+1]+1] = true
			}
		}
	case syntax.InstRuneAnyNotNL:
		edges['\n'], edges['\n'+1] = true, true
	}
}

// classify gives one class to all ranges of runes that the same instructions read.
func (a *automaton) classify(bounds []rune) {
	distinct := map[string]*syntax.Inst{} // patterns share most of their sets
	for _, prog := range a.progs {
		for i := range prog.Inst {
			inst := &prog.Inst[i]
			if inst.Op == syntax.InstRune || inst.Op == syntax.InstRune1 {
				distinct[string(inst.Rune)+string(rune(inst.Arg))] = inst
			}
		}
	}
	insts := slices.Collect(maps.Values(distinct))
	known := map[string]uint16{}
	readers := make([]byte, len(insts)+1)
	for _, r := range bounds {
		readers[0] = bit(r == '\n')
		for i, inst := range insts {
			readers[i+1] = bit(inst.MatchRune(r))
		}
		c, ok := known[string(readers)]
		if !ok {
			c = uint16(len(known))
			known[string(readers)] = c
			a.sample = append(a.sample, r)
		}
		a.bounds, a.class = append(a.bounds, r), append(a.class, c)
	}
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// search finds the class of a rune.
func (a *automaton) search(r rune) uint16 {
	return a.class[sort.Search(len(a.bounds), func(i int) bool { return a.bounds[i] > r })-1]
}

// follow adds to set the instructions that wait for a rune, or report a match,
// from pc of one prog on.
func (a *automaton) follow(set []int, offset, prog int, pc uint32) []int {
	if slices.Contains(set, offset+int(pc)) {
		return set
	}
	inst := &a.progs[prog].Inst[pc]
	switch inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		// Added so that a loop of empty matches ends; state removes it.
		set = append(set, offset+int(pc))
		set = a.follow(set, offset, prog, inst.Out)
		return a.follow(set, offset, prog, inst.Arg)
	case syntax.InstCapture, syntax.InstNop:
		return a.follow(set, offset, prog, inst.Out)
	case syntax.InstFail:
		return set
	}
	return append(set, offset+int(pc))
}

// inst returns an instruction by its number, and its pattern's.
func (a *automaton) inst(number int) (*syntax.Inst, int) {
	prog := sort.SearchInts(a.offset, number+1) - 1
	return &a.progs[prog].Inst[number-a.offset[prog]], prog
}

// state returns the state of a set of instructions, building it once.
func (a *automaton) state(set []int) *state {
	slices.Sort(set)
	s := &state{accept: -1}
	var key []byte
	for _, number := range set {
		inst, prog := a.inst(number)
		switch inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			continue
		case syntax.InstMatch:
			if s.accept < 0 {
				s.accept = prog
			}
		default:
			s.insts = append(s.insts, number)
		}
		key = binary.AppendUvarint(key, uint64(number))
	}
	if known, ok := a.states[string(key)]; ok {
		return known
	}
	s.next = make([]*state, len(a.sample))
	a.states[string(key)] = s
	return s
}

// step returns the state after s has read a rune of class c.
func (a *automaton) step(s *state, c uint16) *state {
	if s == dead {
		return dead
	}
	if s.next[c] != nil {
		return s.next[c]
	}
	var set []int
	for _, number := range s.insts {
		inst, prog := a.inst(number)
		if matches(inst, a.sample[c]) {
			set = a.follow(set, a.offset[prog], prog, inst.Out)
		}
	}
	s.next[c] = a.state(set)
	return s.next[c]
}

// matches tells whether inst reads r.
func matches(inst *syntax.Inst, r rune) bool {
	switch inst.Op {
	case syntax.InstRuneAny:
		return true
	case syntax.InstRuneAnyNotNL:
		return r != '\n'
	}
	return inst.MatchRune(r)
}

// longest returns the pattern that matches the longest prefix of text, and the length of
// that prefix in bytes; -1 if none matches.
func (a *automaton) longest(text string) (pattern, length int) {
	pattern = -1
	s := a.start
	for i, r := range text {
		c := uint16(0)
		if r < utf8.RuneSelf {
			c = a.ascii[r]
		} else {
			c = a.search(r)
		}
		if s = a.step(s, c); s == dead {
			break
		}
		if s.accept >= 0 {
			pattern, length = s.accept, i+utf8.RuneLen(r)
		}
	}
	return pattern, length
}
