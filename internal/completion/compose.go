package completion

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"sort"
	"strings"
)

// cell is the text of a notebook's cell as a Go file. GoNB's rules hold: lines that begin with
// % or ! are commands and no Go, and what follows %% is the body of main. Every other line of
// the cell is in the file as it is, so that a place in one is a place in the other. The cell
// may be unfinished.
type cell struct {
	code   string
	lines  []line
	file   string
	script bool // the cell isn't Go but a script or a file to write
}

// line is a line of a cell.
type line struct {
	start int      // its offset in the cell
	file  int      // its offset in the file, -1 if it isn't there
	kind  lineKind // what it is
	text  string
}

type lineKind int

const (
	goLine      lineKind = iota
	commandLine          // % or !, and the lines that continue it
	mainLine             // %% or %main: the body of main follows
	packageLine          // a package clause, which GoNB drops
)

// scripts are the commands that make a whole cell something other than Go.
var scripts = map[string]bool{"%%writefile": true, "%%script": true, "%%bash": true, "%%sh": true, "%%gx": true}

// compose makes the Go file of a cell: the header, which ends in a newline and is a package
// clause with imports, then the cell. The cursor, an offset in the cell, is where brackets that
// aren't closed yet are closed.
func compose(header, code string, cursor int) cell {
	c := cell{code: code, lines: splitLines(code)}
	first, _, _ := strings.Cut(strings.TrimPrefix(code, commandPrefix), "\n")
	if word, _, _ := strings.Cut(first, " "); scripts[word] {
		c.script = true
		return c
	}
	classify(c.lines)
	body := bodyLine(c.lines, cursor)
	var b strings.Builder
	b.WriteString(header)
	inMain := false
	for i := range c.lines {
		l := &c.lines[i]
		if !inMain && (l.kind == mainLine || i == body) {
			b.WriteString("func main() {\n")
			inMain = true
		}
		l.file = -1
		if l.kind == goLine {
			l.file = b.Len()
			b.WriteString(l.text)
		}
		b.WriteByte('\n')
	}
	c.file = closeBrackets(withoutErrors(b.String(), c.toFile(cursor)), c.toFile(cursor))
	return c
}

// commandPrefix may stand before a command, to hide it from Go's tools.
const commandPrefix = "//gonb:"

// splitLines splits a cell at its newlines.
func splitLines(code string) []line {
	var lines []line
	start := 0
	for text := range strings.SplitSeq(code, "\n") {
		lines = append(lines, line{start: start, file: -1, text: text})
		start += len(text) + 1
	}
	return lines
}

// classify says of each line what it is.
func classify(lines []line) {
	continued := false
	for i := range lines {
		l := &lines[i]
		text := strings.TrimPrefix(l.text, commandPrefix)
		switch {
		case continued:
			l.kind = commandLine
		case isMain(text):
			l.kind = mainLine
			continue
		case len(text) > 0 && (text[0] == '%' || text[0] == '!'):
			l.kind = commandLine
		case isPackageClause(text):
			l.kind = packageLine
		}
		continued = l.kind == commandLine && strings.HasSuffix(text, `\`)
	}
}

// isPackageClause says whether a line is a package clause.
func isPackageClause(text string) bool {
	rest, ok := strings.CutPrefix(text, "package")
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// isMain says whether a line begins the body of main.
func isMain(text string) bool {
	if rest, ok := strings.CutPrefix(text, "%%"); ok {
		return rest == "" || rest[0] == ' ' || rest[0] == '\t'
	}
	return strings.HasPrefix(text, "%main")
}

// bodyLine is the first line of a cell without %% that can only be in a function, or -1. Such
// a cell doesn't compile, but it is what people have while they write one. The line of the
// cursor, if it is blank and outside of declarations, is taken as one, too.
func bodyLine(lines []line, cursor int) int {
	var b strings.Builder
	cursorLine := lineOf(lines, cursor)
	for i, l := range lines {
		if l.kind == mainLine {
			return -1
		}
		switch {
		case l.kind == goLine && i == cursorLine && strings.TrimSpace(l.text) == "":
			b.WriteString("_") // stands for the statement that will be there
		case l.kind == goLine:
			b.WriteString(l.text)
		}
		b.WriteByte('\n')
	}
	text := b.String()
	depth, begins, found := 0, true, -1
	scan(text, func(offset int, tok token.Token, _ string) bool {
		if depth == 0 && begins && !startsDeclaration(tok) {
			found = strings.Count(text[:offset], "\n")
			return false
		}
		begins = tok == token.SEMICOLON
		depth += bracket(tok)
		return true
	})
	return found
}

// startsDeclaration says whether a token may begin a line outside of functions.
func startsDeclaration(tok token.Token) bool {
	switch tok {
	case token.IMPORT, token.FUNC, token.TYPE, token.VAR, token.CONST, token.SEMICOLON, token.RPAREN, token.RBRACE, token.RBRACK:
		return true
	}
	return false
}

// bracket is 1 for an opening bracket, -1 for a closing one.
func bracket(tok token.Token) int {
	switch tok {
	case token.LPAREN, token.LBRACK, token.LBRACE:
		return 1
	case token.RPAREN, token.RBRACK, token.RBRACE:
		return -1
	}
	return 0
}

// scan calls visit with the offset and the text of every token until it returns false. Errors
// of the text are passed over.
func scan(text string, visit func(offset int, tok token.Token, literal string) bool) {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF || !visit(file.Offset(pos), tok, literal) {
			return
		}
	}
}

// withoutErrors blanks the lines above the cursor's that can't be parsed: after such a line the
// parser would skip what follows, with the cursor. Braces stay, so that what they enclose stays
// enclosed.
func withoutErrors(text string, cursor int) string {
	if cursor < 0 {
		return text
	}
	begin := strings.LastIndexByte(text[:cursor], '\n') + 1
	for range maxBlanked {
		_, err := parser.ParseFile(token.NewFileSet(), "", text[:begin], parser.SkipObjectResolution|parser.AllErrors)
		at := firstError(err, text[:begin])
		if at < 0 {
			break
		}
		from := strings.LastIndexByte(text[:at], '\n') + 1
		to := at + strings.IndexByte(text[at:], '\n')
		blank := []byte(text[from:to])
		for i, b := range blank {
			if b != '{' && b != '}' {
				blank[i] = ' '
			}
		}
		if text[from:to] == string(blank) {
			break // it isn't this line's fault
		}
		text = text[:from] + string(blank) + text[to:]
	}
	return text
}

// maxBlanked is how many lines with errors are blanked.
const maxBlanked = 5

// firstError is the offset of the first syntax error before the end of a text, -1 if there is
// none. At the end it is the text that is unfinished.
func firstError(err error, text string) int {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return -1
	}
	for _, e := range list {
		if strings.TrimSpace(text[min(e.Pos.Offset, len(text)):]) != "" {
			return e.Pos.Offset
		}
	}
	return -1
}

// opened is a bracket that has no partner.
type opened struct {
	offset int
	tok    token.Token
}

// closeBrackets closes the brackets that are open at the end of a file. Those of a call that
// is being written, from the first round one on, are closed at the end of the cursor's line,
// so that what follows is parsed as what it is; the others at the end.
func closeBrackets(text string, cursor int) string {
	unclosed := openBrackets(text)
	call := len(unclosed)
	if cursor >= 0 {
		for i, o := range unclosed {
			if o.offset < cursor && o.tok != token.LBRACE {
				call = i
				break
			}
		}
	}
	var early, late strings.Builder
	for i := len(unclosed) - 1; i >= 0; i-- {
		if o := unclosed[i]; i >= call && o.offset < cursor {
			early.WriteByte(partner(o.tok))
		} else {
			late.WriteByte(partner(o.tok))
			late.WriteByte('\n')
		}
	}
	if early.Len() > 0 {
		end := len(text)
		if n := strings.IndexByte(text[cursor:], '\n'); n >= 0 {
			end = cursor + n
		}
		text = text[:end] + early.String() + text[end:]
	}
	return text + late.String()
}

// openBrackets are the brackets without a partner, in their order.
func openBrackets(text string) []opened {
	var stack, lost []opened
	scan(text, func(offset int, tok token.Token, _ string) bool {
		switch bracket(tok) {
		case 1:
			stack = append(stack, opened{offset, tok})
		case -1:
			for i := len(stack) - 1; i >= 0; i-- {
				if partner(stack[i].tok) == tok.String()[0] {
					lost = append(lost, stack[i+1:]...)
					stack = stack[:i]
					break
				}
			}
		}
		return true
	})
	stack = append(stack, lost...)
	sort.Slice(stack, func(i, j int) bool { return stack[i].offset < stack[j].offset })
	return stack
}

// partner is the closing bracket of an opening one.
func partner(tok token.Token) byte {
	switch tok {
	case token.LPAREN:
		return ')'
	case token.LBRACK:
		return ']'
	default:
		return '}'
	}
}

// lineOf is the index of the line with an offset.
func lineOf(lines []line, offset int) int {
	return sort.Search(len(lines), func(i int) bool { return lines[i].start > offset }) - 1
}

// toFile is the place in the file of an offset in the cell, -1 where the line isn't Go.
func (c *cell) toFile(offset int) int {
	l := c.lines[lineOf(c.lines, offset)]
	if l.file < 0 {
		return -1
	}
	return l.file + offset - l.start
}

// parse parses the cell's file as far as it goes.
func (c *cell) parse() (*token.FileSet, *ast.File, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", c.file, parser.ParseComments|parser.SkipObjectResolution|parser.AllErrors)
	return fset, file, err
}
