package kernel

import (
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// isComplete says whether a cell can be run as it is ("complete"), needs more lines
// ("incomplete", with the indentation of the next) or can't become right ("invalid"), for
// consoles that decide what Enter does.
func isComplete(text string) (status, indent string) {
	c := read(text)
	last := c.lines[len(c.lines)-1]
	switch {
	case c.kind == script || c.kind == file:
		if len(c.lines) > 1 && strings.TrimSpace(last) == "" {
			return "complete", ""
		}
		return "incomplete", ""
	case strings.HasSuffix(last, "\\") && c.special[len(c.special)-1]:
		return "incomplete", ""
	case c.start >= 0 && len(c.problems) == 0 && strings.TrimSpace(strings.Join(c.lines[c.start+1:], "")) == "" &&
		!strings.HasPrefix(command(c.lines[c.start]), "%exec"):
		return "incomplete", "" // %% with nothing to run
	case len(c.problems) == 0:
		return "complete", ""
	}
	open, unended := brackets(c.source)
	if c.start >= 0 && !strings.HasPrefix(command(c.lines[c.start]), "%exec") {
		open = max(open, 0) // the source has the bracket that closes main
	}
	if !c.couldContinue(open, unended) {
		return "invalid", ""
	}
	if unended {
		return "incomplete", ""
	}
	return "incomplete", strings.Repeat("\t", max(open, 0))
}

// couldContinue says whether all that is wrong is at the cell's end, so that more lines
// could mend it.
func (c *code) couldContinue(open int, unended bool) bool {
	if unended {
		return true
	}
	// Errors at the end of the text hide behind the bracket that closes main, so parse
	// without it: then they are at the end of the file.
	source := strings.TrimRight(strings.TrimSuffix(c.source, "\n}\n"), "\n")
	_, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	list, ok := err.(scanner.ErrorList)
	if !ok || len(list) == 0 {
		return false
	}
	for _, p := range c.problems {
		if p.column < 0 || strings.HasPrefix(c.lines[p.line], "%") {
			return false // not Go's syntax
		}
	}
	return strings.Contains(list[0].Msg, "EOF") || list[0].Pos.Offset >= len(source)
}

// brackets counts the brackets of Go source that are open at its end, and says whether a
// string or comment isn't ended.
func brackets(source string) (open int, unended bool) {
	files := token.NewFileSet()
	var s scanner.Scanner
	s.Init(files.AddFile("", -1, len(source)), []byte(source), func(_ token.Position, message string) {
		unended = unended || message == "raw string literal not terminated" || message == "comment not terminated"
	}, 0)
	for {
		switch _, t, _ := s.Scan(); t {
		case token.EOF:
			return open, unended
		case token.LBRACE, token.LPAREN, token.LBRACK:
			open++
		case token.RBRACE, token.RPAREN, token.RBRACK:
			open--
		}
	}
}
