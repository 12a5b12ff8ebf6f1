package vit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// linearModule is a linear layer in a file that isn't the layout's own.
type linearModule struct {
	name    string // of the module, in the file
	classes int
	reads   int    // values of a picture that it takes
	trouble string // why it can't be taken for a head, "" if it can
}

// otherHeads finds the linear layers that read what the blocks give, outside of
// blocks and known names: what might be a head under another name.
func (s *weightSet) otherHeads(names []string, dim int, tensor func(name string) *weights.Tensor) []linearModule {
	var out []linearModule
	for _, name := range names {
		module, ok := strings.CutSuffix(name, ".weight")
		if !ok {
			continue
		}
		w, b := tensor(name), tensor(module+".bias")
		if w == nil || b == nil || len(w.Shape) != 2 || len(b.Shape) != 1 || b.Shape[0] != w.Shape[0] || w.Shape[0] < 1 {
			continue
		}
		if reads := w.Shape[1]; dim > 0 && (reads == dim || reads == 2*dim) {
			l := linearModule{name: module, classes: w.Shape[0], reads: reads}
			if l.trouble = s.match.table.headless; l.trouble == "" {
				l.trouble = s.company(l, names, dim, tensor)
			}
			out = append(out, l)
		}
	}
	return out
}

// company says what else stands in a layer's group that may lie before or behind it.
// Other layers that read the same and aren't in a sequence with it are other heads.
func (s *weightSet) company(l linearModule, names []string, dim int, tensor func(name string) *weights.Tensor) string {
	group := s.group(l.name + ".weight")
	for _, name := range names {
		module := strings.TrimSuffix(strings.TrimSuffix(name, ".weight"), ".bias")
		if module == l.name || !strings.HasPrefix(name, group+".") || isCounter(tensor(name)) {
			continue
		}
		w := tensor(module + ".weight")
		reads := w != nil && len(w.Shape) == 2 && (w.Shape[1] == dim || w.Shape[1] == 2*dim) && w.Shape[0] != dim
		if !reads || sequenceOf(module) == sequenceOf(l.name) {
			return fmt.Sprintf("%s stands in %s with other layers, such as %s, which aren't computed", l.name, group, name)
		}
	}
	return ""
}

// sequenceOf is the sequence that a module has a place in, or the module itself.
func sequenceOf(module string) string {
	if parent, last, ok := cutLast(module); ok && isNumber(last) {
		return parent
	}
	return module
}

// cutLast splits a name at its last dot.
func cutLast(name string) (before, last string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// ownHead is the layer that stands in place of the layout's head: a module of the
// head's name with a single linear layer in it, as fine-tuning leaves it
// (heads.0, head.1 behind a dropout).
func (s *weightSet) ownHead(others []linearModule) (l linearModule, ok bool) {
	for _, h := range s.match.table.heads {
		at := s.prefix + h
		i := slices.IndexFunc(others, func(l linearModule) bool {
			return l.trouble == "" && (l.name == at || strings.HasPrefix(l.name, at+".") && isSequence(l.name[len(at)+1:]))
		})
		if i >= 0 {
			return others[i], true
		}
	}
	return l, false
}

// isSequence tells whether a name's parts are places in sequences.
func isSequence(rest string) bool {
	return !slices.ContainsFunc(strings.Split(rest, "."), func(p string) bool { return !isNumber(p) })
}

// headCalled is the layer of a name: the module's, whole or its end, or that of a
// group with one such layer.
func (s *weightSet) headCalled(asked string, others []linearModule) (linearModule, error) {
	asked = strings.TrimSuffix(asked, ".weight")
	for _, fits := range []func(l linearModule) bool{
		func(l linearModule) bool { return l.name == asked },
		func(l linearModule) bool { return l.name == s.prefix+asked },
		func(l linearModule) bool { return strings.HasSuffix(l.name, "."+asked) },
		func(l linearModule) bool { return strings.HasPrefix(l.name, s.prefix+asked+".") },
		func(l linearModule) bool { return strings.HasPrefix(l.name, asked+".") },
		func(l linearModule) bool { return strings.Contains(l.name, "."+asked+".") },
	} {
		var found []linearModule
		for _, l := range others {
			if fits(l) {
				found = append(found, l)
			}
		}
		switch {
		case len(found) == 1 && found[0].trouble != "":
			return linearModule{}, fmt.Errorf("the head %s can't be used: %s", asked, found[0].trouble)
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return linearModule{}, fmt.Errorf("which head is meant by %q: %s?", asked, headList(found))
		}
	}
	if names := headList(others); names != "" {
		return linearModule{}, fmt.Errorf("it has no head called %q; these would do: %s", asked, names)
	}
	return linearModule{}, fmt.Errorf("it has no head called %q, nor another linear layer that reads the model's features", asked)
}

// headList names the layers that can be taken for heads, with their classes.
func headList(others []linearModule) string {
	var names []string
	for _, l := range others {
		if l.trouble == "" {
			names = append(names, fmt.Sprintf("%s (%d classes)", l.name, l.classes))
		}
	}
	return nn.FirstNames(names, 8)
}

// takeHead binds a layer as the head.
func (m *match) takeHead(l linearModule) {
	m.found["head/weight"] = map[int]found{0: {l.name + ".weight", asIs}}
	m.found["head/bias"] = map[int]found{0: {l.name + ".bias", asIs}}
}

// dropHead lets go of the head, and returns the names of its tensors.
func (m *match) dropHead() []string {
	var names []string
	for _, ours := range []string{"head/weight", "head/bias", "head_dist/weight", "head_dist/bias"} {
		for _, f := range m.found[ours] {
			names = append(names, f.name)
		}
		delete(m.found, ours)
	}
	slices.Sort(names)
	return names
}

// headTrouble says why what the layout calls its head isn't one that can be
// computed, "" if it is or there is none.
func (m *match) headTrouble(shapes shapesOf, dim int) string {
	w, ok := shapes["head/weight"]
	b, hasBias := shapes["head/bias"]
	name := m.fileName("head/weight")
	switch {
	case !ok && !hasBias:
		return ""
	case !ok:
		return "its weight is missing"
	case !hasBias:
		return name + " has no bias"
	case len(w) != 2 || len(b) != 1 || b[0] != w[0]:
		return fmt.Sprintf("%s of shape %v with a bias of shape %v isn't a linear layer", name, w, b)
	case w[1] != dim && w[1] != 2*dim && w[1] != shapes.dim("pre_logits/weight", 0):
		return fmt.Sprintf("%s reads %d values of a picture, the model gives %d", name, w[1], dim)
	}
	return ""
}

// headNames are the layers that [LoadOptions.Head] could name.
func (m *Model) headNames() []string {
	var names []string
	for _, l := range m.otherHeads {
		if l.trouble == "" {
			names = append(names, l.name)
		}
	}
	return names
}

// CheckHead returns nil if the model classifies. Else the error says why not, and
// which of the file's layers [LoadOptions.Head] (--head-name) could name.
func (m *Model) CheckHead() error {
	if m.Config.Classes > 0 {
		return nil
	}
	of := "the model"
	if m.Path != "" {
		of = m.Path
	}
	text := of + " has no classification head"
	if m.noHead != "" {
		text += ": " + m.noHead
	}
	switch names := headList(m.otherHeads); {
	case names != "":
		text += fmt.Sprintf("; these layers would do as one: %s: name it with --head-name (LoadOptions.Head)", names)
	case m.noHead == "" && len(m.otherHeads) > 0:
		text += ": " + m.otherHeads[0].trouble
	case m.noHead == "":
		text += ": choose a checkpoint that was trained to classify ('gaze model FILE' shows the classes)"
	}
	return errors.New(text)
}
