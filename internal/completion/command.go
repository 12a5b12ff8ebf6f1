package completion

import "strings"

// command is a command of GoNB's.
type command struct{ name, does string }

// gonbCommands are those of its help, by the names it prefers.
var gonbCommands = []command{
	{"%%", "the rest of the cell is the body of main"},
	{"%%bash", "the cell is a bash script"},
	{"%%script", "the cell is the input of a program"},
	{"%%sh", "the cell is a shell script"},
	{"%%writefile", "writes the cell to a file"},
	{"%args", "arguments of the program"},
	{"%autoget", "gets missing modules before compiling"},
	{"%capture", "writes the cell's output to a file, too"},
	{"%cd", "changes the folder"},
	{"%env", "sets an environment variable"},
	{"%exec", "runs a function as main"},
	{"%goflags", "flags of go build"},
	{"%goworkfix", "adds modules of go.work to go.mod"},
	{"%help", "lists the commands"},
	{"%list", "lists what is declared"},
	{"%main", "the rest of the cell is the body of main"},
	{"%noautoget", "doesn't get missing modules"},
	{"%remove", "forgets declarations"},
	{"%reset", "forgets all declarations"},
	{"%test", "runs the cell's tests"},
	{"%track", "watches a folder for changes"},
	{"%untrack", "stops watching a folder"},
	{"%version", "the version of GoNB"},
	{"%wasm", "compiles the cell for the browser"},
	{"%widgets", "starts the connection of GoNB's widgets"},
	{"%with_inputs", "asks for the input of the next ! command"},
	{"%with_password", "asks for a password for the next ! command"},
}

// commands are the candidates on a line with a command: its name, or after %rm and %remove
// what can be forgotten. start is where the candidate's text begins.
func (c *Completer) commands(code string, offset int) (start int, found []candidate) {
	begin := strings.LastIndexByte(code[:offset], '\n') + 1
	typed := code[begin:offset]
	if rest, ok := strings.CutPrefix(typed, commandPrefix); ok {
		begin, typed = begin+len(commandPrefix), rest
	}
	word := typed[strings.LastIndexAny(typed, " \t")+1:]
	if word != typed {
		switch first, _, _ := strings.Cut(typed, " "); first {
		case "%rm", "%remove":
			return offset - len(word), matching(c.declaredNames(), word)
		}
		return offset, nil
	}
	if !strings.HasPrefix(typed, "%") {
		return offset, nil
	}
	for _, g := range gonbCommands {
		if strings.HasPrefix(g.name, typed) {
			found = append(found, candidate{g.name, "magic", g.does})
		}
	}
	return begin, found
}

// declaredNames are candidates for all that cells have declared.
func (c *Completer) declaredNames() []candidate {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []candidate
	for _, u := range c.declared.units {
		for _, name := range u.names {
			found = append(found, candidate{name, "instance", ""})
		}
	}
	return found
}

// command carries out the commands of a cell that forget declarations. It says whether there
// were any.
func (d *declarations) command(code string) bool {
	lines := splitLines(code)
	classify(lines)
	changed := false
	for _, l := range lines {
		fields := strings.Fields(strings.TrimPrefix(l.text, commandPrefix))
		if l.kind != commandLine || len(fields) == 0 {
			continue
		}
		switch fields[0] {
		case "%reset":
			*d = declarations{}
			changed = true
		case "%rm", "%remove":
			names := map[string]bool{}
			for _, f := range fields[1:] {
				names[strings.Replace(f, "~", ".", 1)] = true // GoNB's name of a method
				delete(d.imports, f)
			}
			d.remove(names)
			changed = true
		}
	}
	return changed
}
