// Package donation lets programs update variables where they lie.
//
// GoMLX gives the old value of a variable away when a program makes a new one, but
// go-xla doesn't tell the compiler which result may take whose place: a training step then
// needs all weights and all that the optimiser keeps twice. [Rewrite] tells it.
package donation

import (
	"fmt"
	"regexp"
	"strings"
)

// variable begins the name of a parameter that is a variable's value: its path, whose
// slashes have become underscores. Other parameters are called arg0, arg1 and so on.
const variable = "%_"

// near bounds how many operations lie between a variable and its new value; the
// optimisers' updates have about a dozen.
const near = 64

// byElement are operations that give at each place what can be computed from their
// operands' numbers at that place.
var byElement = map[string]bool{
	"add": true, "subtract": true, "multiply": true, "divide": true, "maximum": true, "minimum": true, "sqrt": true, "rsqrt": true,
	"power": true, "negate": true, "abs": true, "sign": true, "exponential": true, "log": true, "select": true, "clamp": true,
}

var (
	signature = regexp.MustCompile(`^ *func\.func @main\((.*)\) -> (.*) \{$`)
	operation = regexp.MustCompile(`(?m)^    (%[\w#]+) = "stablehlo\.(\w+)"\(([^()]*)\)[^\n]*: \(.*\) -> (tensor<[^<>]*>)$`)
	returned  = regexp.MustCompile(`(?m)^    "stablehlo\.return"\((.*)\) : `)
)

// op is what gives a value.
type op struct {
	name     string
	operands []string
	result   string // its type
}

// Rewrite says in a program's text, for each result that is a variable's new value, that
// it may take the variable's place: the nearest variable of the same type that it is
// computed from element by element. What isn't as go-xla writes it is left as it is.
func Rewrite(program string) string {
	begin := strings.Index(program, "func.func @main(")
	if begin < 0 {
		return program
	}
	line, _, _ := strings.Cut(program[begin:], "\n")
	at := signature.FindStringSubmatchIndex(line)
	if at == nil {
		return program
	}
	for i := range at {
		at[i] += begin
	}
	types, order := parameters(program[at[2]:at[3]])
	if !updates(types, program[at[4]:at[5]]) {
		return program
	}
	body := program[at[1]:]
	if end := strings.Index(body, "\n  }"); end >= 0 {
		body = body[:end]
	}
	results := returned.FindStringSubmatch(body)
	if len(order) == 0 || results == nil {
		return program
	}
	ops := map[string]op{}
	for _, m := range operation.FindAllStringSubmatch(body, -1) {
		ops[m[1]] = op{m[2], strings.Split(m[3], ", "), m[4]}
	}
	place := map[string]int{}
	for i, result := range strings.Split(results[1], ", ") {
		if v := nearest(result, ops, types, place); v != "" {
			place[v] = i
		}
	}
	var b strings.Builder
	b.WriteString(program[:at[2]])
	for i, name := range order {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s: %s", name, types[name])
		if result, ok := place[name]; ok {
			fmt.Fprintf(&b, " {tf.aliasing_output = %d : i32}", result)
		}
	}
	b.WriteString(program[at[3]:])
	return b.String()
}

// updates says whether a result has a variable's type: most programs update nothing, and
// need no closer look.
func updates(types map[string]string, results string) bool {
	for name, kind := range types {
		if strings.HasPrefix(name, variable) && strings.Contains(results, kind) {
			return true
		}
	}
	return false
}

// parameters are the types by name, and the names in order; none if there is anything
// else, such as how they are spread over devices.
func parameters(list string) (types map[string]string, order []string) {
	types = map[string]string{}
	for _, p := range strings.Split(list, ", ") {
		name, kind, ok := strings.Cut(p, ": ")
		if !ok || !strings.HasPrefix(name, "%") || !strings.HasPrefix(kind, "tensor<") || !strings.HasSuffix(kind, ">") {
			return nil, nil
		}
		types[name] = kind
		order = append(order, name)
	}
	return types, order
}

// nearest is the variable that a value is computed from with the fewest operations in
// between, of those whose place isn't taken; empty if there is none.
func nearest(value string, ops map[string]op, types map[string]string, taken map[string]int) string {
	kind := ops[value].result
	queue, seen := []string{value}, map[string]bool{}
	for len(queue) > 0 && len(seen) < near {
		v := queue[0]
		queue = queue[1:]
		if seen[v] {
			continue
		}
		seen[v] = true
		if _, ok := taken[v]; strings.HasPrefix(v, variable) && !ok && v != value && types[v] == kind {
			return v
		}
		if o, ok := ops[v]; ok && byElement[o.name] && o.result == kind {
			queue = append(queue, o.operands...)
		}
	}
	return ""
}
