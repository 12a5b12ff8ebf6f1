package notebook

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"gaze/internal/widgets/wire"
)

// Widget is what a reader can set: a [Slider], [Select], [Toggle], [Tick] or [Button].
type Widget interface {
	// control describes the widget to the kernel. parameter is what it is passed as.
	control(parameter reflect.Type) (wire.Control, error)
}

// Slider is a number that the reader sets with a slider. Passed as a float64, it has some
// hundred places between Min and Max, a round number apart; as an int, it is a whole number.
type Slider struct {
	Name            string
	Min, Max, Value float64
}

// Select is one of several options, chosen from a list that opens. It is passed as a
// string, or as an int: its index. An empty Value is the first option.
type Select struct {
	Name    string
	Options []string
	Value   string
}

// Toggle is a [Select] whose options are a row of buttons, of which one is pressed.
type Toggle struct {
	Name    string
	Options []string
	Value   string
}

// Tick is a box to tick. It is passed as a bool.
type Tick struct {
	Name  string
	Value bool
}

// Button is a button that draws again. It is passed as an int: how often it was pressed,
// for example as the seed of what is drawn.
type Button struct {
	Name string
}

func (s Slider) control(parameter reflect.Type) (wire.Control, error) {
	c := wire.Control{Kind: wire.Slider, Name: s.Name, Min: s.Min, Max: s.Max, Value: s.Value, Step: roundStep((s.Max - s.Min) / 100)}
	switch parameter.Kind() {
	case reflect.Float64, reflect.Float32:
	case reflect.Int:
		c.Kind, c.Step = wire.Integer, 1
	default:
		return c, fmt.Errorf("a slider is a float64 or an int")
	}
	return c, c.Check()
}

// roundStep returns the largest of 1, 2 and 5 times a power of ten that isn't above step.
func roundStep(step float64) float64 {
	if !(step > 0) || math.IsInf(step, 0) {
		return 1 // the range is wrong, and is refused for that
	}
	exponent := math.Floor(math.Log10(step))
	best := math.Pow(10, exponent)
	for _, n := range []float64{2, 5, 10} { // 10, since the logarithm isn't exact
		// A power of ten below 1 isn't exact, but 1 divided by one above is the nearest number.
		next := n * math.Pow(10, exponent)
		if exponent < 0 {
			next = n / math.Pow(10, -exponent)
		}
		if next <= step*(1+1e-12) {
			best = next
		}
	}
	return best
}

func (s Select) control(parameter reflect.Type) (wire.Control, error) {
	return options(wire.Select, s, parameter)
}

func (t Toggle) control(parameter reflect.Type) (wire.Control, error) {
	return options(wire.Toggle, Select(t), parameter)
}

func options(kind wire.Kind, s Select, parameter reflect.Type) (wire.Control, error) {
	c := wire.Control{Kind: kind, Name: s.Name, Options: s.Options}
	if k := parameter.Kind(); k != reflect.String && k != reflect.Int {
		return c, fmt.Errorf("an option is a string, or an int for its index")
	}
	if s.Value != "" {
		i := slices.Index(s.Options, s.Value)
		if i < 0 {
			return c, fmt.Errorf("%q isn't one of its options: %s", s.Value, strings.Join(s.Options, ", "))
		}
		c.Value = float64(i)
	}
	return c, c.Check()
}

func (t Tick) control(parameter reflect.Type) (wire.Control, error) {
	c := wire.Control{Kind: wire.Check, Name: t.Name}
	if parameter.Kind() != reflect.Bool {
		return c, fmt.Errorf("a tick is a bool")
	}
	if t.Value {
		c.Value = 1
	}
	return c, c.Check()
}

func (b Button) control(parameter reflect.Type) (wire.Control, error) {
	if parameter.Kind() != reflect.Int {
		return wire.Control{}, fmt.Errorf("a button is an int: how often it was pressed")
	}
	return wire.Control{Kind: wire.Button, Name: b.Name}, nil
}

// argument is a control's value as a parameter of draw.
func argument(c wire.Control, value float64, parameter reflect.Type) reflect.Value {
	v := reflect.New(parameter).Elem()
	switch parameter.Kind() {
	case reflect.Float64, reflect.Float32:
		v.SetFloat(value)
	case reflect.Int:
		v.SetInt(int64(value))
	case reflect.Bool:
		v.SetBool(value == 1)
	case reflect.String:
		v.SetString(c.Options[int(value)])
	}
	return v
}

// drawer draws for the controls' values.
type drawer func(values []float64) (any, error)

var errorType = reflect.TypeFor[error]()

// bind matches the widgets with the parameters of draw, in order.
func bind(draw any, widgets []Widget) (drawer, []wire.Control, error) {
	f := reflect.ValueOf(draw)
	t := reflect.TypeOf(draw)
	if t == nil || t.Kind() != reflect.Func || f.IsNil() {
		return nil, nil, fmt.Errorf("notebook.Interact: the first argument is %T, not a function that returns a figure", draw)
	}
	results := t.NumOut()
	if results < 1 || results > 2 || results == 2 && t.Out(1) != errorType || t.IsVariadic() {
		return nil, nil, fmt.Errorf("notebook.Interact: the function must return what is to be shown, or that and an error; it is a %s", t)
	}
	if t.NumIn() != len(widgets) {
		return nil, nil, fmt.Errorf("notebook.Interact: the function takes %d values, and there are %d widgets: give one for each, in the same order", t.NumIn(), len(widgets))
	}
	controls := make([]wire.Control, len(widgets))
	for i, w := range widgets {
		if w == nil {
			return nil, nil, fmt.Errorf("notebook.Interact: widget %d is nil", i+1)
		}
		var err error
		if controls[i], err = w.control(t.In(i)); err != nil {
			return nil, nil, fmt.Errorf("notebook.Interact: widget %d, for a parameter of type %s: %w", i+1, t.In(i), err)
		}
	}
	return func(values []float64) (any, error) {
		in := make([]reflect.Value, len(values))
		for i, v := range values {
			in[i] = argument(controls[i], v, t.In(i))
		}
		out := f.Call(in)
		if results == 2 && !out[1].IsNil() {
			return nil, out[1].Interface().(error)
		}
		return out[0].Interface(), nil
	}, controls, nil
}
