//go:build cgo && linux && !noxla && (amd64 || arm64)

package backend

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gaze/internal/xla/memory"
	"gaze/internal/xla/memory/memorytest"
)

// A program's intermediates take the same memory in each run.
func TestMemoryOfARunIsReused(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("XLA isn't there: ", b.Name())
	}
	if os.Getenv("GAZE_MEMORY") != "" {
		t.Skip("GAZE_MEMORY is set")
	}
	program, err := graph.NewExec(b, func(x, y *graph.Node) *graph.Node {
		// 36 MiB that only the second product reads. They take little to compute: memory that
		// is idle for half a minute is given back, which must not happen on a busy machine.
		return graph.MatMul(graph.Tanh(graph.MatMul(x, graph.Transpose(x, 0, 1))), y)
	})
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([][]float32, 3072), make([][]float32, 3072)
	for i := range x {
		x[i], y[i] = slices.Repeat([]float32{0.5}, 64), []float32{0}
	}
	y[0][0] = 16
	before, _, _ := memory.Usage()
	var mappings int
	for run := range 4 {
		out, err := program.Call(x, y)
		if err != nil {
			t.Fatal(err)
		}
		if corner := out[0].Value().([][]float32)[7][0]; corner != 16 {
			t.Fatalf("run %d: %v, want %v", run, corner, 16.0)
		}
		// A result is ready a moment before its run's memory is freed. The next run waits for
		// that, which has a test of its own, but only for a few milliseconds.
		used, _, now := memory.Usage()
		for end := time.Now().Add(10 * time.Second); used > before; used, _, now = memory.Usage() {
			if time.Now().After(end) {
				t.Fatalf("run %d: %d bytes of its memory aren't freed", run, used-before)
			}
			time.Sleep(time.Millisecond)
		}
		if run == 0 && now == 0 {
			t.Fatal("no large block was allocated through the patch: the plugin allocates in another way")
		}
		if run > 1 && now > mappings {
			t.Errorf("run %d mapped %d new blocks", run, now-mappings)
		}
		mappings = now
	}
}

// childArgument makes the test below report on its own process.
const childArgument = "report-memory"

// memoryReport is what a process says about itself.
type memoryReport struct {
	Backend    string
	MapsBefore bool // whether malloc maps large blocks, before a backend is opened
	MapsAfter  bool
	Mappings   int // made for the plugin's large blocks
	Bits       []uint32
}

// TestMemorySettings checks, each in a process of its own, that only XLA's CPU client
// changes the process, and not with GAZE_MEMORY=off, and that the results don't depend on it.
func TestMemorySettings(t *testing.T) {
	if flag.Arg(0) == childArgument {
		reportMemory(t)
		return
	}
	run := func(variables ...string) (r memoryReport) {
		t.Helper()
		cmd := exec.Command(os.Args[0], "-test.run=^TestMemorySettings$", childArgument)
		cmd.Env = append(os.Environ(), compiledEnv+"=off")
		for _, v := range []string{"GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"} {
			cmd.Env = without(cmd.Env, v)
		}
		cmd.Env = append(cmd.Env, variables...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v\n%s", variables, err, out)
		}
		line, _, _ := strings.Cut(string(out), "\n")
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v in %s", variables, err, out)
		}
		if memorytest.IsGlibc() && !r.MapsBefore {
			t.Errorf("%q: malloc's settings are changed before a backend is opened", variables)
		}
		return r
	}
	if withoutGo == "" {
		r := run(compute.ConfigEnvVar + "=go")
		if isXLA(r.Backend) || r.MapsAfter != r.MapsBefore || r.Mappings != 0 {
			t.Errorf("the Go backend changed the process: %+v", r)
		}
	}
	if b, err := Default(); err != nil || !isXLA(b.Name()) {
		t.Skipf("no XLA plugin here: %v", err)
	}
	on, off := run("GAZE_MEMORY=on"), run("GAZE_MEMORY=off")
	if on.MapsAfter || on.Mappings == 0 {
		t.Errorf("with GAZE_MEMORY=on malloc maps large blocks: %v, mappings of the plugin's blocks: %d", on.MapsAfter, on.Mappings)
	}
	if off.MapsAfter != off.MapsBefore || off.Mappings != 0 {
		t.Errorf("with GAZE_MEMORY=off malloc maps large blocks: %v, before %v; mappings of the plugin's blocks: %d", off.MapsAfter, off.MapsBefore, off.Mappings)
	}
	if fmt.Sprint(on.Bits) != fmt.Sprint(off.Bits) || len(on.Bits) == 0 {
		t.Errorf("results %x with GAZE_MEMORY=on, %x with off", on.Bits, off.Bits)
	}
	// The user's own settings of malloc stay.
	if own := run("MALLOC_ARENA_MAX=4"); own.MapsAfter != own.MapsBefore || own.Mappings == 0 {
		t.Errorf("with MALLOC_ARENA_MAX: %+v", own)
	}
}

// without is the environment without a variable.
func without(environment []string, name string) (rest []string) {
	for _, v := range environment {
		if !strings.HasPrefix(v, name+"=") {
			rest = append(rest, v)
		}
	}
	return rest
}

// reportMemory opens the default backend and runs a program whose intermediate takes 36 MiB
// on XLA.
func reportMemory(t *testing.T) {
	r := memoryReport{MapsBefore: memorytest.MapsLargeBlocks()}
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	r.Backend = b.Name()
	if isXLA(r.Backend) {
		program, err := graph.NewExec(b, func(x, y *graph.Node) *graph.Node {
			return graph.MatMul(graph.Tanh(graph.MatMul(x, graph.Transpose(x, 0, 1))), y)
		})
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(3, 1))
		x, y := randomArray(random, []int{3072, 64}), randomArray(random, []int{3072, 2})
		for range 2 {
			out, err := program.Call(x, y)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range tensors.MustCopyFlatData[float32](out[0])[:32] {
				r.Bits = append(r.Bits, math.Float32bits(v))
			}
		}
	}
	r.MapsAfter = memorytest.MapsLargeBlocks()
	_, _, r.Mappings = memory.Usage()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(text))
}
