// Package kernels computes what a transformer spends its time on, in XLA's programs on
// the CPU: products of matrices with all that comes before and after, attention, layer
// normalisation, and their gradients, with vectors of 512 bits, and products with AMX
// tiles where the processor has them.
//
// A program asks for one by calling a function whose name says which and how
// ([Function]); its dot_generals are products, too. [Rewrite] turns both into custom
// calls just before a plugin compiles the program, and [Register] tells the plugin what
// to call.
package kernels

import (
	"cmp"
	"strconv"
	"strings"

	"gaze/internal/environ"
)

// The environment variables that, when off, leave everything to XLA, or only products
// to vectors.
const (
	Env      = "GAZE_KERNELS"
	EnvTiles = "GAZE_TILES"
)

// CheckSettings is an error if one of these variables is neither on nor off.
func CheckSettings() error {
	_, kernels := environ.Switch(Env, true)
	_, tiles := environ.Switch(EnvTiles, true)
	return cmp.Or(kernels, tiles)
}

// switchedOff says whether a variable is off. What [CheckSettings] refuses isn't.
func switchedOff(name string) bool {
	on, _ := environ.Switch(name, true)
	return !on
}

// functions begin with this.
const prefix = "gaze_call_"

// The kernels that a program can ask for by name. calls.c says what arrays and numbers
// each takes.
const (
	Linear    = "linear"
	Attention = "attention"
	Norm      = "norm"
)

// Function is the name of a function that stands for a kernel with its numbers, none of
// them negative; id tells it from others of a program.
func Function(kernel string, numbers []int64, id int) string {
	var b strings.Builder
	b.WriteString(prefix + kernel)
	for _, n := range numbers {
		b.WriteString("_" + strconv.FormatInt(n, 10))
	}
	b.WriteString("_" + strconv.Itoa(id))
	return b.String()
}
