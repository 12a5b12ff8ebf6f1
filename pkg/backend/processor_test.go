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

// What tools/test-processors.sh says that it switched off: the Go backend's vectors that
// are left ("AVX2" or "none"), and Gaze's kernels ("off") or their tiles alone ("tilesoff").
const (
	vectorsVariable = "GAZE_TEST_VECTORS"
	kernelsVariable = "GAZE_TEST_KERNELS"
)

// TestProcessorSwitches checks that what was to be switched off is off, so that tests which
// pass then mean something.
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
	case "tilesoff":
		if kernels.Tiles() {
			t.Error("tiles are on")
		}
		if b, err := Default(); err != nil || isXLA(b.Name()) && !Kernels(b) && processorHas(t, "avx512f", "avx512bw", "avx512dq", "avx512vl") {
			t.Error("Gaze's kernels are off, too: ", err)
		}
	}
}

// processorHas says whether the processor has abilities, whatever was switched off. Where
// that can't be read, what was switched off is what is wanted.
func processorHas(t *testing.T, flags ...string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Logf("the processor's abilities are unknown: %v", err)
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

// TestXLAIsHeldToAVX2 checks that XLA heeds the bound on its instructions: it says so when
// it is asked to log.
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
