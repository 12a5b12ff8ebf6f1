// Package donation lets programs update variables in place.
//
// GoMLX donates the old value of a variable to a program that computes a new one, but go-xla
// doesn't tell the compiler which result may reuse which parameter's buffer. A training step
// then holds all weights and the optimiser's state twice. [Rewrite] adds what is missing to the
// program's text.
package donation

import (
	"fmt"
	"regexp"
	"strings"
)

// variablePrefix begins the name of a parameter that is a variable: its path, with underscores
// for slashes. Other parameters are called arg0, arg1 and so on.
const variablePrefix = "%_"

// maxOperations bounds the search from a new value back to its variable. An optimiser's update
// has about a dozen operations.
const maxOperations = 64

// elementwise are operations whose result at an index depends only on the operands at that index.
var elementwise = map[string]bool{
	"add": true, "subtract": true, "multiply": true, "divide": true, "maximum": true, "minimum": true, "sqrt": true, "rsqrt": true,
	"power": true, "negate": true, "abs": true, "sign": true, "exponential": true, "log": true, "select": true, "clamp": true,
}

var (
	signature = regexp.MustCompile(`^ *func\.func @main\((.*)\) -> (.*) \{$`)
	operation = regexp.MustCompile(`(?m)^    (%[\w#]+) = "stablehlo\.(\w+)"\(([^()]*)\)[^\n]*: \(.*\) -> (tensor<[^<>]*>)$`)
	returned  = regexp.MustCompile(`(?m)^    "stablehlo\.return"\((.*)\) : `)
)

// op is the operation that computes a value.
type op struct {
	name     string
	operands []string
	kind     string // the type of its result
}

// Rewrite marks, for each result that is the new value of a variable, that it may reuse the
// variable's buffer. The variable is the nearest one of the same type from which the result is
// computed element by element. A program that go-xla wouldn't write is left unchanged.
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
	reusedBy := map[string]int{} // the results, by variable
	for i, result := range strings.Split(results[1], ", ") {
		if v := nearest(result, ops, types, reusedBy); v != "" {
			reusedBy[v] = i
		}
	}
	var b strings.Builder
	b.WriteString(program[:at[2]])
	for i, name := range order {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s: %s", name, types[name])
		if result, ok := reusedBy[name]; ok {
			fmt.Fprintf(&b, " {tf.aliasing_output = %d : i32}", result)
		}
	}
	b.WriteString(program[at[3]:])
	return b.String()
}

// updates says whether any result has the type of a variable. Most programs update nothing, and
// this is cheaper to find out than the rest.
func updates(types map[string]string, results string) bool {
	for name, kind := range types {
		if strings.HasPrefix(name, variablePrefix) && strings.Contains(results, kind) {
			return true
		}
	}
	return false
}

// parameters returns the parameters' types by name, and their names in order. It returns none if
// a parameter has attributes, such as its sharding over devices.
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

// nearest is the variable from which a value is computed with the fewest operations in between,
// among those that aren't taken; empty if there is none.
func nearest(value string, ops map[string]op, types map[string]string, taken map[string]int) string {
	kind := ops[value].kind
	queue, seen := []string{value}, map[string]bool{}
	for len(queue) > 0 && len(seen) < maxOperations {
		v := queue[0]
		queue = queue[1:]
		if seen[v] {
			continue
		}
		seen[v] = true
		if _, ok := taken[v]; strings.HasPrefix(v, variablePrefix) && !ok && v != value && types[v] == kind {
			return v
		}
		if o, ok := ops[v]; ok && elementwise[o.name] && o.kind == kind {
			queue = append(queue, o.operands...)
		}
	}
	return ""
}
