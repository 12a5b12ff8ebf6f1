package kernels

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MinRows is the number of rows, or columns, of an operand below which products stay with XLA:
// packing the other operand costs as much as multiplying by a few rows.
const MinRows = 16

const minWork = 1 << 18 // of a product, below which it stays with XLA

// WorthConvolving says whether a kernel is faster for a convolution that at positions positions
// sums up terms terms for each of out channels. Smaller ones stay with XLA.
func WorthConvolving(positions, terms, out int) bool {
	return positions >= MinRows && out >= MinRows && positions*terms*out >= minWork
}

// dotGeneral matches a dot_general of float32s in StableHLO's generic form, as go-xla writes it:
// the two operands, the attributes, the dimensions of the operands and of the result.
var dotGeneral = regexp.MustCompile(`(?s)"stablehlo\.dot_general"\((%[\w#]+), (%[\w#]+)\) \{([^"]*?)\} : \(tensor<([\dx]+)xf32>, tensor<([\dx]+)xf32>\) -> tensor<([\dx]+)xf32>`)

var axesList = regexp.MustCompile(`(lhs_batching|rhs_batching|lhs_contracting|rhs_contracting)_dimensions = \[([\d, ]*)\]`)

// functionCall matches a call of a function that stands for a kernel, at the end of a line: the
// operands, the function's name without its prefix, the types of the operands and of the result.
var functionCall = regexp.MustCompile(`"func\.call"\(([^()]*)\) \{ callee = @` + functionPrefix + `(\w+) \} : \(([^()]*)\) -> (\([^()]*\)|tensor<[^<>]*>)$`)

// Rewrite replaces calls of functions that stand for kernels, and large enough products of
// float32s, by custom calls in a program in StableHLO's text form. Whatever it doesn't recognise
// it leaves unchanged.
func Rewrite(program string) string {
	if strings.Contains(program, functionPrefix) {
		program = replaceCalls(program)
	}
	if !strings.Contains(program, "stablehlo.dot_general") {
		return program
	}
	return dotGeneral.ReplaceAllStringFunc(program, func(op string) string {
		if call, ok := dotCall(dotGeneral.FindStringSubmatch(op)); ok {
			return call
		}
		return op
	})
}

// replaceCalls replaces calls of functions that stand for kernels by custom calls, and removes
// those functions. A program has thousands of lines and its start waits for this, so the
// regular expression is matched only against lines that contain the prefix.
func replaceCalls(program string) string {
	moved := moveActivations(program)
	var b strings.Builder
	b.Grow(len(program))
	end := "" // the last line of the function that is being removed
	number := 0
	for line := range strings.Lines(program) {
		number++
		text := strings.TrimSuffix(line, "\n")
		switch {
		case end != "":
			if text == end {
				end = ""
			}
		case !strings.Contains(text, functionPrefix):
			b.WriteString(line)
		case strings.HasPrefix(strings.TrimLeft(text, " "), "func.func @"+functionPrefix):
			end = text[:strings.Index(text, "func.func")] + "}"
		default:
			if at := functionCall.FindStringSubmatchIndex(text); at != nil {
				match := functionCall.FindStringSubmatch(text)
				if name := moved[number]; name != "" {
					match[2] = name
				}
				if call, ok := kernelCall(match); ok {
					line = text[:at[0]] + call + line[len(text):]
				}
			}
			b.WriteString(line)
		}
	}
	return b.String()
}

// moveActivations finds linear layers whose activation function is applied to the result of
// another one that nothing else reads, as in the MLP of a block that isn't trained. There the
// other layer can apply it while its result is in a register: the result is the same, and the
// layer needs no copy of its input. What it returns maps the numbers of lines with calls to the
// names of the functions to call instead. A function may be called in other places, too: where
// a block is computed again for its gradient, its result is read by more than one.
func moveActivations(program string) map[int]string {
	type call struct {
		line          int
		operand, name string
	}
	results := map[string]call{} // the layers without an activation, by their results
	var readers []call           // the layers with one
	number := 0
	for line := range strings.Lines(program) {
		number++
		if !strings.Contains(line, functionPrefix+Linear+"_"+linearForward) {
			continue
		}
		text := strings.TrimSuffix(line, "\n")
		at := functionCall.FindStringSubmatchIndex(text)
		if at == nil {
			continue
		}
		operand, _, _ := strings.Cut(text[at[2]:at[3]], ",")
		c := call{number, operand, text[at[4]:at[5]]}
		if strings.Split(c.name, "_")[1+LinearAttrActivation] != strconv.Itoa(ActivationNone) {
			readers = append(readers, c)
		} else if result, _, ok := strings.Cut(strings.TrimSpace(text[:at[0]]), " ="); ok {
			results[result] = c
		}
	}
	uses := countNames(program, len(readers) > 0)
	moved := map[int]string{}
	for _, r := range readers {
		// Once where it is defined, and once where it is read.
		if before, ok := results[r.operand]; ok && uses[r.operand] == 2 {
			moved[before.line], moved[r.line] = moveActivation(before.name, r.name)
		}
	}
	return moved
}

var linearForward = strconv.Itoa(LinearForward) + "_"

// moveActivation moves the activation from the name of one linear layer's function to that of
// the layer before.
func moveActivation(before, after string) (newBefore, newAfter string) {
	b, a := strings.Split(before, "_"), strings.Split(after, "_")
	flags, _ := strconv.Atoi(b[1+LinearAttrFlags])
	b[1+LinearAttrFlags] = strconv.Itoa(flags | LinearActivatesResult)
	b[1+LinearAttrActivation], a[1+LinearAttrActivation] = a[1+LinearAttrActivation], strconv.Itoa(ActivationNone)
	return strings.Join(b, "_"), strings.Join(a, "_")
}

// countNames counts how often each of a program's values is named, such as %12.
func countNames(program string, wanted bool) map[string]int {
	uses := map[string]int{}
	for rest := program; wanted; {
		at := strings.IndexByte(rest, '%')
		if at < 0 {
			break
		}
		end := at + 1
		for end < len(rest) && (rest[end] == '_' || rest[end] == '#' || '0' <= rest[end] && rest[end] <= '9' || 'a' <= rest[end] && rest[end] <= 'z' || 'A' <= rest[end] && rest[end] <= 'Z') {
			end++
		}
		uses[rest[at:end]]++
		rest = rest[end:]
	}
	return uses
}

// kernelCall is the custom call for a match of functionCall.
func kernelCall(match []string) (call string, ok bool) {
	parts := strings.Split(match[2], "_")
	if len(parts) < 2 {
		return "", false
	}
	operands, results := strings.Split(match[3], ", "), strings.Split(strings.Trim(match[4], "()"), ", ")
	return customCall(parts[0], match[1], strings.Join(parts[1:len(parts)-1], ", "), operands, results, match[4]), true
}

// customCall is the text of a custom call whose arrays are all row-major.
func customCall(kernel, operands, attributes string, operandTypes, resultTypes []string, result string) string {
	layouts := func(types []string) string {
		var all []string
		for _, t := range types {
			all = append(all, rowMajor(strings.Count(t, "x")))
		}
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf(`"stablehlo.custom_call"(%s) {call_target_name = "%s%s", api_version = 4 : i32, backend_config = {numbers = array<i64: %s>}, operand_layouts = [%s], result_layouts = [%s]} : (%s) -> %s`,
		operands, TargetPrefix, kernel, attributes, layouts(operandTypes), layouts(resultTypes), strings.Join(operandTypes, ", "), result)
}

// dotCall is the custom call for a match of dotGeneral.
func dotCall(match []string) (call string, ok bool) {
	left, right, attributes := match[1], match[2], match[3]
	// A program that asks for a certain arithmetic gets it from XLA. A quotation mark means
	// that the match reaches into another operation.
	if strings.Contains(attributes, "algorithm") || strings.Contains(attributes, `"`) {
		return "", false
	}
	var axes [4][]int
	lists := axesList.FindAllStringSubmatch(attributes, -1)
	for _, list := range lists {
		i := slices.Index([]string{"lhs_batching", "rhs_batching", "lhs_contracting", "rhs_contracting"}, list[1])
		axes[i] = parseInts(list[2], ",")
	}
	a, b, out := parseInts(match[4], "x"), parseInts(match[5], "x"), parseInts(match[6], "x")
	if len(lists) != len(axes) || !isMatrix(a, axes[0], axes[2]) || !isMatrix(b, axes[1], axes[3]) {
		return "", false
	}
	if volume(out)*volume(pick(a, axes[2])) < minWork {
		return "", false
	}
	numbers := formatInts(slices.Concat([]int{len(axes[0])}, axes[0], axes[1], []int{len(axes[2])}, axes[2], axes[3]))
	array := func(dims string) string { return "tensor<" + dims + "xf32>" }
	result := array(match[6])
	return customCall(Dot, left+", "+right, numbers, []string{array(match[4]), array(match[5])}, []string{result}, result), true
}

// isMatrix says whether an operand is a large enough matrix for each element of its batch: the
// contracted axes are adjacent, and so are the others.
func isMatrix(dims, batch, contracted []int) bool {
	for _, x := range slices.Concat(batch, contracted) {
		if x >= len(dims) {
			return false
		}
	}
	others := otherAxes(dims, batch, contracted)
	return volume(pick(dims, others)) >= MinRows && adjacent(others) && adjacent(contracted) && len(dims) <= MaxRank
}

// adjacent says whether axes follow one another.
func adjacent(axes []int) bool {
	for i := 1; i < len(axes); i++ {
		if axes[i] != axes[i-1]+1 {
			return false
		}
	}
	return true
}

// otherAxes are the axes that are neither batch axes nor contracted.
func otherAxes(dims, batch, contracted []int) []int {
	var others []int
	for x := range dims {
		if !slices.Contains(batch, x) && !slices.Contains(contracted, x) {
			others = append(others, x)
		}
	}
	return others
}

// pick is the dimensions of some axes.
func pick(dims, axes []int) []int {
	picked := make([]int, len(axes))
	for i, x := range axes {
		picked[i] = dims[x]
	}
	return picked
}

// volume is the product of dimensions.
func volume(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

func parseInts(list, separator string) []int {
	var all []int
	for _, s := range strings.Split(list, separator) {
		if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func formatInts(numbers []int) string {
	s := make([]string, len(numbers))
	for i, n := range numbers {
		s[i] = strconv.Itoa(n)
	}
	return strings.Join(s, ", ")
}

// rowMajor is the row-major layout of an array of a rank, which lists axes from minor to major.
func rowMajor(rank int) string {
	order := make([]int, rank)
	for i := range order {
		order[i] = rank - 1 - i
	}
	return fmt.Sprintf("dense<[%s]> : tensor<%dxindex>", formatInts(order), rank)
}
