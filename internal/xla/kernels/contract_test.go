package kernels

import (
	"flag"
	"fmt"
	"go/format"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var regen = flag.Bool("regen", false, "write contract.go anew from contract.h")

var define = regexp.MustCompile(`^#define GAZE_([A-Z0-9_]+) ("[^"]*"|\d+)(?: +(// .*))?$`)

// acronyms are parts of names that Go writes with more than one capital.
var acronyms = map[string]string{"GELU": "GELU", "RELU": "ReLU"}

// goName is LinearAttrKind for LINEAR_ATTR_KIND.
func goName(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		name, ok := acronyms[part]
		if !ok {
			name = part[:1] + strings.ToLower(part[1:])
		}
		b.WriteString(name)
	}
	return b.String()
}

// generate makes contract.go of contract.h: every constant, with the comments.
func generate(header string) (string, error) {
	var b strings.Builder
	b.WriteString("// Code generated from contract.h by go test ./internal/xla/kernels -regen; DO NOT EDIT.\n\npackage kernels\n")
	_, body, ok := strings.Cut(header, "#define GAZE_CONTRACT_H\n")
	body, _, closed := strings.Cut(body, "#endif\n")
	if !ok || !closed {
		return "", fmt.Errorf("no include guard")
	}
	for section := range strings.SplitSeq(strings.Trim(body, "\n"), "\n\n") {
		var comment, constants []string
		for line := range strings.SplitSeq(section, "\n") {
			switch m := define.FindStringSubmatch(line); {
			case m != nil:
				constants = append(constants, strings.TrimSpace(goName(m[1])+" = "+m[2]+" "+m[3]))
			case strings.HasPrefix(line, "//") && constants == nil:
				comment = append(comment, line)
			default:
				return "", fmt.Errorf("the line %q is neither a constant nor the comment above its section", line)
			}
		}
		fmt.Fprintf(&b, "\n%s\n", strings.Join(comment, "\n"))
		if len(constants) > 0 {
			fmt.Fprintf(&b, "const (\n%s\n)\n", strings.Join(constants, "\n"))
		}
	}
	out, err := format.Source([]byte(b.String()))
	return string(out), err
}

// TestContract checks that Go's constants are those of the header.
func TestContract(t *testing.T) {
	header, err := os.ReadFile("contract.h")
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(string(header))
	if err != nil {
		t.Fatal(err)
	}
	if *regen {
		if err := os.WriteFile("contract.go", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("contract.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("contract.go differs from contract.h: go test ./internal/xla/kernels -regen")
	}
}

func TestAttributes(t *testing.T) {
	for _, test := range []struct{ got, want []int64 }{
		{LinearAttributes(LinearInputGradient, ActivationGELUTanh, LinearHasBias|LinearIsPacked, 0), []int64{1, 2, 9, 0}},
		{LinearAttributes(LinearForward, ActivationNone, LinearHasNorm, 1e-6), []int64{0, 0, 2, 4517329193108106637}},
		{AttentionAttributes(6, 197), []int64{6, 197}},
		{NormAttributes(1e-5), []int64{4532020583610935537}},
		{ConvolutionAttributes(2, 1, 3, 0, ConvolutionHasScale|ConvolutionHasReLU), []int64{2, 1, 3, 0, 9}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("got %v, want %v", test.got, test.want)
		}
	}
}
