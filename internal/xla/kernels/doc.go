// Package kernels computes most of a transformer's work in XLA's programs on the CPU, and the
// convolutions of any network: linear layers, attention, layer norms and their gradients, with
// AVX-512, AVX2 or NEON and, where the processor has them, AMX tiles. docs/kernels.md describes
// how.
//
// A graph asks for a kernel by calling a function whose name says which one, with its
// attributes ([Function]). [Rewrite] turns these calls, and large enough dot_generals, into
// custom calls just before a plugin compiles the program. [Register] gives the plugin the
// functions that handle the custom calls. What Go and C have to agree on is in contract.h.
package kernels

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"gaze/internal/environ"
)

// Env is the environment variable that switches off all kernels, or limits them to those of an
// instruction set such as avx2. EnvTiles switches off only the use of AMX tiles.
const (
	Env      = "GAZE_KERNELS"
	EnvTiles = "GAZE_TILES"
)

// CheckSettings returns an error if one of these variables has a value that means nothing here.
func CheckSettings() error {
	_, kernels := limit()
	_, tiles := environ.Switch(EnvTiles, true)
	return cmp.Or(kernels, tiles)
}

// limit reads [Env]: "" if it is on, [off] if it is off, and otherwise the name of the best set
// that may be used.
func limit() (name string, err error) {
	value := strings.ToLower(environ.Get(Env))
	var names []string
	for _, n := range setNames() {
		names = append(names, variableValue(n))
	}
	if slices.Contains(names, value) {
		return value, nil
	}
	on, err := environ.Switch(Env, true)
	switch {
	case err != nil && len(names) > 0:
		return "", environ.Wrong(Env, environ.Get(Env), "it must be on, off or one of "+strings.Join(names, ", "))
	case err == nil && !on:
		return off, nil
	}
	return "", err
}

const off = "off"

// variableValue is how a set's name is written in a variable.
func variableValue(set string) string { return strings.ToLower(strings.ReplaceAll(set, "-", "")) }

// switchedOff says whether a variable is off. A value that [CheckSettings] refuses isn't.
func switchedOff(name string) bool {
	on, _ := environ.Switch(name, true)
	return !on
}

// functionPrefix begins the names of functions that stand for kernels.
const functionPrefix = "gaze_call_"

// Function is the name of a function that stands for a call of a kernel: [Linear], [Attention],
// [Norm] or [Convolution]. None of the attributes may be negative. id distinguishes the calls of a program.
func Function(kernel string, attributes []int64, id int) string {
	var b strings.Builder
	b.WriteString(functionPrefix + kernel)
	for _, a := range attributes {
		b.WriteString("_" + strconv.FormatInt(a, 10))
	}
	b.WriteString("_" + strconv.Itoa(id))
	return b.String()
}

// LinearAttributes are the attributes of a linear layer's call. kind is one of [LinearForward],
// [LinearInputGradient] and [LinearWeightGradient], activation one of the Activation constants,
// and flags are those of the LinearHas constants. Without a layer norm, epsilon is 0.
func LinearAttributes(kind, activation, flags int64, epsilon float64) []int64 {
	attributes := make([]int64, LinearAttrs)
	attributes[LinearAttrKind] = kind
	attributes[LinearAttrActivation] = activation
	attributes[LinearAttrFlags] = flags
	attributes[LinearAttrEpsilon] = float64Attribute(epsilon)
	return attributes
}

// AttentionAttributes are the attributes of an attention's call.
func AttentionAttributes(heads, queries int) []int64 {
	attributes := make([]int64, AttentionAttrs)
	attributes[AttentionAttrHeads] = int64(heads)
	attributes[AttentionAttrQueries] = int64(queries)
	return attributes
}

// NormAttributes are the attributes of a layer norm's call.
func NormAttributes(epsilon float64) []int64 {
	attributes := make([]int64, NormAttrs)
	attributes[NormAttrEpsilon] = float64Attribute(epsilon)
	return attributes
}

// ConvolutionAttributes are the attributes of a convolution's call: the distance between
// positions of the kernel, that between its elements, the rows above and the columns left of
// the picture, and flags, which are those of the Convolution constants.
func ConvolutionAttributes(stride, dilation, top, left int, flags int64) []int64 {
	attributes := make([]int64, ConvolutionAttrs)
	attributes[ConvolutionAttrStride] = int64(stride)
	attributes[ConvolutionAttrDilation] = int64(dilation)
	attributes[ConvolutionAttrTop] = int64(top)
	attributes[ConvolutionAttrLeft] = int64(left)
	attributes[ConvolutionAttrFlags] = flags
	return attributes
}

// float64Attribute passes a positive number as an integer.
func float64Attribute(x float64) int64 { return int64(math.Float64bits(x)) }

// PackedRows is the number of rows of packed weights [out, in]: out, rounded up to a multiple of
// [PackedMultiple].
func PackedRows(out int) int { return (out + PackedMultiple - 1) / PackedMultiple * PackedMultiple }
