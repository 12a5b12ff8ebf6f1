package backend

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gaze/internal/xla/kernels"
)

// The variables in which tools/test-processors.sh says what it has switched off: which instruction
// set is left to the Go backend ("AVX2" or "none"), and whether Gaze's kernels ("off") or only AMX
// ("tilesoff") are off, or the kernels are those for "AVX2".
const (
	vectorsVariable = "GAZE_TEST_VECTORS"
	kernelsVariable = "GAZE_TEST_KERNELS"
)

// TestProcessorSwitches checks that these things are off. Otherwise the other tests of such a run
// would pass without having tested anything.
func TestProcessorSwitches(t *testing.T) {
	vectors, kernelsAre := os.Getenv(vectorsVariable), os.Getenv(kernelsVariable)
	if vectors == "" && kernelsAre == "" {
		t.Skip("run by tools/test-processors.sh, which switches abilities of the processor off")
	}
	if vectors != "" {
		got := goVectors()
		if got != vectors && !(got == "none" && !processorHas(t, "avx2")) {
			t.Errorf("the Go backend multiplies with vectors: %s, want %s", got, vectors)
		}
	}
	switch kernelsAre {
	case "off":
		if kernels.Available() {
			t.Error("Gaze's kernels are on")
		}
	case "tilesoff", "AVX2":
		if kernels.Tiles() {
			t.Error("tiles are on")
		}
		if b, err := Default(); err != nil || isXLA(b.Name()) && !Kernels(b) && processorHas(t, "avx2", "fma") {
			t.Error("Gaze's kernels are off, too: ", err)
		}
		if set := kernels.Set(); kernelsAre == "AVX2" && set != "AVX2" && processorHas(t, "avx2", "fma") {
			t.Errorf("Gaze's kernels are those for %q", set)
		}
	}
}

// processorHas says whether the processor has some features, whatever is switched off. It returns
// false if that can't be read.
func processorHas(t *testing.T, flags ...string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Logf("the processor's features are unknown: %v", err)
		return false
	}
	all := strings.Fields(regexp.MustCompile(`(?m)^flags\s*:.*`).FindString(string(text)))
	for _, f := range flags {
		if !slices.Contains(all, f) {
			return false
		}
	}
	return true
}

// TestXLAIsHeldToAVX2 checks in XLA's log that it respects the limit on its instruction set.
func TestXLAIsHeldToAVX2(t *testing.T) {
	const bound = "--xla_cpu_max_isa=AVX2"
	if !strings.Contains(os.Getenv("XLA_FLAGS"), bound) {
		t.Skip("run by tools/test-processors.sh, with XLA_FLAGS=" + bound)
	}
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if !isXLA(b.Name()) {
		t.Skip("XLA isn't there: ", b.Name())
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1", compiledEnv+"=off", "TF_CPP_MIN_LOG_LEVEL=0", "TF_CPP_VMODULE=cpu_compiler=1")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if !strings.Contains(log.String(), "Will not use features newer than: AVX2") {
		t.Errorf("XLA logs no bound:\n%s", log.String())
	}
}
