package kernels

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Only what is worth it is rewritten: a tile has 16 rows, and packing costs as much
// as multiplying by a few of them.
const (
	leastSide = 16
	leastWork = 1 << 18
)

// dot is a dot_general in StableHLO's generic form, as go-xla writes it: result, left
// and right value, attributes, their types and its own.
var dot = regexp.MustCompile(`(?s)"stablehlo\.dot_general"\((%[\w#]+), (%[\w#]+)\) \{([^"]*?)\} : \(tensor<([\dx]+)xf32>, tensor<([\dx]+)xf32>\) -> tensor<([\dx]+)xf32>`)

var axesLists = regexp.MustCompile(`(lhs_batching|rhs_batching|lhs_contracting|rhs_contracting)_dimensions = \[([\d, ]*)\]`)

// call is a line with a call of a function that stands for a kernel.
var call = regexp.MustCompile(`"func\.call"\(([^()]*)\) \{ callee = @` + prefix + `(\w+) \} : \(([^()]*)\) -> (\([^()]*\)|tensor<[^<>]*>)$`)

// Rewrite gives a program in StableHLO's text with custom calls in place of its calls of
// kernels and, where that is worth it, of its float32 products. Anything it doesn't know
// it leaves as it is.
func Rewrite(program string) string {
	if strings.Contains(program, prefix) {
		program = withCalls(program)
	}
	if !strings.Contains(program, "stablehlo.dot_general") {
		return program
	}
	return dot.ReplaceAllStringFunc(program, func(op string) string {
		if call, ok := rewritten(dot.FindStringSubmatch(op)); ok {
			return call
		}
		return op
	})
}

// withCalls turns calls of kernels' functions into custom calls and leaves those
// functions out. Programs have thousands of lines and start up by this, so only those
// that matter are looked at closely.
func withCalls(program string) string {
	var b strings.Builder
	b.Grow(len(program))
	leaving := "" // the line that ends the function to leave out
	for line := range strings.Lines(program) {
		text := strings.TrimSuffix(line, "\n")
		switch {
		case leaving != "":
			if text == leaving {
				leaving = ""
			}
		case !strings.Contains(text, prefix):
			b.WriteString(line)
		case strings.HasPrefix(strings.TrimLeft(text, " "), "func.func @"+prefix):
			leaving = text[:strings.Index(text, "func.func")] + "}"
		default:
			if at := call.FindStringSubmatchIndex(text); at != nil {
				if found, ok := calling(call.FindStringSubmatch(text)); ok {
					line = text[:at[0]] + found + line[len(text):]
				}
			}
			b.WriteString(line)
		}
	}
	return b.String()
}

// calling is the custom call of: operands, the function's name, operands' types, result's.
func calling(op []string) (text string, ok bool) {
	parts := strings.Split(op[2], "_")
	if len(parts) < 2 {
		return "", false
	}
	in, out := strings.Split(op[3], ", "), strings.Split(strings.Trim(op[4], "()"), ", ")
	return customCall(parts[0], op[1], strings.Join(parts[1:len(parts)-1], ", "), in, out, op[4]), true
}

// customCall is the text of a custom call, of arrays of these types, all by rows.
func customCall(kernel, operands, numbers string, in, out []string, results string) string {
	layouts := func(types []string) string {
		var all []string
		for _, t := range types {
			all = append(all, rowMajor(strings.Count(t, "x")))
		}
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf(`"stablehlo.custom_call"(%s) {call_target_name = "gaze_%s", api_version = 4 : i32, backend_config = {numbers = array<i64: %s>}, operand_layouts = [%s], result_layouts = [%s]} : (%s) -> %s`,
		operands, kernel, numbers, layouts(in), layouts(out), strings.Join(in, ", "), results)
}

func rewritten(op []string) (call string, ok bool) {
	left, right, attributes := op[1], op[2], op[3]
	// What asks for a certain arithmetic gets it. A quote means that the text matched
	// reaches into another op.
	if strings.Contains(attributes, "algorithm") || strings.Contains(attributes, `"`) {
		return "", false
	}
	var axes [4][]int
	found := axesLists.FindAllStringSubmatch(attributes, -1)
	for _, list := range found {
		i := slices.Index([]string{"lhs_batching", "rhs_batching", "lhs_contracting", "rhs_contracting"}, list[1])
		axes[i] = numbers(list[2], ",")
	}
	a, b, out := numbers(op[4], "x"), numbers(op[5], "x"), numbers(op[6], "x")
	if len(found) != len(axes) || !worthwhile(a, axes[0], axes[2]) || !worthwhile(b, axes[1], axes[3]) {
		return "", false
	}
	if work(out)*work(pick(a, axes[2])) < leastWork {
		return "", false
	}
	numbers := join(slices.Concat([]int{len(axes[0])}, axes[0], axes[1], []int{len(axes[2])}, axes[2], axes[3]))
	array := func(dims string) string { return "tensor<" + dims + "xf32>" }
	result := array(op[6])
	return customCall("dot", left+", "+right, numbers, []string{array(op[4]), array(op[5])}, []string{result}, result), true
}

// worthwhile says whether an operand has rows enough, and free and contracted axes
// that lie together, so that it is a matrix for each element of its batch.
func worthwhile(dims, batch, contracted []int) bool {
	for _, x := range slices.Concat(batch, contracted) {
		if x >= len(dims) {
			return false
		}
	}
	rest := free(dims, batch, contracted)
	return work(pick(dims, rest)) >= leastSide && together(dims, rest) && together(dims, contracted) && len(dims) <= 8
}

// together says whether axes of more than one element follow one another, and one
// stride leads through them all.
func together(dims, axes []int) bool {
	for i := 1; i < len(axes); i++ {
		if axes[i] != axes[i-1]+1 {
			return false
		}
	}
	return true
}

// free are the axes that are neither of the batch nor contracted.
func free(dims, batch, contracted []int) []int {
	var rest []int
	for x := range dims {
		if !slices.Contains(batch, x) && !slices.Contains(contracted, x) {
			rest = append(rest, x)
		}
	}
	return rest
}

func pick(dims, axes []int) []int {
	some := make([]int, len(axes))
	for i, x := range axes {
		some[i] = dims[x]
	}
	return some
}

// work is a product of sizes.
func work(dims []int) int {
	all := 1
	for _, d := range dims {
		all *= d
	}
	return all
}

func numbers(list, separator string) []int {
	var all []int
	for _, s := range strings.Split(list, separator) {
		if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func join(numbers []int) string {
	s := make([]string, len(numbers))
	for i, n := range numbers {
		s[i] = strconv.Itoa(n)
	}
	return strings.Join(s, ", ")
}

// rowMajor is the layout of an array of so many axes, minor to major.
func rowMajor(axes int) string {
	order := make([]int, axes)
	for i := range order {
		order[i] = axes - 1 - i
	}
	return fmt.Sprintf("dense<[%s]> : tensor<%dxindex>", join(order), axes)
}
