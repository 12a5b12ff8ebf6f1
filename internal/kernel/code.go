package kernel

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// code is a cell's text, read as GoNB reads it.
type code struct {
	text  string
	lines []string
	kind  kind

	special []bool // lines that are commands (%, !), not Go
	shell   bool   // there are ! lines
	start   int    // the line of %% or %main, -1 for none
	test    bool   // %test: the program's result is that of the tests
	again   []int  // further %% lines, which continue the first

	source string // the file that GoNB makes of the cell's Go
	lineOf []int  // for each of its lines the cell's, or -1
	file   *ast.File
	files  *token.FileSet

	problems []problem // why the cell can't be run
}

// kind says what a cell is.
type kind int

const (
	empty  kind = iota // nothing to run: no text, or only comments
	goCode             // Go, with or without commands
	other              // only commands
	script             // %%bash and the like
	file               // %%writefile
)

// problem is something that is wrong at a place of a cell. Lines and columns begin with 0;
// a column of -1 is unknown. columns count bytes.
type problem struct {
	line, column int
	message      string
	hint         string // what to do about it; may be empty
	text         string // the line, for the cells of [places]
	cell         int    // the execution count of an earlier cell; 0 for this one
}

// commands are GoNB's commands that begin with %, without it.
var commands = map[string]bool{
	"%": true, "main": true, "args": true, "test": true, "exec": true, "wasm": true, "widgets": true, "widgets_hb": true,
	"env": true, "cd": true, "goflags": true, "autoget": true, "noautoget": true, "help": true, "version": true,
	"reset": true, "ls": true, "list": true, "rm": true, "remove": true, "with_inputs": true, "with_password": true,
	"track": true, "untrack": true, "goworkfix": true, "capture": true,
	"%writefile": true, "%script": true, "%bash": true, "%sh": true, "%gx": true, // at the start of a cell
}

// read reads a cell. Its problems are those that GoNB would stumble over.
func read(text string) *code {
	text = withoutMarks(text)
	c := &code{text: text, lines: strings.Split(text, "\n"), start: -1}
	c.special = make([]bool, len(c.lines))
	switch first, _, _ := strings.Cut(command(c.lines[0]), " "); first {
	case "%%bash", "%%sh", "%%script", "%%gx":
		c.kind = script
		if first == "%%script" && len(strings.Fields(c.lines[0])) < 2 {
			c.problems = append(c.problems, problem{column: -1, message: "%%script needs the name of a program"})
		}
		return c
	case "%%writefile":
		c.kind = file
		return c
	}
	c.readCommands()
	c.makeSource()
	c.parse()
	return c
}

// withoutMarks returns a cell without what editors of other systems leave in it: a byte order mark
// and carriage returns at the ends of lines. They mean nothing in Go, but would hide
// commands. A file that %%writefile writes keeps them.
func withoutMarks(text string) string {
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.HasPrefix(command(text), "%%writefile") {
		return text
	}
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// command returns a line without the prefix that hides commands from Go's tools.
func command(line string) string { return strings.TrimPrefix(line, "//gonb:") }

// readCommands finds the lines that are commands.
func (c *code) readCommands() {
	for i := 0; i < len(c.lines); i++ {
		line := command(c.lines[i])
		if len(line) < 2 || line[0] != '%' && line[0] != '!' {
			continue
		}
		first := i
		c.special[i] = true
		for strings.HasSuffix(line, "\\") && i+1 < len(c.lines) {
			i++
			c.special[i] = true
			line = strings.TrimSuffix(line, "\\") + " " + command(c.lines[i])
		}
		words := strings.Fields(line[1:])
		switch {
		case len(words) == 0:
			c.problems = append(c.problems, problem{first, 0, "there is no command after " + line[:1], "", "", 0})
		case line[0] == '!':
			c.shell = true
		default:
			c.readCommand(first, words)
		}
	}
}

// readCommand notes what a command that begins with % means for the cell.
func (c *code) readCommand(line int, words []string) {
	name := words[0]
	starts := name == "%" || strings.HasPrefix(name, "main") || name == "exec"
	switch {
	case !commands[name]:
		c.problems = append(c.problems, problem{line, 0, "%" + name + " isn't a command of this kernel", "%help lists the commands.", "", 0})
	case strings.HasPrefix(name, "%") && name != "%":
		c.problems = append(c.problems, problem{line, 0, "%" + name + " must be the first line of a cell", "", "", 0})
	case name == "exec" && len(words) < 2:
		c.problems = append(c.problems, problem{line, 0, "%exec needs the name of a func", "", "", 0})
	case starts && c.start < 0:
		c.start = line
	case starts && (name == "exec" || len(words) > 1 || strings.HasPrefix(command(c.lines[c.start]), "%exec")):
		c.problems = append(c.problems, problem{line, 0, "a second " + command(c.lines[line]) + " in a cell",
			"A cell is one program: leave one of the lines out, or make two cells.", "", 0})
	case starts:
		c.again = append(c.again, line)
	}
	c.test = c.test || name == "test"
}

// forGoNB returns the cell's text for GoNB, line by line the same: without further %%
// lines, on which it crashes, and with a space before lines that begin like a package
// clause, which it would drop.
func (c *code) forGoNB() string {
	if c.kind == script || c.kind == file {
		return c.text
	}
	lines := slices.Clone(c.lines)
	for _, line := range c.again {
		lines[line] = ""
	}
	for i, line := range lines {
		if isPackagePrefix(line) {
			lines[i] = " " + line
		}
	}
	return strings.Join(lines, "\n")
}

// unsafe says whether GoNB would stumble over the cell; syntax errors are fine for
// completion.
func (c *code) unsafe() bool {
	if len(c.again) > 0 {
		return true
	}
	for _, p := range c.problems {
		if p.line < len(c.special) && c.special[p.line] {
			return true
		}
	}
	return false
}

// isPackagePrefix says whether a line begins with the word package, but isn't a package
// clause.
func isPackagePrefix(line string) bool {
	rest, ok := strings.CutPrefix(line, "package")
	return ok && rest != "" && rest[0] != ' ' && rest[0] != '\t'
}

// makeSource writes the file that GoNB makes of a cell.
func (c *code) makeSource() {
	var b strings.Builder
	write := func(cell int, lines ...string) {
		for _, line := range lines {
			b.WriteString(line + "\n")
			c.lineOf = append(c.lineOf, cell)
		}
	}
	write(-1, "package main", "")
	body := false
	for i, line := range c.lines {
		switch words := strings.Fields(command(line)); {
		case i == c.start && words[0] == "%exec":
			name := "main"
			if len(words) > 1 {
				name = words[1]
			}
			write(i, "func main() {", "\tflag.Parse()", "\t"+name+"()", "}")
		case i == c.start:
			write(i, "func main() {", "\tflag.Parse()")
			body = true
		case c.special[i]:
			if slices.Contains(c.again, i) {
				write(i, "")
			}
		case strings.HasPrefix(line, "package") && !isPackagePrefix(line): // GoNB drops it
		default:
			write(i, line)
		}
	}
	if body {
		write(-1, "", "}")
	}
	c.source = b.String()
}

// parse parses the cell's Go and finds what kind of cell it is.
func (c *code) parse() {
	c.files = token.NewFileSet()
	f, err := parser.ParseFile(c.files, "main.go", c.source, parser.AllErrors|parser.SkipObjectResolution|parser.ParseComments)
	c.file = f
	if list, ok := err.(scanner.ErrorList); ok {
		c.syntax(list)
	} else if err != nil {
		c.problems = append(c.problems, problem{0, -1, err.Error(), "", "", 0})
	}
	commanded := slices.Contains(c.special, true)
	switch {
	case len(c.problems) > 0 || c.start >= 0 || c.test || f != nil && (len(f.Decls) > 0 || len(f.Imports) > 0):
		c.kind = goCode
	case commanded:
		c.kind = other
	}
}

// syntax turns Go's syntax errors into problems, one for each line.
func (c *code) syntax(list scanner.ErrorList) {
	list.RemoveMultiples()
	for _, e := range list {
		line := c.cellLine(e.Pos.Line - 1)
		p := problem{line: line, column: e.Pos.Column - 1, message: e.Msg}
		if e.Pos.Line-1 >= len(c.lineOf) || c.lineOf[e.Pos.Line-1] < 0 {
			if len(c.problems) > 0 {
				continue // follows from those before
			}
			p.column = len(c.lines[line]) // behind the end
		}
		c.explain(&p)
		c.problems = append(c.problems, p)
	}
}

// explain replaces messages that only make sense for a file, not for a cell.
func (c *code) explain(p *problem) {
	line := strings.TrimSpace(c.lines[p.line])
	below := c.start >= 0 && p.line > c.start
	switch {
	case strings.HasPrefix(line, "%") && !strings.HasPrefix(c.lines[p.line], "%") && commands[strings.TrimPrefix(strings.Fields(line)[0], "%")]:
		p.message, p.hint = strings.Fields(line)[0]+" isn't at the beginning of its line", "Remove the spaces before it."
	case below && strings.HasPrefix(line, "func ") && strings.HasPrefix(p.message, "expected '('"):
		p.message, p.hint = "a func can't be declared below %%", "Put it above the %% line, or write name := func(…) {…}."
	case below && strings.HasPrefix(line, "import"):
		p.message, p.hint = "an import can't be below %%", "Put it above the %% line, or into a cell of its own."
	case strings.Contains(p.message, "illegal rune literal"):
		p.hint = "Text is written in double quotes, \"…\"; single quotes are for one character."
	case strings.Contains(p.message, "non-declaration statement outside function body") || strings.HasPrefix(p.message, "expected declaration"):
		if c.start < 0 {
			p.message, p.hint = "a statement outside of a func", "Put a line %% above what the cell should run."
		} else if p.line < c.start {
			p.message, p.hint = "a statement above %%", "Put it below the %% line; above are only declarations."
		}
	}
}

// cellLine returns the cell's line for a line of the source: if it has none, the last one
// before it.
func (c *code) cellLine(line int) int {
	for line = min(line, len(c.lineOf)-1); line >= 0; line-- {
		if c.lineOf[line] >= 0 {
			return c.lineOf[line]
		}
	}
	return 0
}
