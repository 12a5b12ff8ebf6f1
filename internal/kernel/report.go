package kernel

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// failure is why a cell failed, as the content of an error message has it.
type failure struct {
	name      string // ename
	value     string // evalue
	traceback []string
}

func (f *failure) content() map[string]any {
	traceback := f.traceback
	if traceback == nil {
		traceback = []string{}
	}
	return map[string]any{"ename": f.name, "evalue": f.value, "traceback": traceback}
}

const (
	bold  = "\x1b[1;31m"
	faint = "\x1b[2m"
	reset = "\x1b[0m"

	maxProblems = 20
	maxFrames   = 40 // lines of the runtime's report that are shown
)

// plainFailure has a message, and lines below it that say more.
func plainFailure(name, message string, more ...string) *failure {
	title := name
	if message != "" {
		title = name + ": " + message
	}
	return &failure{name, message, append([]string{bold + title + reset}, more...)}
}

// problemsFailure reports problems at places of the cell, the first as the main message.
func problemsFailure(name string, problems []problem) *failure {
	f := &failure{name: name, value: problems[0].where() + problems[0].message}
	if n := len(problems) - 1; n > 0 {
		f.value += fmt.Sprintf(" (and %d more)", n)
	}
	for i, p := range problems {
		if i == maxProblems {
			f.traceback = append(f.traceback, fmt.Sprintf("… and %d more", len(problems)-i))
			break
		}
		f.traceback = append(f.traceback, p.traceback())
	}
	return f
}

// where names a problem's line.
func (p *problem) where() string {
	switch {
	case p.line < 0:
		return ""
	case p.cell > 0:
		return fmt.Sprintf("Cell [%d] line %d: ", p.cell, p.line+1)
	}
	return fmt.Sprintf("Line %d: ", p.line+1)
}

// traceback shows a problem: its message, the line with a caret below, and what to do.
func (p *problem) traceback() string {
	b := bold + p.where() + p.message + reset
	if strings.TrimSpace(p.text) != "" {
		line, shift := excerpt(p.text, p.column)
		b += "\n    " + line
		if p.column >= 0 {
			b += "\n    " + indentation(line, shift) + bold + "^" + reset
		}
	}
	if p.hint != "" {
		b += "\n" + p.hint
	}
	return b
}

const maxExcerpt = 200

// excerpt returns a line, shortened around byte at if it's very long, and the byte's place
// in it.
func excerpt(line string, at int) (string, int) {
	if len(line) <= maxExcerpt {
		return line, min(at, len(line))
	}
	from := min(max(0, at-maxExcerpt/2), len(line)-maxExcerpt)
	to := from + maxExcerpt
	for from > 0 && !utf8.RuneStart(line[from]) {
		from--
	}
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to++
	}
	before, after := "", ""
	if from > 0 {
		before = "…"
	}
	if to < len(line) {
		after = "…"
	}
	return before + line[from:to] + after, min(max(0, at-from), to-from) + len(before)
}

// indentation is as wide as the first n bytes of a line, tabs included.
func indentation(line string, n int) string {
	var b strings.Builder
	for _, r := range line[:min(n, len(line))] {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

var (
	compilerLine = regexp.MustCompile(`^(?:vet: )?(?:\S*/)?main(?:_test)?\.go:(\d+)(?::(\d+))?: (.*)$`)
	undefined    = regexp.MustCompile(`^undefined: ([\pL_][\pL\pN_]*)$`)
	redeclared   = regexp.MustCompile(`^([\pL_][\pL\pN_]*) redeclared in this block$`)
)

// compilerProblems reads the go command's report on a main.go. Lines that belong to no
// place are left out if there are others, since they only say what failed. cell is the
// execution count of the cell that was compiled.
func compilerProblems(report, mainGo string, p *places, cell int) []problem {
	m := parseMain(mainGo)
	var problems []problem
	var loose []string
	for _, line := range strings.Split(report, "\n") {
		match := compilerLine.FindStringSubmatch(line)
		switch {
		case match != nil:
			problems = append(problems, located(match, m, p, cell))
		case strings.HasPrefix(line, "\t") && len(problems) > 0:
			problems[len(problems)-1].message += "\n" + cleanPaths(line)
		case strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "exit status "):
			loose = append(loose, cleanPaths(line))
		}
	}
	problems = withoutConsequences(problems)
	if len(problems) == 0 && len(loose) > 0 {
		problems = []problem{{line: -1, column: -1, message: strings.Join(loose, "\n")}}
	}
	return problems
}

// located makes a problem of a line of the compiler's.
func located(match []string, m *mainFile, p *places, cell int) problem {
	line, _ := strconv.Atoi(match[1])
	column, err := strconv.Atoi(match[2])
	if err != nil {
		column = 0
	}
	found := problem{line: -1, column: -1, message: cleanPaths(match[3])}
	at, ok := p.find(m, line-1, column-1)
	if ok {
		found.line, found.column, found.text = at.line, at.column, at.text
		if at.cell != cell {
			found.cell = at.cell
		}
	} else if line > 0 && line <= len(m.lines) { // nothing of a cell's: say what it is about
		found.text, found.column = m.lines[line-1], column-1
	}
	return found
}

// advise adds to compile errors what to do about them.
func advise(problems []problem, p *places, restarted bool) {
	for i := range problems {
		q := &problems[i]
		if match := undefined.FindStringSubmatch(q.message); match != nil && !p.has(match[1]) {
			name := match[1]
			switch from, local := p.locals[name]; {
			case local && from != p.current():
				q.hint = fmt.Sprintf("%s is a variable below %%%% in cell [%d], whose program has ended. To use a value in several cells,\n"+
					"return it from a func that is declared above %%%%; notebook.Cached keeps what takes long to compute.", name, from)
			case restarted:
				q.hint = "The Go process was started again, so what earlier cells declared is gone: run the cells above."
			case strings.HasPrefix(after(q), "."):
				q.hint = fmt.Sprintf("If %s is a package, it has no %s, or several packages are called so: check the spelling, or import it in the first cell.", name, after(q))
			case p.similar(name) != "":
				q.hint = fmt.Sprintf("Did you mean %s?", p.similar(name))
			case p.cells <= 1:
				q.hint = "No cell has been run since the kernel was started: run the cells above."
			default:
				q.hint = fmt.Sprintf("No cell that was run declares %s. If a cell above does, run it first.", name)
			}
		}
		if match := redeclared.FindStringSubmatch(strings.SplitN(q.message, "\n", 2)[0]); match != nil {
			q.hint = fmt.Sprintf("An earlier cell declares %s as something else; %%rm %s removes that.", match[1], match[1])
		}
	}
}

// after is the selector that follows an undefined name, such as .Printl; empty: none.
func after(p *problem) string {
	at := p.column + len(strings.TrimPrefix(p.message, "undefined: "))
	if p.column < 0 || at > len(p.text) {
		return ""
	}
	return selector.FindString(p.text[at:])
}

var selector = regexp.MustCompile(`^\.[\pL_][\pL\pN_]*`)

// withoutConsequences leaves out problems that another one's undefined name has caused:
// the compiler says so by types that it doesn't know.
func withoutConsequences(problems []problem) []problem {
	named := func(p problem) bool { return undefined.MatchString(p.message) }
	if !slices.ContainsFunc(problems, named) {
		return problems
	}
	return slices.DeleteFunc(problems, func(p problem) bool {
		return !named(p) && (strings.Contains(p.message, "unknown type") || strings.Contains(p.message, "invalid type"))
	})
}

// current is the execution count of the cell whose main is known last.
func (p *places) current() int { return p.known["func main"].cell }

// cleanPaths removes the folders of GoNB's files from a message.
func cleanPaths(text string) string {
	text = marker.ReplaceAllString(text, "")
	return temporaryPath.ReplaceAllString(text, "")
}

var (
	marker        = regexp.MustCompile(` ?\x1b\[7m\[\[ Cell (?:\[-?\d+\] )?Line -?\d+ \]\]\x1b\[0m `)
	temporaryPath = regexp.MustCompile(`(?:\.|/[^\s:"']*)?/?gonb_[0-9a-f]{8}/`)
	mainPlace     = regexp.MustCompile(`(?:[^\s"']*/)?main(?:_test)?\.go:(\d+)(?::(\d+))?`)
	frameLine     = regexp.MustCompile(`^\t(.+?):(\d+)(?: \+0x[0-9a-f]+)?(?: fp=.*)?$`)
)

// nameLines replaces places in main.go by those of cells in what a program printed.
func nameLines(text, mainGo string, p *places) string {
	if !strings.Contains(text, "main.go:") && !strings.Contains(text, "main_test.go:") {
		return text
	}
	m := parseMain(mainGo)
	return mainPlace.ReplaceAllStringFunc(marker.ReplaceAllString(text, ""), func(s string) string {
		line, _ := strconv.Atoi(mainPlace.FindStringSubmatch(s)[1])
		if at, ok := p.find(m, line-1, -1); ok {
			return fmt.Sprintf("cell [%d] line %d", at.cell, at.line+1)
		}
		return cleanPaths(s)
	})
}

// crash is the runtime's report of a panic or a fatal error, taken apart.
type crash struct {
	name    string   // panic or fatal error
	message string   // may have several lines
	frames  []string // the rest
}

// readCrash reads the report; ok is false if the text isn't one.
func readCrash(text string) (c crash, ok bool) {
	text = marker.ReplaceAllString(text, "")
	for _, name := range []string{"panic", "fatal error"} {
		at := strings.Index("\n"+text, "\n"+name+": ")
		if at < 0 {
			continue
		}
		message, rest := text[at+len(name)+2:], ""
		if end := endOfMessage.FindStringIndex(message); end != nil {
			message, rest = message[:end[0]], message[end[0]:]
		}
		message = strings.TrimSpace(message)
		for _, more := range []string{" [recovered, repanicked]", " [recovered]"} {
			message = strings.TrimSuffix(message, more)
		}
		return crash{name, message, withoutHost(strings.Split(strings.TrimSpace(rest), "\n"))}, true
	}
	return crash{}, false
}

// withoutHost leaves out the frames below a cell's main, which are of what runs the cell.
// Where the compiler has inlined the entry, they begin with the host's own.
func withoutHost(lines []string) []string {
	var kept []string
	host := false
	for i, line := range lines {
		inHost := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\t") && strings.Contains(lines[i+1], "/internal/cells/host/")
		host = line != "" && (host || inHost || strings.HasPrefix(line, "main.Gaze_Main("))
		if !host {
			kept = append(kept, line)
		}
	}
	return kept
}

// endOfMessage is what follows the message of a panic.
var endOfMessage = regexp.MustCompile(`\n(?:\n?goroutine \d+|\[signal |\n?runtime stack:|\tpanic: )`)

// crashFailure shows a crash: the message, the user's lines, and behind them the frames of
// everything else. root is the folder whose packages are the project's.
func crashFailure(c crash, mainGo string, p *places, cell int, root string) *failure {
	f := plainFailure(c.name, strings.Join(strings.Fields(firstLine(c.message)), " "))
	f.traceback[0] = bold + c.name + ": " + c.message + reset
	m := parseMain(mainGo)
	var rest []string
	for i, line := range c.frames {
		match := frameLine.FindStringSubmatch(line)
		if match == nil {
			rest = append(rest, cleanPaths(line))
			continue
		}
		number, _ := strconv.Atoi(match[2])
		at, ok := place{}, false
		if mainPlace.MatchString(match[1] + ":" + match[2]) {
			at, ok = p.find(m, number-1, -1)
		}
		if !ok {
			rest = append(rest, "\t"+cleanPaths(strings.TrimPrefix(line[1:], root+"/")))
			continue
		}
		where := fmt.Sprintf("Line %d", at.line+1)
		if at.cell != cell {
			where = fmt.Sprintf("Cell [%d] line %d", at.cell, at.line+1)
		}
		if len(f.traceback) <= 10 && !inOtherGoroutine(c.frames[:i]) {
			text, _ := excerpt(strings.TrimSpace(at.text), 0)
			text = fmt.Sprintf("%s in %s: %s", where, at.function, text)
			if f.traceback[len(f.traceback)-1] != text { // not for each call of an endless recursion
				f.traceback = append(f.traceback, text)
			}
		}
		rest = append(rest, "\t"+where)
	}
	if hint := crashHint(c.message); hint != "" {
		f.traceback = slices.Insert(f.traceback, 1, hint)
	}
	if len(rest) > maxFrames {
		rest = append(rest[:maxFrames], fmt.Sprintf("… and %d more lines", len(rest)-maxFrames))
	}
	if text := strings.TrimSpace(strings.Join(rest, "\n")); text != "" {
		f.traceback = append(f.traceback, faint+text+reset)
	}
	return f
}

// inOtherGoroutine says whether more than one goroutine's frames have begun.
func inOtherGoroutine(lines []string) bool {
	n := 0
	for _, line := range lines {
		if strings.HasPrefix(line, "goroutine ") {
			n++
		}
	}
	return n > 1
}

// crashHint says what to do about crashes that are particular to notebooks.
func crashHint(message string) string {
	if name, ok := strings.CutPrefix(message, "flag redefined: "); ok {
		return fmt.Sprintf("Two variables of the notebook define the flag -%s. %%rm NAME removes the older variable.", name)
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// lastLine returns the last line of a text that isn't empty.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	text = text[strings.LastIndexByte(text, '\n')+1:]
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\r')+1:])
}
