package transform

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError is what is wrong with a pipeline's text, and where.
type SyntaxError struct {
	Spec   string
	Column int // counted in characters from 1
	Reason string
}

// Error shows the reason, the column, and the text with a caret below it.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("column %d: %s\n  %s\n  %s^", e.Column, e.Reason, e.Spec, strings.Repeat(" ", e.Column-1))
}

// Parse reads a pipeline from one line of text: steps separated by '|', each a
// name with arguments in parentheses, such as
//
//	resize(256,bicubic) | centercrop(224) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])
//
// Names may be in upper or lower case. The error is a [*SyntaxError].
func Parse(spec string) (Pipeline, error) {
	p := &parser{spec: spec}
	pipeline, err := p.pipeline()
	if err != nil {
		return nil, err
	}
	return pipeline, nil
}

// parser walks over the bytes of a spec.
type parser struct {
	spec string
	pos  int
}

// argument is a value between parentheses: a list of numbers (one for a plain
// number) or a word.
type argument struct {
	at      int // byte offset in the spec
	word    string
	numbers []float64
}

func (p *parser) fail(at int, format string, args ...any) error {
	return &SyntaxError{Spec: p.spec, Column: utf8.RuneCountInString(p.spec[:at]) + 1, Reason: fmt.Sprintf(format, args...)}
}

func (p *parser) space() {
	for p.pos < len(p.spec) {
		r, size := utf8.DecodeRuneInString(p.spec[p.pos:])
		if !unicode.IsSpace(r) {
			return
		}
		p.pos += size
	}
}

// take passes over c if it comes next.
func (p *parser) take(c byte) bool {
	p.space()
	if p.pos < len(p.spec) && p.spec[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// token reads a run of letters, digits and the characters of numbers.
func (p *parser) token() (string, int) {
	p.space()
	start := p.pos
	for p.pos < len(p.spec) {
		c := p.spec[p.pos]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '-' && c != '+' && c != '_' {
			break
		}
		p.pos++
	}
	return p.spec[start:p.pos], start
}

func (p *parser) pipeline() (Pipeline, error) {
	var out Pipeline
	tensor := false
	for {
		name, at := p.token()
		if name == "" {
			return nil, p.fail(at, "a step's name should be here")
		}
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		op, err := p.build(strings.ToLower(name), at, args)
		if err != nil {
			return nil, err
		}
		_, onPictures := op.(ImageOp)
		switch {
		case op == Op(ToTensor{}) && tensor:
			return nil, p.fail(at, "a second totensor")
		case op == Op(ToTensor{}):
			tensor = true
		case onPictures && tensor:
			return nil, p.fail(at, "%s works on pictures: move it before totensor", name)
		case !onPictures && !tensor:
			return nil, p.fail(at, "%s works on tensors: put totensor before it", name)
		}
		out = append(out, op)
		p.space()
		if p.pos == len(p.spec) {
			return out, nil
		}
		if !p.take('|') {
			return nil, p.fail(p.pos, "'|' should be here, before the next step")
		}
	}
}

func (p *parser) arguments() ([]argument, error) {
	if !p.take('(') {
		return nil, nil
	}
	open := p.pos - 1
	var args []argument
	if p.take(')') {
		return nil, nil
	}
	for {
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		if p.take(')') {
			return args, nil
		}
		if !p.take(',') {
			if p.pos == len(p.spec) {
				return nil, p.fail(open, "this parenthesis is never closed")
			}
			return nil, p.fail(p.pos, "',' or ')' should be here")
		}
	}
}

func (p *parser) argument() (argument, error) {
	p.space()
	a := argument{at: p.pos}
	if !p.take('[') {
		text, at := p.token()
		if text == "" {
			return a, p.fail(at, "a value should be here")
		}
		if v, ok := number(text); ok {
			a.numbers = []float64{v}
		} else {
			a.word = strings.ToLower(text)
		}
		return a, nil
	}
	for {
		text, at := p.token()
		v, ok := number(text)
		if !ok {
			return a, p.fail(at, "a number should be here")
		}
		a.numbers = append(a.numbers, v)
		if p.take(']') {
			return a, nil
		}
		if !p.take(',') {
			return a, p.fail(p.pos, "',' or ']' should be here")
		}
	}
}

// number parses a finite number.
func number(text string) (float64, bool) {
	if text == "" || strings.IndexByte("0123456789+-.", text[0]) < 0 {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}
