package weights

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// torchRootKeys are the names under which training scripts keep the weights of
// a model, most telling first. Of an average and the raw weights, timm's loader
// takes the average; of DINO's teacher and student, the teacher is the one that
// its authors evaluate.
var torchRootKeys = []string{
	"state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model", "net", "network", "module", "teacher", "student",
	"model_state", "weights", "params", "ema",
}

// torchBesideKeys are the names of tensors that training leaves beside a
// model's: they are never the answer unless asked for.
var torchBesideKeys = []string{
	"optimizer", "optimizer_state_dict", "optimizer_state", "optim", "optim_state_dict", "optimizers",
	"lr_scheduler", "scheduler", "scheduler_state_dict", "scaler", "grad_scaler", "amp", "loss", "criterion",
	"dino_loss", "rng_state", "callbacks", "loops", "args", "hyper_parameters",
}

const torchMaxDepth = 64

var errTorchDepth = fmt.Errorf("containers are nested more than %d deep", torchMaxDepth)

// torchCounter counts tensors below a value and remembers the counts: a
// container may be shared, and may even hold itself.
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
	c[identity] = 0 // while its items are counted
	total := 0
	for _, item := range items {
		n, err := c.count(item, depth+1)
		if err != nil {
			return 0, err
		}
		total = min(total+n, math.MaxInt32) // sharing can make it exponential
	}
	c[identity] = total
	return total, nil
}

// torchChild is an entry of a dict that is a dict with tensors below it.
type torchChild struct {
	key     string
	dict    *pickleDict
	tensors int
}

// torchChildren lists them in the dict's order.
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

// torchPick finds the state dict in what torch.save wrote and names it by the
// keys that lead to it. A dict that directly holds tensors is one, unless a
// known name below it holds at least as many.
func torchPick(top any) (dict any, root string, err error) {
	d, ok := torchDictOf(top)
	if o, isObject := top.(*torchObject); !ok || isObject && o.isModule() { // a module's dicts are its parts, not choices
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

// torchOthers lists the dicts of a file that also go by names under which weights
// are kept, besides the one that was picked.
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

// torchChoose decides whether to go down into one of a dict's children, given
// the number of tensors in the dict itself. Below the top of the file it does
// so only where nothing is left behind.
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

// direct counts the dict's own tensors of one dimension or more; a number
// beside the weights, such as the best accuracy, tells nothing.
func (d *pickleDict) direct() int {
	n := 0
	for _, v := range d.values {
		if t, ok := v.(*torchTensor); ok && len(t.shape) > 0 {
			n++
		}
	}
	return n
}

// torchFind follows a root that was asked for: keys joined by dots, where a key
// may hold dots itself. The empty root is the whole file.
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

// torchKey returns a dict's key as a part of a name: text and whole numbers
// stand for themselves, anything else has no name.
func torchKey(k any) string {
	switch k := k.(type) {
	case string:
		return k
	case int64:
		return strconv.FormatInt(k, 10)
	}
	return ""
}

// torchFlattener lists the tensors below a value by their dotted names. A
// container that is shared is listed wherever it occurs; the budget bounds what
// a pickle can ask for in this way.
type torchFlattener struct {
	reader  *torchReader
	tensors []*Tensor
	lenient bool // list what can't be read, too, and don't go deeper than is sensible
	seen    map[string]*Tensor
	budget  int // bytes of names and steps that may yet be spent
}

func (f *torchFlattener) add(name string, v any, depth int) error {
	if depth > torchMaxDepth {
		if f.lenient {
			return nil
		}
		return errTorchDepth
	}
	if f.budget -= 1 + len(name); f.budget < 0 {
		return errors.New("its names take more room than the file: refused")
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

// tensor adds a tensor. A second one of a name is known only to a file that is
// read as a whole: names of nested containers may meet.
func (f *torchFlattener) tensor(name string, t *torchTensor) error {
	if first := f.seen[name]; first != nil {
		err := fmt.Errorf("tensor %s is there twice", name)
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

// under adds an item of a container, unless it's no tensor and no container.
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
