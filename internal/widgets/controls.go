package widgets

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"gaze/internal/widgets/wire"
)

// control is a control and its value. model is what the front end moves.
type control struct {
	wire.Control
	model *model
}

// kinds are the models of a control and of its style.
var kinds = map[wire.Kind][2]string{
	wire.Slider:  {"FloatSliderModel", "SliderStyleModel"},
	wire.Integer: {"IntSliderModel", "SliderStyleModel"},
	wire.Select:  {"DropdownModel", "DescriptionStyleModel"},
	wire.Toggle:  {"ToggleButtonsModel", "ToggleButtonsStyleModel"},
	wire.Check:   {"CheckboxModel", "CheckboxStyleModel"},
	wire.Button:  {"ButtonModel", "ButtonStyleModel"},
}

// newControl makes the models of a control, that of the control itself last, as ipywidgets
// opens them. width is the width of all descriptions.
func newControl(c wire.Control, width string) (*control, []*model) {
	layout, style := map[string]any{"max_width": "100%"}, map[string]any{}
	set := map[string]any{"description": c.Name}
	switch c.Kind {
	case wire.Slider, wire.Integer:
		layout["width"], style["description_width"] = "40em", width
		set["min"], set["max"], set["step"], set["value"] = c.Min, c.Max, c.Step, c.Value
		if c.Kind == wire.Slider {
			set["readout_format"] = "." + strconv.Itoa(decimals(c.Step)) + "f"
		}
	case wire.Select, wire.Toggle:
		layout["width"], style["description_width"] = "max-content", width
		set["_options_labels"], set["index"] = c.Options, int(c.Value)
		if c.Kind == wire.Toggle { // the renderer puts the name above the buttons otherwise
			layout["display"], layout["align_items"] = "flex", "center"
		}
	case wire.Check:
		set["value"], set["indent"] = c.Value == 1, false
	case wire.Button:
		layout["width"] = "max-content"
	}
	names := kinds[c.Kind]
	l, s := newModel("LayoutModel", layout), newModel(names[1], style)
	set["layout"], set["style"] = l.ref(), s.ref()
	m := newModel(names[0], set)
	return &control{Control: c, model: m}, []*model{s, l, m}
}

// decimals is how many digits after the point tell a slider's places apart.
func decimals(step float64) int {
	for n := range 6 {
		if scaled := step * math.Pow10(n); math.Abs(scaled-math.Round(scaled)) < 1e-6 {
			return n
		}
	}
	return 6
}

// set takes over what the front end has changed of a control's state. It says whether the
// value that the program gets is another one now. corrected is what the front end must set in turn, nil if it
// was right.
func (c *control) set(state map[string]json.RawMessage) (changed bool, corrected map[string]any, err error) {
	before := c.Value
	key := "value"
	if c.Kind == wire.Select || c.Kind == wire.Toggle {
		key = "index"
	}
	text, ok := state[key]
	if !ok || c.Kind == wire.Button {
		return false, nil, nil
	}
	var wanted float64
	switch c.Kind {
	case wire.Check:
		var on bool
		if err = json.Unmarshal(text, &on); on {
			wanted = 1
		}
	default:
		err = json.Unmarshal(text, &wanted)
		if string(text) == "null" {
			err = fmt.Errorf("it is null")
		}
	}
	if err != nil {
		return false, map[string]any{key: c.model.state[key]}, fmt.Errorf("widgets: the %s of %q: %w", key, c.Name, err)
	}
	c.Value = c.nearest(wanted)
	c.model.state[key] = c.json()
	switch {
	case math.Abs(c.Value-wanted) > 1e-9*math.Abs(wanted):
		corrected = map[string]any{key: c.json()}
	case c.Kind == wire.Slider:
		// The state is what the front end has, to the last digit. If a state that is sent
		// later, as after a restart, had another value, the front end's slider would answer
		// it with its own one, and pass over all else in that state, such as "disabled".
		c.model.state[key] = wanted
	}
	return c.Value != before, corrected, nil
}

// nearest is the allowed value nearest to what a front end wants.
func (c *control) nearest(v float64) float64 {
	switch c.Kind {
	case wire.Slider:
		// Front ends calculate with binary fractions: 35.00000000000001 is meant to be 35.
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64)
		return min(max(v, c.Min), c.Max)
	case wire.Integer:
		return min(max(math.Round(v), c.Min), c.Max)
	case wire.Select, wire.Toggle:
		return min(max(math.Round(v), 0), float64(len(c.Options)-1))
	}
	return v
}

// json is the value as the model's state has it.
func (c *control) json() any {
	switch c.Kind {
	case wire.Check:
		return c.Value == 1
	case wire.Slider:
		return c.Value
	}
	return int(c.Value)
}
