package transform

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError is an error in a pipeline's text, with its position.
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
//	randomhflip | rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | perspective(0.2,p=0.5) | totensor
//
// An argument is a number, a range a:b, a list [a,b,c] or a word, and may be named, as
// in p=0.5. Names may be in upper or lower case. A step on pictures with fixed parameters
// is applied at random if it has "random" before its name, or p=. [Usages] lists the
// steps. The error is a [*SyntaxError].
func Parse(spec string) (Pipeline, error) {
	p := &parser{spec: spec}
	pipeline, err := p.pipeline()
	if err != nil {
		return nil, err
	}
	return pipeline, nil
}

// parser reads the bytes of a spec.
type parser struct {
	spec string
	pos  int
}

// argument is a value between parentheses: a list of numbers (one for a plain
// number, two for a range) or a word, optionally with a name and '=' before it.
type argument struct {
	at      int // byte offset in the spec
	name    string
	word    string
	text    string // the text in the spec, for whole numbers that float64 can't hold
	numbers []float64
	ranged  bool // a:b
	listed  bool // [a,b,…]
	arrow   bool // -> comes before it
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

// take consumes c if it comes next.
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
		if strings.HasPrefix(p.spec[p.pos:], "->") {
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
			return nil, p.fail(at, "a step's name is expected here")
		}
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		op, err := p.build(strings.ToLower(name), at, args)
		if err != nil {
			return nil, err
		}
		onPictures, toTensor := false, false
		switch op.(type) {
		case ImageOp, RandomOp:
			onPictures = true
		case ToTensor:
			toTensor = true
		}
		switch {
		case toTensor && tensor:
			return nil, p.fail(at, "a second totensor")
		case toTensor:
			tensor = true
		case isBackground(op) && len(out) > 0:
			return nil, p.fail(at, "background must be the first step, because pictures lose their transparency when they are decoded")
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
			return nil, p.fail(p.pos, "'|' is expected here, before the next step")
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
	arrow := false
	for {
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		a.arrow = arrow
		args = append(args, a)
		if p.take(')') {
			return args, nil
		}
		if arrow = strings.HasPrefix(p.spec[p.pos:], "->"); arrow {
			p.pos += 2
			continue
		}
		if !p.take(',') {
			if p.pos == len(p.spec) {
				return nil, p.fail(open, "this parenthesis is never closed")
			}
			return nil, p.fail(p.pos, "',' or ')' is expected here")
		}
	}
}

func (p *parser) argument() (argument, error) {
	p.space()
	start := p.pos
	if text, _ := p.token(); text != "" {
		if _, isNumber := number(text); !isNumber && p.take('=') {
			a, err := p.value()
			a.name = strings.ToLower(text)
			return a, err
		}
	}
	p.pos = start
	return p.value()
}

// value reads a number, a range, a list or a word.
func (p *parser) value() (argument, error) {
	p.space()
	a := argument{at: p.pos}
	if p.take('[') {
		a.listed = true
		return p.list(a)
	}
	text, at := p.token()
	if text == "" {
		return a, p.fail(at, "a value is expected here")
	}
	v, ok := number(text)
	if !ok {
		a.word = strings.ToLower(text)
		return a, nil
	}
	a.text, a.numbers = text, []float64{v}
	if p.take(':') {
		text, at := p.token()
		end, ok := number(text)
		if !ok {
			return a, p.fail(at, "the range's end, a number, is expected here")
		}
		if end < v {
			return a, p.fail(a.at, "a range must go from the smaller number to the larger one")
		}
		a.numbers, a.ranged = []float64{v, end}, true
	}
	return a, nil
}

// list reads the numbers after '['.
func (p *parser) list(a argument) (argument, error) {
	for {
		text, at := p.token()
		v, ok := number(text)
		if !ok {
			return a, p.fail(at, "a number is expected here")
		}
		a.numbers = append(a.numbers, v)
		if p.take(']') {
			return a, nil
		}
		if !p.take(',') {
			return a, p.fail(p.pos, "',' or ']' is expected here")
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
