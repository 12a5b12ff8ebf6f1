package train

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gaze/pkg/backend"
)

// devicesChild makes the tests below report on their own process.
const devicesChild = "devices-child"

// inChild runs the test that calls it in a process of its own.
func inChild(t *testing.T, variables ...string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", devicesChild)
	child.Env = append(append(os.Environ(), "GAZE_COMPILED=off"), variables...)
	out, err := child.CombinedOutput()
	if t.Logf("%s", out); err != nil {
		t.Fatal(err)
	}
}

// TestDevicesProgram reads the programs that XLA compiled. The devices exchange nothing but
// gradients, each computes on its part of the batch, with Gaze's kernels, and all variables
// are updated in place.
func TestDevicesProgram(t *testing.T) {
	if slices.Contains(os.Args, devicesChild) {
		trainSteps(t, devicesTrainer(t, devicesBackend(t, 2), 2, 1), 0, 1)
		return
	}
	b := devicesBackend(t, 4)
	dir := t.TempDir()
	inChild(t, "XLA_FLAGS=--xla_dump_to="+dir+" --xla_dump_hlo_as_text")
	files, err := filepath.Glob(filepath.Join(dir, "*after_optimizations.txt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("programs %v (%v), there must be the step's", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	program := string(text)
	for _, exchange := range []string{"all-gather", "all-to-all", "collective-permute", "collective-broadcast", "reduce-scatter"} {
		if strings.Contains(program, exchange) {
			t.Errorf("the devices exchange more than gradients: there is %s", exchange)
		}
	}
	if n := len(regexp.MustCompile(` all-reduce\(`).FindAllString(program, -1)); n != 1 {
		t.Errorf("there are %d sums over the devices, want 1", n)
	}
	if !strings.Contains(program, "replica_count=2") && !strings.Contains(program, "num_partitions=1") {
		t.Error("the program isn't one for two devices")
	}
	if images := "f32[4,3,32,32]"; !strings.Contains(program, images) || strings.Contains(program, "f32[8,3,32,32]") {
		t.Errorf("a device doesn't compute on its half of 8 pictures, %s", images)
	}
	if backend.Kernels(b) && !strings.Contains(program, "custom_call_target=\"gaze_") {
		t.Error("it has none of Gaze's kernels")
	}
	tr := devicesTrainer(t, b, 2, 1)
	aliases := regexp.MustCompile(`\{\d*\}: \(\d+, \{\}, (may|must)-alias\)`).FindAllString(program, -1)
	if want := 4 * len(tr.trained()); runtime.GOOS == "linux" && len(aliases) != want { // weight, two moments, average
		t.Errorf("%d variables are updated in place, want %d", len(aliases), want)
	}
}

// TestDevicesMemory trains a large layer on two devices. A step needs room for gradients and
// their sum, and none for a second copy of the weights and moments.
func TestDevicesMemory(t *testing.T) {
	b := devicesBackend(t, 2)
	if !slices.Contains(os.Args, devicesChild) {
		if runtime.GOOS != "linux" || !backend.Kernels(b) {
			t.Skip("variables are updated in place by XLA on Linux")
		}
		inChild(t)
		return
	}
	const dim, classes, devices = 4096, 2048, 2
	net, err := LinearHead(dim, classes, 0)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(b, net, Options{Optimizer: NewAdamW(), Schedule: Constant(1e-3), ClipNorm: 1, Devices: devices})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	batch := Batch{Images: make([]float32, 4*dim), Labels: make([]int, 4)}
	for i := range batch.Images {
		batch.Images[i] = float32(i%7) - 3
	}
	before := residentMiB(t, "VmRSS")
	for range 3 {
		if _, err := tr.Step(batch); err != nil {
			t.Fatal(err)
		}
	}
	const layer = dim * classes * 4 / (1 << 20) // MiB
	grown := residentMiB(t, "VmHWM") - before
	t.Logf("weights and moments: %d MiB; steps added %d MiB", devices*3*layer, grown)
	if most := devices*2*layer + 4*layer; grown > most {
		t.Errorf("steps added %d MiB, more than %d MiB for gradients, their sum and compiling", grown, most)
	}
}

// residentMiB is a line of /proc/self/status.
func residentMiB(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("/proc/self/status has no %s", name)
	}
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kb >> 10
}
