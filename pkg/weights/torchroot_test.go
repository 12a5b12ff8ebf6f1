package weights

import (
	"fmt"
	"strings"
	"testing"
)

// dictOf makes a dict from alternating keys and values.
func dictOf(items ...any) *pickleDict {
	d := &pickleDict{}
	if err := d.set(items); err != nil {
		panic(err)
	}
	return d
}

func TestTorchPick(t *testing.T) {
	w, number := &torchTensor{shape: []int64{2}}, &torchTensor{}
	weights := dictOf("w", w, "b", w)
	lost := dictOf("state", dictOf(int64(0), dictOf("exp_avg", w)))
	crowd := &pickleDict{}
	for i := range 14 {
		crowd.keys, crowd.values = append(crowd.keys, fmt.Sprint("part", i)), append(crowd.values, weights)
	}
	for name, test := range map[string]struct {
		top        any
		root, want string // want: in the error
	}{
		"flat":                      {weights, "", ""},
		"numbers only":              {dictOf("scale", number), "", ""},
		"a number beside":           {dictOf("model", weights, "best", number), "model", ""},
		"numbers beside the sole":   {dictOf("encoder", weights, "best", number), "encoder", ""},
		"tensors beside":            {dictOf("model", weights, "losses", w), "model", ""},
		"more tensors beside":       {dictOf("model", dictOf("w", w), "a", w, "b", w), "", ""},
		"tensors beside a stranger": {dictOf("encoder", weights, "losses", w), "", ""},
		"order":                     {dictOf("ema", weights, "model", weights, "state_dict", weights), "state_dict", ""},
		"no optimizer":              {dictOf("optimizer", lost, "encoder", weights, "scaler", weights), "encoder", ""},
		"only an optimizer":         {dictOf("optimizer", lost), "optimizer", ""},
		"two optimizers":            {dictOf("optimizer", lost, "optim", lost), "", "optimizer (1 tensors), optim (1 tensors); choose one"},
		"a crowd":                   {crowd, "", "part11 (2 tensors), …; choose one"},
		"two levels":                {dictOf("state_dict", dictOf("module", weights)), "state_dict.module", ""},
		"second level of strangers": {dictOf("model", dictOf("encoder", weights)), "model", ""},
		"second level of several":   {dictOf("model", dictOf("net", weights, "head", weights)), "model", ""},
		"second level with tensors": {dictOf("model", dictOf("net", weights, "cls", w)), "model", ""},
		"keys that are numbers":     {dictOf(int64(1), weights, int64(2), weights), "", ""},
		"a list":                    {&pickleList{[]any{weights, weights}}, "", ""},
		"nothing":                   {int64(1), "", ""},
	} {
		_, root, err := torchPick(test.top)
		if test.want == "" && (err != nil || root != test.root) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: root %q, error %v; want %q, %q", name, root, err, test.root, test.want)
		}
	}
}

func TestTorchFind(t *testing.T) {
	leaf, other := dictOf("w", &torchTensor{}), dictOf()
	top := dictOf("a", dictOf("b", other), "a.b", leaf, int64(3), leaf, "", other)
	for root, want := range map[string]any{"": top, "a.b": leaf, "3": leaf, "a.b.w": leaf.values[0]} {
		if got, err := torchFind(top, root); got != want || err != nil {
			t.Errorf("%q: %v, %v", root, got, err)
		}
	}
	for _, root := range []string{"b", "a.c", "a.b.c", ".", "3.w.x"} {
		if got, err := torchFind(top, root); err == nil {
			t.Errorf("%q: found %v", root, got)
		}
	}
}
