package weights

import (
	"fmt"
	"slices"
	"strings"
)

// torchObject is an object of an unknown class, or the result of an unknown function: the
// class and the values that the pickle gives it. No code of the class was run.
type torchObject struct {
	class  pickleGlobal
	state  any         // its attributes, usually a dict
	dict   *pickleDict // its items if the class is derived from dict; nil if none
	list   *pickleList // its items if the class is derived from list; nil if none
	module *pickleDict // a torch.nn.Module's state dict, set by stateDict
	host   *torchHost
}

// object makes an object of a class.
func (h *torchHost) object(class pickleGlobal) *torchObject {
	o := &torchObject{class: class, host: h}
	h.objects = append(h.objects, o)
	return o
}

// torchDictOf returns a value as a dict, if it is a dict, an object of a class derived
// from dict, or a pickled torch.nn.Module, whose state dict is in its attributes.
func torchDictOf(v any) (*pickleDict, bool) {
	switch t := v.(type) {
	case *pickleDict:
		return t, true
	case *torchObject:
		if d, ok := t.stateDict(); ok {
			return d, true
		}
		return t.dict, t.dict != nil
	}
	return nil, false
}

// torchContainer returns a container as a *pickleDict, *pickleList or pickleTuple, and any
// other value unchanged.
func torchContainer(v any) any {
	if d, ok := torchDictOf(v); ok {
		return d
	}
	if o, ok := v.(*torchObject); ok && o.list != nil {
		return o.list
	}
	return v
}

// isModule reports whether the object is a torch.nn.Module.
func (o *torchObject) isModule() bool {
	state, ok := o.state.(*pickleDict)
	if !ok {
		return false
	}
	_, ok1 := torchAttribute(state, "_parameters")
	_, ok2 := torchAttribute(state, "_modules")
	return ok1 && ok2
}

// stateDict returns the content of a torch.nn.Module's state_dict(), nested by submodule:
// its parameters, its persistent buffers, and its submodules.
func (o *torchObject) stateDict() (*pickleDict, bool) {
	if o.module != nil || !o.isModule() {
		return o.module, o.module != nil
	}
	state := o.state.(*pickleDict)
	out := &pickleDict{}
	for _, name := range []string{"_parameters", "_buffers", "_modules"} {
		d, ok := torchAttribute(state, name)
		if !ok {
			continue
		}
		if o.host.spend(len(d.keys)) != nil { // many modules may share the same attributes
			return nil, false
		}
		first := len(out.keys)
		out.keys, out.values = append(out.keys, d.keys...), append(out.values, d.values...)
		if gone, ok := state.get("_non_persistent_buffers_set"); ok && name == "_buffers" {
			out.drop(first, torchItems(gone))
		}
	}
	o.module = out
	return out, true
}

func torchAttribute(state *pickleDict, name string) (*pickleDict, bool) {
	v, _ := state.get(name)
	d, ok := v.(*pickleDict)
	return d, ok
}

// drop removes string keys from a dict, starting at its item first.
func (d *pickleDict) drop(first int, keys []any) {
	gone := map[string]bool{}
	for _, k := range keys {
		if name, ok := k.(string); ok {
			gone[name] = true
		}
	}
	kept := first
	for i := first; i < len(d.keys); i++ {
		if name, ok := d.keys[i].(string); !ok || !gone[name] {
			d.keys[kept], d.values[kept] = d.keys[i], d.values[i]
			kept++
		}
	}
	d.keys, d.values = d.keys[:kept], d.values[:kept]
}

// isCommon reports whether a class is so common beside weights that no warning is needed:
// arrays, random states, dates, paths, torch's own optimisers.
func isCommon(class pickleGlobal) bool {
	first, _, _ := strings.Cut(string(class), ".")
	return first == "numpy" || first == "torch" || isStandardModule(first)
}

// classes lists the classes of the objects for which is returns true, each once. It names
// at most n.
func (h *torchHost) classes(n int, is func(*torchObject) bool) string {
	var names []string
	for _, o := range h.objects {
		if name := fmt.Sprintf("%.100s", o.class); is(o) && !slices.Contains(names, name) {
			if names = append(names, name); len(names) > 4*n {
				break
			}
		}
	}
	if len(names) > n {
		return strings.Join(names[:n], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// warnings returns warnings about objects of unknown classes.
func (h *torchHost) warnings(top any) []string {
	var out []string
	if o, ok := top.(*torchObject); ok && o.isModule() {
		out = append(out, fmt.Sprintf("a whole pickled model (%.100s), not a state dict: its tensors are read, its code isn't run", o.class))
	}
	if others := h.classes(6, func(o *torchObject) bool { return !o.isModule() && !isCommon(o.class) }); others != "" {
		out = append(out, "objects beside the weights are skipped and their code isn't run: "+others)
	}
	return out
}

// fill adds items to an object of a class derived from a container.
func (o *torchObject) fill(pairs bool, values []any) error {
	if pairs {
		if o.dict == nil {
			o.dict = &pickleDict{}
		}
		return o.dict.set(values)
	}
	if o.list == nil {
		o.list = &pickleList{}
	}
	o.list.items = append(o.list.items, values...)
	return nil
}

// fill drops the items.
func (torchOpaque) fill(bool, []any) error { return nil }

// maxSaid bounds the attributes that are looked through.
const maxSaid = 1 << 22

// said are numbers that pickled modules and configurations give of themselves, where
// all that give one agree: "heads" of attention, "eps" of LayerNorms.
func (h *torchHost) said() map[string]float64 {
	out, torn := map[string]float64{}, map[string]bool{}
	say := func(what string, v any) {
		var n float64
		switch v := v.(type) {
		case int64:
			n = float64(v)
		case float64:
			n = v
		default:
			return
		}
		if first, known := out[what]; known && first != n {
			torn[what] = true
		}
		out[what] = n
	}
	budget := maxSaid
	for _, o := range h.objects {
		state, ok := o.state.(*pickleDict)
		if !ok {
			continue
		}
		if budget -= len(state.keys); budget < 0 { // the same attributes, of any number of modules
			return nil
		}
		if !o.isModule() {
			continue
		}
		for _, key := range []string{"num_heads", "num_attention_heads"} {
			if v, ok := state.get(key); ok {
				say("heads", v)
			}
		}
		if v, ok := state.get("eps"); ok && strings.HasSuffix(string(o.class), "LayerNorm") {
			say("eps", v)
		}
	}
	for what := range torn {
		delete(out, what)
	}
	return out
}
