package weights

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// torchRootKeys are the keys under which training scripts save the weights of a model, in
// order of preference. Of an average and the raw weights, timm's loader takes the average.
// Of DINO's teacher and student, the authors evaluate the teacher.
var torchRootKeys = []string{
	"state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model", "net", "network", "module", "teacher", "student",
	"model_state", "weights", "params", "ema",
}

// torchBesideKeys are keys of tensors that training saves beside a model's weights. They
// are only used if they are asked for by name.
var torchBesideKeys = []string{
	"optimizer", "optimizer_state_dict", "optimizer_state", "optim", "optim_state_dict", "optimizers",
	"lr_scheduler", "scheduler", "scheduler_state_dict", "scaler", "grad_scaler", "amp", "loss", "criterion",
	"dino_loss", "rng_state", "callbacks", "loops", "args", "hyper_parameters",
}

const torchMaxDepth = 64

var errTorchDepth = fmt.Errorf("containers are nested more than %d deep", torchMaxDepth)

// torchCounter counts the tensors in a value and caches the counts, because a container
// may be shared and may even contain itself.
type torchCounter map[any]int

func (c torchCounter) count(v any, depth int) (int, error) {
	if depth > torchMaxDepth {
		return 0, errTorchDepth
	}
	var identity any
	var items []any
	switch t := torchContainer(v).(type) {
	case *torchTensor:
		return 1, nil
	case *pickleDict:
		identity, items = t, t.values
	case *pickleList:
		identity, items = t, t.items
	case pickleTuple:
		if len(t) > 0 {
			identity, items = &t[0], t
		}
	}
	if len(items) == 0 {
		return 0, nil
	}
	if n, known := c[identity]; known {
		return n, nil
	}
	c[identity] = 0 // until its items are counted
	total := 0
	for _, item := range items {
		n, err := c.count(item, depth+1)
		if err != nil {
			return 0, err
		}
		total = min(total+n, math.MaxInt32) // with sharing, the count can be exponential
	}
	c[identity] = total
	return total, nil
}

// torchChild is an item of a dict that is itself a dict with tensors in it.
type torchChild struct {
	key     string
	dict    *pickleDict
	tensors int
}

// torchChildren lists such items in the dict's order.
func torchChildren(d *pickleDict, counter torchCounter) ([]torchChild, error) {
	var out []torchChild
	for i, k := range d.keys {
		key, ok := k.(string)
		dict, isDict := torchDictOf(d.values[i])
		if !ok || !isDict || dict == d {
			continue
		}
		n, err := counter.count(dict, 0)
		if err != nil {
			return nil, fmt.Errorf("under %.100q: %w", key, err)
		}
		if n > 0 {
			out = append(out, torchChild{key, dict, n})
		}
	}
	return out, nil
}

// torchPick finds the state dict in a file of torch.save, and its name: the keys that lead
// to it. A dict that directly contains tensors is the state dict, unless a dict in it with
// a known name contains at least as many.
func torchPick(top any) (dict any, root string, err error) {
	d, ok := torchDictOf(top)
	if o, isObject := top.(*torchObject); !ok || isObject && o.isModule() { // a module's dicts are its parts, not alternatives
		return top, "", nil
	}
	counter := torchCounter{}
	for depth := 0; depth < torchMaxDepth; depth++ {
		children, err := torchChildren(d, counter)
		if err != nil {
			return nil, "", err
		}
		child, found, err := torchChoose(children, d.direct(), depth == 0)
		if err != nil {
			return nil, "", err
		}
		if !found {
			break
		}
		d, root = child.dict, strings.TrimPrefix(root+"."+child.key, ".")
	}
	return d, root, nil
}

// torchOthers lists the other dicts of a file whose keys are usual for weights, besides
// the one that was picked.
func torchOthers(top any, root string) []string {
	d, ok := torchDictOf(top)
	if !ok {
		return nil
	}
	children, err := torchChildren(d, torchCounter{})
	if err != nil {
		return nil
	}
	var others []string
	for _, c := range children {
		if slices.Contains(torchRootKeys, c.key) && root != c.key && !strings.HasPrefix(root, c.key+".") {
			others = append(others, c.key)
		}
	}
	return others
}

// torchChoose decides whether to descend into one of a dict's children, given the number
// of tensors in the dict itself. Below the top level it descends only if no tensors are
// left behind.
func torchChoose(children []torchChild, direct int, top bool) (c torchChild, found bool, err error) {
	if len(children) == 0 || !top && (len(children) > 1 || direct > 0) {
		return c, false, nil
	}
	for _, key := range torchRootKeys {
		i := slices.IndexFunc(children, func(c torchChild) bool { return c.key == key })
		if i >= 0 && children[i].tensors >= direct {
			return children[i], true, nil
		}
	}
	if !top || direct > 0 {
		return c, false, nil
	}
	if len(children) == 1 {
		return children[0], true, nil
	}
	rivals := slices.DeleteFunc(slices.Clone(children), func(c torchChild) bool { return slices.Contains(torchBesideKeys, c.key) })
	if len(rivals) == 1 {
		return rivals[0], true, nil
	}
	var list []string
	for _, c := range children[:min(len(children), 12)] {
		list = append(list, fmt.Sprintf("%.60s (%d tensors)", c.key, c.tensors))
	}
	if len(children) > len(list) {
		list = append(list, "…")
	}
	return c, false, fmt.Errorf("it isn't clear which of these is the model: %s; choose one by name", strings.Join(list, ", "))
}

// direct counts the dict's own tensors with at least one dimension. A scalar beside the
// weights, such as the best accuracy, doesn't count.
func (d *pickleDict) direct() int {
	n := 0
	for _, v := range d.values {
		if t, ok := v.(*torchTensor); ok && len(t.shape) > 0 {
			n++
		}
	}
	return n
}

// torchFind returns the container with the given root: keys joined by dots, where a key
// may contain dots itself. The empty root is the whole file.
func torchFind(top any, root string) (any, error) {
	v, rest := top, root
	for rest != "" {
		d, ok := torchDictOf(v)
		if !ok {
			return nil, fmt.Errorf("there is no dict %q in the file", root)
		}
		best := -1
		var length int
		var choices []string
		for i, k := range d.keys {
			key := torchKey(k)
			if _, isDict := torchDictOf(d.values[i]); isDict && len(choices) < 12 {
				choices = append(choices, fmt.Sprintf("%.60s", key))
			}
			if (rest == key || strings.HasPrefix(rest, key+".")) && len(key) >= length {
				best, length = i, len(key)
			}
		}
		if best < 0 || length == 0 {
			return nil, fmt.Errorf("there is no dict %q in the file; it has: %s", root, strings.Join(choices, ", "))
		}
		v, rest = d.values[best], strings.TrimPrefix(rest[length:], ".")
	}
	return v, nil
}

// torchKey returns a dict's key as part of a name: strings and integers as they are, ""
// for anything else.
func torchKey(k any) string {
	switch k := k.(type) {
	case string:
		return k
	case int64:
		return strconv.FormatInt(k, 10)
	}
	return ""
}

// torchFlattener lists the tensors in a value by their dotted names. A shared container is
// listed everywhere it occurs; the budget limits how much a pickle can ask for in this
// way.
type torchFlattener struct {
	reader  *torchReader
	tensors []*Tensor
	lenient bool // also list tensors that can't be read, and skip containers nested too deep
	seen    map[string]*Tensor
	budget  int // remaining bytes of names and steps
}

func (f *torchFlattener) add(name string, v any, depth int) error {
	if depth > torchMaxDepth {
		if f.lenient {
			return nil
		}
		return errTorchDepth
	}
	if f.budget -= 1 + len(name); f.budget < 0 {
		return errors.New("refused: the tensors' names would take more memory than the file")
	}
	switch t := torchContainer(v).(type) {
	case *torchTensor:
		if name == "" {
			name = "tensor" // torch.save of a lone tensor
		}
		return f.tensor(name, t)
	case *pickleDict:
		for i, k := range t.keys {
			if err := f.under(name, torchKey(k), t.values[i], depth); err != nil {
				return err
			}
		}
	case *pickleList:
		return f.addAll(name, t.items, depth)
	case pickleTuple:
		return f.addAll(name, t, depth)
	}
	return nil
}

// tensor adds a tensor. Two tensors may have the same name, because the dotted names of
// nested containers can coincide.
func (f *torchFlattener) tensor(name string, t *torchTensor) error {
	if first := f.seen[name]; first != nil {
		err := fmt.Errorf("two tensors are called %s", name)
		if !f.lenient {
			return err
		}
		first.problem = err
		return nil
	}
	tensor, err := f.reader.read(name, t)
	if err != nil {
		if !f.lenient {
			return err
		}
		tensor = &Tensor{Name: name, problem: err}
	}
	f.seen[name] = tensor
	f.tensors = append(f.tensors, tensor)
	return nil
}

func (f *torchFlattener) addAll(name string, items []any, depth int) error {
	for i, item := range items {
		if err := f.under(name, strconv.Itoa(i), item, depth); err != nil {
			return err
		}
	}
	return nil
}

// under adds an item of a container if it is a tensor or a container.
func (f *torchFlattener) under(name, key string, v any, depth int) error {
	switch torchContainer(v).(type) {
	case *torchTensor, *pickleDict, *pickleList, pickleTuple:
	default:
		f.budget--
		return nil
	}
	if name != "" {
		key = name + "." + key
	}
	return f.add(key, v, depth+1)
}
