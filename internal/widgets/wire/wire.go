// Package wire is what a cell's program and the kernel tell each other about widgets. They
// speak over the kernel's Unix socket, one JSON object a line:
//
//	cell    {"do":"widgets","controls":[{"kind":"slider","name":"angle","max":90,"step":0.5,"value":30}]}
//	kernel  {"live":true}
//	cell    {"figure":{"picture":"iVBO…","mime":"image/png","width":400,"height":300}}
//	kernel  {"live":true}
//	kernel  {"number":1,"values":[45]}
//	cell    {"number":1,"figure":{…}}, or {"number":1,"error":"no such picture"}
//
// The kernel shows the widgets when the first figure has come, and says so. It sends values only to a
// program that has answered the last ones, and only the latest: moves during a slow drawing
// don't queue up. The program may answer again with a better figure. When either side closes the connection, the widgets are dead. An answer of
// {"live":false} means that no front end can move anything: the program shows a static
// figure.
package wire

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// Do is the name of this service, as the first line of a connection has it.
const Do = "widgets"

// Kind is a kind of control.
type Kind string

const (
	Slider  Kind = "slider"  // a number between Min and Max
	Integer Kind = "integer" // a whole number between Min and Max
	Select  Kind = "select"  // one of Options, in a list that opens
	Toggle  Kind = "toggle"  // one of Options, in a row of buttons
	Check   Kind = "check"   // on or off
	Button  Kind = "button"  // a button
)

// Control describes a control. Its value is a number: that of a slider, the index of an
// option, 1 or 0 for a tick, and how often a button was pressed.
type Control struct {
	Kind    Kind     `json:"kind"`
	Name    string   `json:"name"`
	Min     float64  `json:"min,omitempty"`
	Max     float64  `json:"max,omitempty"`
	Step    float64  `json:"step,omitempty"`
	Options []string `json:"options,omitempty"`
	Value   float64  `json:"value,omitempty"`
}

// Check says what is wrong with a description.
func (c Control) Check() error {
	var wrong error
	whole := c.Value == math.Trunc(c.Value)
	switch c.Kind {
	case Slider, Integer:
		switch {
		case math.IsInf(c.Max-c.Min, 0) || !(c.Min < c.Max):
			wrong = fmt.Errorf("its range is from %g to %g; the first number must be the smaller one", c.Min, c.Max)
		case !(c.Min <= c.Value && c.Value <= c.Max):
			wrong = fmt.Errorf("its value is %g, outside its range from %g to %g", c.Value, c.Min, c.Max)
		case !(c.Step > 0):
			wrong = fmt.Errorf("its step is %g; it must be positive", c.Step)
		case c.Kind == Integer && !(whole && c.Min == math.Trunc(c.Min) && c.Max == math.Trunc(c.Max)):
			wrong = errors.New("its range and its value must be whole numbers, since the function takes an int")
		}
	case Select, Toggle:
		switch {
		case len(c.Options) == 0:
			wrong = errors.New("it has no options")
		case !whole || c.Value < 0 || int(c.Value) >= len(c.Options):
			wrong = fmt.Errorf("option %g is chosen, of %d", c.Value, len(c.Options))
		}
	case Check:
		if c.Value != 0 && c.Value != 1 {
			wrong = fmt.Errorf("its value is %g, neither 0 nor 1", c.Value)
		}
	case Button:
		if !whole || c.Value < 0 {
			wrong = fmt.Errorf("it was pressed %g times", c.Value)
		}
	default:
		wrong = fmt.Errorf("there is no kind %q", c.Kind)
	}
	if wrong != nil {
		return fmt.Errorf("the control %q: %w", c.Name, wrong)
	}
	return nil
}

// Hello is the first line, from the cell.
type Hello struct {
	Do       string    `json:"do"`
	Controls []Control `json:"controls"`
}

// Live is the kernel's answer to the first line and to the first figure.
type Live struct {
	Live  bool   `json:"live"`
	Error string `json:"error,omitempty"` // what is wrong with the first line
}

// Values is the kernel's request to draw for these values, one for each control.
type Values struct {
	Number int       `json:"number"` // counts from 1
	Values []float64 `json:"values"`
}

// Answer is the cell's: a figure or what went wrong.
type Answer struct {
	Number int     `json:"number,omitempty"` // that of the values
	Figure *Figure `json:"figure,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// Figure is a picture with its size in CSS pixels, or HTML.
type Figure struct {
	Picture []byte `json:"picture,omitempty"`
	MIME    string `json:"mime,omitempty"` // image/png or image/jpeg
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	HTML    string `json:"html,omitempty"`
}

// Check says what is wrong with a figure; none is right.
func (f *Figure) Check() error {
	if f != nil && len(f.Picture) > 0 && f.MIME != "image/png" && f.MIME != "image/jpeg" {
		return fmt.Errorf("a picture of the type %q", f.MIME)
	}
	return nil
}

// longest is the length of the longest line; a picture of 40 megapixels is shorter.
const longest = 64 << 20

// ErrLong is the error for a line that doesn't end.
var ErrLong = errors.New("a line of more than 64 MB")

// Read reads a line into v. The error is io.EOF at the end, also after part of a line.
func Read(r *bufio.Reader, v any) error {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > longest {
			return ErrLong
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return json.Unmarshal(line, v)
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// Write writes v as a line, in one call.
func Write(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// Start returns the controls' values.
func Start(controls []Control) []float64 {
	values := make([]float64, len(controls))
	for i, c := range controls {
		values[i] = c.Value
	}
	return values
}
