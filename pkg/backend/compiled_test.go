package backend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

func TestParseLimit(t *testing.T) {
	for value, want := range map[string]int64{
		"": 1 << 30, "off": 0, "OFF": 0, "0": 0, "12": 12, "3k": 3 << 10, "512M": 512 << 20, " 2G ": 2 << 30,
	} {
		if got, err := parseLimit(value); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", value, got, err, want)
		}
	}
	for _, value := range []string{"much", "-1", "1.5G", "99999999999G", "M"} {
		if got, err := parseLimit(value); err == nil || !strings.Contains(err.Error(), "512M") {
			t.Errorf("%q: %d, %v", value, got, err)
		}
	}
}

func TestOpenStore(t *testing.T) {
	t.Setenv("GAZE_CACHE", "/c")
	if s, off := openStore("1M"); off != "" || s.Dir != filepath.FromSlash("/c/compiled") || s.Limit != 1<<20 {
		t.Errorf("%+v, %q", s, off)
	}
	folder := t.TempDir()
	if s, off := openStore(folder); off != "" || s.Dir != folder || s.Limit != compiledLimit {
		t.Errorf("a folder: %+v, %q", s, off)
	}
	for _, value := range []string{"off", "much", "a/folder"} {
		s, off := openStore(value)
		if s != nil || !strings.Contains(off, value) {
			t.Errorf("%q: %+v, %q", value, s, off)
		}
		if text := (Compiled{Off: off}).String(); !strings.HasPrefix(text, "not kept") {
			t.Error(text)
		}
	}
}

// childVariable makes the test program multiply matrices instead of running tests, as many times
// concurrently as its value says.
const childVariable = "GAZE_TEST_MULTIPLIES"

// told is what such a process reports.
type told struct {
	Bits uint64
	Kept Compiled
}

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	if err := multiply(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func multiply() error {
	b, err := Default()
	if err != nil {
		return err
	}
	times, err := strconv.Atoi(os.Getenv(childVariable))
	if err != nil {
		return err
	}
	var wait sync.WaitGroup
	sums, errs := make([]float32, times), make([]error, times)
	for i := range times {
		wait.Go(func() { sums[i], errs[i] = product(b) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if slices.Min(sums) != slices.Max(sums) {
		return fmt.Errorf("different results at once: %v", sums)
	}
	return json.NewEncoder(os.Stdout).Encode(told{uint64(math.Float32bits(sums[0])), KeptPrograms()})
}

// product compiles a program and runs it.
func product(b compute.Backend) (float32, error) {
	program, err := graph.NewExec(b, func(a, b *graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Tanh(graph.MatMul(a, b))) })
	if err != nil {
		return 0, err
	}
	x := [][]float32{{0.1, 0.7}, {-0.3, 0.2}}
	out, err := program.Call(x, x)
	if err != nil {
		return 0, err
	}
	return out[0].Value().(float32), nil
}

// inProcess runs such a process with a cache folder. It must print no warning.
func inProcess(t *testing.T, cache string, env ...string) told {
	t.Helper()
	x, words := inProcessWithWarnings(t, cache, env...)
	if words != "" {
		t.Errorf("it printed %s", words)
	}
	return x
}

func inProcessWithWarnings(t *testing.T, cache string, env ...string) (x told, words string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append([]string{childVariable + "=1", "GAZE_CACHE=" + cache, compiledEnv + "="}, env...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	if err := json.Unmarshal(out, &x); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return x, errs.String()
}

// needKept skips the test where programs can't be cached. It returns a cache folder with the
// program, and the report of the process that compiled it.
func needKept(t *testing.T) (cache string, first told) {
	t.Helper()
	if withoutCompiled != "" {
		t.Skip(withoutCompiled)
	}
	if b, err := Default(); err != nil || !isXLA(b.Name()) {
		t.Skipf("no XLA plugin here: %v", err)
	}
	cache = t.TempDir()
	first = inProcess(t, cache)
	if k := first.Kept; k.Loaded != 0 || k.Built == 0 || k.Stored != k.Built || int64(k.Programs) != k.Stored || k.Bytes == 0 {
		t.Fatalf("the first process: %+v", k)
	}
	return cache, first
}

// same checks the result of a later process, and how many programs it compiled.
func (first told) same(t *testing.T, later told, built int64) {
	t.Helper()
	if k := later.Kept; k.Built != built || k.Loaded != first.Kept.Built-built {
		t.Errorf("loaded %d and compiled %d programs, %d compiled wanted", k.Loaded, k.Built, built)
	}
	if later.Bits != first.Bits {
		t.Errorf("result %x, compiled anew %x", later.Bits, first.Bits)
	}
}

func TestProgramsAreKept(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	cache, first := needKept(t)
	all := first.Kept.Built
	first.same(t, inProcess(t, cache), 0)
	entries, err := filepath.Glob(filepath.Join(cache, "compiled", "*.xla"))
	if err != nil || len(entries) != int(all) {
		t.Fatalf("%v, %v", entries, err)
	}
	whole, err := os.ReadFile(entries[0])
	if err != nil {
		t.Fatal(err)
	}
	damage := func(name string, entry []byte) {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(entries[0], entry, 0o644); err != nil {
				t.Fatal(err)
			}
			first.same(t, inProcess(t, cache), 1)
			first.same(t, inProcess(t, cache), 0) // it was mended
		})
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)*2/3] ^= 1
	damage("a flipped bit", flipped)
	damage("half an entry", whole[:len(whole)/2])
	damage("nothing in it", nil)
	foreign := bytes.Clone(whole)
	copy(foreign[40:72], bytes.Repeat([]byte{7}, 32)) // the plugin's digest
	damage("another plugin's", foreign)
	t.Run("other flags", func(t *testing.T) {
		first.same(t, inProcess(t, cache, "XLA_FLAGS=--xla_cpu_multi_thread_eigen=true"), all)
	})
	t.Run("at once in one process", func(t *testing.T) {
		later := inProcess(t, t.TempDir(), childVariable+"=5")
		if k := later.Kept; k.Built != all || k.Loaded != 4*all || later.Bits != first.Bits {
			t.Errorf("five of the same at once: compiled %d and loaded %d programs, %d and %d wanted; %x", k.Built, k.Loaded, all, 4*all, later.Bits)
		}
	})
	t.Run("turned off", func(t *testing.T) {
		later := inProcess(t, cache, compiledEnv+"=off")
		if later.Kept.Off == "" || later.Kept.Loaded != 0 {
			t.Errorf("%+v", later.Kept)
		}
		if later.Bits != first.Bits {
			t.Errorf("result %x, want %x", later.Bits, first.Bits)
		}
	})
}

func TestNowhereToKeepPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	_, first := needKept(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, cache := range map[string]string{"below a file": filepath.Join(file, "cache"), "a file": file, "a folder of the kernel's": "/proc/self"} {
		t.Run(name, func(t *testing.T) {
			// A path that can't be a folder gets a warning. A folder that can't be written doesn't: it may
			// be meant to be read only.
			later, words := inProcessWithWarnings(t, cache)
			if about := strings.Contains(words, "GAZE_CACHE is"); about != strings.HasPrefix(cache, file) || strings.Count(words, "\n") > 1 || !about && words != "" {
				t.Errorf("it printed %s", words)
			}
			first.same(t, later, first.Kept.Built)
			if later.Kept.Stored != 0 {
				t.Errorf("%d programs stored", later.Kept.Stored)
			}
		})
	}
}

func TestManyProcessesKeepOneProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	_, first := needKept(t)
	cache := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if later := inProcess(t, cache); later.Bits != first.Bits {
				t.Errorf("result %x, want %x", later.Bits, first.Bits)
			}
		})
	}
	all.Wait()
	first.same(t, inProcess(t, cache), 0)
}

// TestTableIndices compares the indices of functions with go-xla's copy of the interface.
func TestTableIndices(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		t.Skip("no go command: ", err)
	}
	theirs, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "pjrt", "pjrt_c_api.h"))
	if err != nil {
		t.Skip(err)
	}
	ours, err := os.ReadFile("../../internal/xla/pjrt/pjrt.h")
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{}
	for i, m := range regexp.MustCompile(`_PJRT_API_STRUCT_FIELD\(PJRT_(\w+)\);`).FindAllStringSubmatch(string(theirs), -1) {
		places[strings.ToUpper(strings.ReplaceAll(m[1], "_", ""))] = fmt.Sprint(i)
	}
	table := regexp.MustCompile(`(?m)^\t([A-Z_]+) = (\d+),$`).FindAllStringSubmatch(string(ours), -1)
	if len(table) < 15 {
		t.Fatalf("only %d indices found", len(table))
	}
	for _, m := range table {
		name := strings.ReplaceAll(m[1], "_", "")
		if places[name] != m[2] {
			t.Errorf("%s has the index %s, in the interface %q", m[1], m[2], places[name])
		}
	}
}
