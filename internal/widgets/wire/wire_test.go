package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// TestLines checks that lines of any length come back, and that part of a line is none.
func TestLines(t *testing.T) {
	var b bytes.Buffer
	sent := []Answer{
		{Number: 1, Figure: &Figure{Picture: bytes.Repeat([]byte{7}, 300_000), MIME: "image/png", Width: 2, Height: 1}},
		{Number: 2, Error: "two\nlines"},
	}
	for _, a := range sent {
		if err := Write(&b, a); err != nil {
			t.Fatal(err)
		}
	}
	b.WriteString(`{"number":3}`)
	r := bufio.NewReaderSize(&b, 16)
	for _, want := range sent {
		var got Answer
		if err := Read(r, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("number %d comes back as number %d (%v)", want.Number, got.Number, err)
		}
	}
	var got Answer
	if err := Read(r, &got); err != io.EOF || got.Number != 0 {
		t.Errorf("part of a line is number %d (%v)", got.Number, err)
	}
}

// endless is a line without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestLongLine(t *testing.T) {
	var a Answer
	if err := Read(bufio.NewReaderSize(endless{}, 1<<20), &a); !errors.Is(err, ErrLong) {
		t.Errorf("a line without an end: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		control Control
		want    string // "" for no error
	}{
		{Control{Kind: Slider, Name: "a", Max: 1, Step: 0.1, Value: 0.5}, ""},
		{Control{Kind: Slider, Name: "a", Max: 1, Step: 0, Value: 0.5}, "its step is 0"},
		{Control{Kind: Slider, Name: "a", Max: -1, Step: 1}, "its range is from 0 to -1"},
		{Control{Kind: Slider, Name: "a", Max: 1, Step: 1, Value: 2}, "its value is 2"},
		{Control{Kind: Integer, Name: "a", Max: 3, Step: 1, Value: 2}, ""},
		{Control{Kind: Integer, Name: "a", Max: 2.5, Step: 1, Value: 2}, "whole numbers"},
		{Control{Kind: Select, Name: "a", Options: []string{"x", "y"}, Value: 1}, ""},
		{Control{Kind: Toggle, Name: "a", Options: []string{"x"}, Value: 1}, "option 1 is chosen, of 1"},
		{Control{Kind: Select, Name: "a", Options: []string{"x"}, Value: 0.5}, "option 0.5 is chosen"},
		{Control{Kind: Select, Name: "a"}, "it has no options"},
		{Control{Kind: Check, Name: "a", Value: 1}, ""},
		{Control{Kind: Check, Name: "a", Value: 2}, "neither 0 nor 1"},
		{Control{Kind: Button, Name: "a", Value: 7}, ""},
		{Control{Kind: Button, Name: "a", Value: -1}, "it was pressed -1 times"},
		{Control{Kind: "knob", Name: "a"}, `the control "a": there is no kind "knob"`},
	} {
		err := c.control.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.control, err, c.want)
		}
	}
	if err := (&Figure{Picture: []byte{1}, MIME: "image/gif"}).Check(); err == nil {
		t.Error("a GIF passes")
	}
	if err := (*Figure)(nil).Check(); err != nil {
		t.Error(err)
	}
}

// FuzzRead checks that a line that can be read is written as one that gives the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"do":"widgets","controls":[{"kind":"slider","name":"angle","max":90,"step":0.5,"value":30}]}` + "\n"))
	f.Add([]byte("{}\n{\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReader(bytes.NewReader(data))
		for {
			var h, again Hello
			err := Read(r, &h)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				continue
			}
			for _, c := range h.Controls {
				c.Check()
			}
			var once, twice bytes.Buffer
			if err := Write(&once, h); err != nil {
				t.Fatal(err)
			}
			text := once.String()
			if err := Read(bufio.NewReader(&once), &again); err != nil {
				t.Fatal(err)
			}
			if err := Write(&twice, again); err != nil || twice.String() != text {
				t.Errorf("%s becomes %s (%v)", text, &twice, err)
			}
		}
	})
}
