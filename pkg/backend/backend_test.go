package backend

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"gaze/internal/xlaplugin"
)

// machine is a finder on an invented machine.
func machine(t *testing.T, env map[string]string) (*finder, string) {
	t.Helper()
	dir := t.TempDir()
	return &finder{
		env:  func(name string) string { return env[name] },
		home: filepath.Join(dir, "home"), workdir: dir, goos: "linux", goarch: "amd64",
		gpu: func() bool { return false },
	}, dir
}

// place writes a file and creates its folders.
func place(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// library is the header of an empty ELF library for a machine number (62 is amd64, 183 arm64).
func library(machine uint16) []byte {
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(b[16:], 3) // a shared object
	binary.LittleEndian.PutUint16(b[18:], machine)
	binary.LittleEndian.PutUint32(b[20:], 1)
	binary.LittleEndian.PutUint16(b[52:], 64) // header size
	binary.LittleEndian.PutUint16(b[54:], 56) // program header entry size
	binary.LittleEndian.PutUint16(b[58:], 64) // section header entry size
	return b
}

// clone makes a clone of the project with the plugins of some wheels in its .venv.
func clone(t *testing.T, root string, plugins ...string) (paths []string) {
	t.Helper()
	place(t, filepath.Join(root, "go.mod"), []byte("module gaze\n\ngo 1.26.0\n"))
	for _, p := range plugins {
		paths = append(paths, place(t, filepath.Join(root, ".venv/lib/python3.12/site-packages", p), library(62)))
	}
	return paths
}

// stub is a backend that only has a name.
type stub struct {
	compute.Backend
	spec      string
	finalized bool
}

func (s *stub) IsFinalized() bool { return s.finalized }

// stubs is a registry that opens stubs, except for those named in broken.
func stubs(f *finder, broken ...string) (*registry, *[]string, *bytes.Buffer) {
	var asked []string
	var warnings bytes.Buffer
	version := func(string) string { return "PJRT 0.1" }
	return &registry{find: f, warn: &warnings, version: version, open: func(spec string) (compute.Backend, error) {
		asked = append(asked, spec)
		for _, b := range broken {
			if strings.Contains(spec, b) {
				return nil, errors.New("undefined symbol\nstack")
			}
		}
		return &stub{spec: spec}, nil
	}}, &asked, &warnings
}

const (
	firstWheel  = "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so"
	secondWheel = "fastatomstruct_xla_cpu/libpjrt_cpu.so"
	thirdWheel  = "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"
	cudaWheel   = "jax_plugins/xla_cuda13/xla_cuda_plugin.so"
)

func needXLA(t *testing.T) {
	t.Helper()
	if withoutXLA != "" {
		t.Skip(withoutXLA)
	}
}

func TestChoice(t *testing.T) {
	needXLA(t)
	for _, test := range []struct {
		name    string
		env     map[string]string // "ROOT" in a value stands for the clone
		plugins []string
		broken  []string
		want    string // the end of the specification opened
		err     string
		warns   string
	}{
		{name: "first wheel", plugins: []string{secondWheel, firstWheel}, want: firstWheel},
		{name: "third wheel", plugins: []string{thirdWheel}, want: thirdWheel},
		{name: "second wheel", plugins: []string{thirdWheel, secondWheel}, want: secondWheel},
		{name: "nothing", want: goSpec, warns: "no XLA plugin for the CPU was found"},
		{name: "falls to the second", plugins: []string{firstWheel, secondWheel}, broken: []string{firstWheel}, want: secondWheel, warns: "undefined symbol"},
		{name: "falls to Go", plugins: []string{firstWheel}, broken: []string{firstWheel}, want: goSpec, warns: "passing over"},
		{name: "cuda isn't taken unasked", plugins: []string{cudaWheel}, want: goSpec, warns: "no XLA plugin for the CPU was found"},
		{name: "nothing opens", plugins: []string{firstWheel}, broken: []string{firstWheel, "go:"}, err: "no backend could be opened", warns: "passing over"},
		{name: "named plugin", env: map[string]string{"GAZE_PJRT": "ROOT/.venv/lib/python3.12/site-packages/" + secondWheel},
			plugins: []string{firstWheel, secondWheel}, want: secondWheel},
		{name: "named plugin is missing", env: map[string]string{"GAZE_PJRT": "/nowhere/cpu.so"},
			plugins: []string{firstWheel}, want: firstWheel, warns: "/nowhere/cpu.so"},
		{name: "named plugin is for CUDA", env: map[string]string{"GAZE_PJRT": "ROOT/.venv/lib/python3.12/site-packages/" + cudaWheel},
			plugins: []string{firstWheel, cudaWheel}, want: firstWheel, warns: "GOMLX_BACKEND=xla:cuda"},
		{name: "named plugin for CUDA, ordered", env: map[string]string{"GAZE_PJRT": "ROOT/.venv/lib/python3.12/site-packages/" + cudaWheel, "GOMLX_BACKEND": "xla:cuda"},
			plugins: []string{firstWheel, cudaWheel}, want: cudaWheel},
		{name: "named clone is none", env: map[string]string{"GAZE_ROOT": "/nowhere"}, plugins: []string{firstWheel}, want: firstWheel, warns: "GAZE_ROOT is"},
		{name: "order: go", env: map[string]string{"GOMLX_BACKEND": "go"}, plugins: []string{firstWheel}, want: goSpec},
		{name: "order: go as told", env: map[string]string{"GOMLX_BACKEND": "go:ops_parallel"}, want: "go:ops_parallel"},
		{name: "order: xla", env: map[string]string{"GOMLX_BACKEND": "xla"}, plugins: []string{firstWheel}, want: firstWheel},
		{name: "order: xla:cpu with options", env: map[string]string{"GOMLX_BACKEND": "xla:cpu,noshared_buffers"},
			plugins: []string{firstWheel}, want: firstWheel + ",noshared_buffers"},
		{name: "order: xla without a plugin", env: map[string]string{"GOMLX_BACKEND": "xla"}, err: "make setup"},
		{name: "order: cuda", env: map[string]string{"GOMLX_BACKEND": "xla:cuda,tf32=false"},
			plugins: []string{firstWheel, cudaWheel}, want: cudaWheel + ",tf32=false"},
		{name: "order: cuda without a plugin", env: map[string]string{"GOMLX_BACKEND": "xla:cuda"},
			plugins: []string{firstWheel}, err: "make setup-cuda"},
		{name: "order that fails", env: map[string]string{"GOMLX_BACKEND": "xla:/opt/cpu.so"}, broken: []string{"/opt/cpu.so"},
			plugins: []string{firstWheel}, err: "undefined symbol"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, root := machine(t, test.env)
			for name, value := range test.env {
				test.env[name] = strings.ReplaceAll(value, "ROOT", root)
			}
			clone(t, root, test.plugins...)
			r, _, warnings := stubs(f, test.broken...)
			b, err := r.choose()
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want one with %q", err, test.err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else if got := b.(*stub).spec; !strings.HasSuffix(got, test.want) {
				t.Errorf("opened %q, want …%q", got, test.want)
			}
			if got := warnings.String(); (test.warns == "") != (got == "") || !strings.Contains(got, test.warns) {
				t.Errorf("warnings %q, want %q", got, test.warns)
			}
			var used int
			for _, c := range r.list() {
				if c.Used {
					used++
				}
				if c.Reason == "" || strings.Contains(c.Reason, "\n") {
					t.Errorf("%s has the reason %q", c.Spec, c.Reason)
				}
			}
			if want := map[bool]int{true: 1, false: 0}[err == nil]; used != want {
				t.Errorf("%d candidates are marked as used, want %d", used, want)
			}
		})
	}
}

// TestFallingBack checks that one line about the Go backend says what is missing and how to get
// it, and that there is none if the Go backend was asked for.
func TestFallingBack(t *testing.T) {
	needXLA(t)
	for _, test := range []struct {
		name   string
		goos   string
		env    map[string]string
		plugin string // one that is there
		broken bool
		gpu    bool
		says   []string // nil: nothing
	}{
		{name: "no plugin", goos: "linux", says: []string{"Go backend", "no XLA plugin", "gaze pull xla-cpu", "make setup", "GOMLX_BACKEND=go"}},
		{name: "no wheel either", goos: "darwin", says: []string{"no XLA plugin", "make setup"}},
		{name: "asked for", goos: "linux", env: map[string]string{"GOMLX_BACKEND": "go"}},
		{name: "asked for in full", goos: "linux", env: map[string]string{"GOMLX_BACKEND": goSpec}},
		{name: "a plugin that doesn't load", goos: "linux", plugin: firstWheel, broken: true, says: []string{"can be used", "gaze devices"}},
		{name: "XLA", goos: "linux", plugin: firstWheel},
		{name: "CUDA", goos: "linux", plugin: cudaWheel, gpu: true, says: []string{"GOMLX_BACKEND=xla:cuda"}},
		{name: "CUDA without a card", goos: "linux", plugin: cudaWheel, says: []string{"no XLA plugin"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, root := machine(t, test.env)
			f.goos, f.gpu = test.goos, func() bool { return test.gpu }
			var broken []string
			if test.plugin != "" {
				clone(t, root, test.plugin)
				if test.broken {
					broken = append(broken, test.plugin)
				}
			}
			r, _, warnings := stubs(f, broken...)
			for range 2 {
				if _, err := r.choose(); err != nil {
					t.Fatal(err)
				}
			}
			var about []string
			for line := range strings.Lines(warnings.String()) {
				if strings.Contains(line, "Go backend") {
					about = append(about, line)
				}
			}
			if want := min(len(test.says), 1); len(about) != want {
				t.Fatalf("%d lines: %q", len(about), about)
			}
			for _, says := range test.says {
				if !strings.Contains(about[0], says) {
					t.Errorf("%q lacks %q", about[0], says)
				}
			}
			if test.gpu == false && len(about) > 0 && strings.Contains(about[0], "xla:cuda") {
				t.Errorf("%q sends to a card that isn't there", about[0])
			}
		})
	}
	// Opening it by name asks for it.
	f, _ := machine(t, nil)
	r, _, warnings := stubs(f)
	if _, err := r.byName("go"); err != nil || warnings.Len() > 0 {
		t.Errorf("%v, %q", err, warnings)
	}
}

// TestFallingBackWithoutXLA checks that a build without cgo says that it could have XLA, and that
// a build that left XLA out on purpose says nothing.
func TestFallingBackWithoutXLA(t *testing.T) {
	if withoutXLA == "" {
		t.Skip("this build has XLA")
	}
	f, root := machine(t, nil)
	clone(t, root, firstWheel)
	r, _, warnings := stubs(f)
	if _, err := r.choose(); err != nil {
		t.Fatal(err)
	}
	if says := warnings.String(); leftOut && says != "" || !leftOut && (strings.Count(says, "\n") != 1 || !strings.Contains(says, "CGO_ENABLED=1")) {
		t.Errorf("left out %v, said %q", leftOut, says)
	}
}

// TestWrongSettings checks that an invalid variable is an error, with its name, of everything that
// opens a backend.
func TestWrongSettings(t *testing.T) {
	for _, test := range []struct{ name, value string }{
		{"GAZE_KERNELS", "of"}, {"GAZE_KERNELS", "none"}, {"GAZE_TILES", "amx"}, {"GAZE_MEMORY", "16G"}, {"GAZE_COMPILED", "12 parsecs"}, {"GAZE_COMPILED", "1.5G"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(test.name, test.value)
			f, _ := machine(t, nil)
			r, asked, _ := stubs(f)
			r.settings = checkSettings
			_, err := r.choose()
			if err == nil || !strings.Contains(err.Error(), test.name+" is") || !strings.Contains(err.Error(), test.value) {
				t.Errorf("choose: %v", err)
			}
			if _, again := r.choose(); again != err {
				t.Errorf("the second time: %v", again)
			}
			if _, err := r.byName("go"); err == nil || !strings.Contains(err.Error(), test.name) {
				t.Errorf("by name: %v", err)
			}
			for _, c := range r.list() {
				if c.Used {
					t.Errorf("%s is said to be used", c.Name)
				}
			}
			if len(*asked) != 0 {
				t.Errorf("opened %q", *asked)
			}
		})
	}
	for name, values := range map[string][]string{"GAZE_KERNELS": {"", "off", "OFF", "on", "0"}, "GAZE_TILES": {"off", "true"}, "GAZE_MEMORY": {"", "off", "on"}, "GAZE_COMPILED": {"", "off", "on", "2G", "512m"}} {
		for _, value := range values {
			t.Setenv(name, value)
			if err := checkSettings(); err != nil {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
}

// TestPulledPlugin checks that the plugin in the cache is preferred to the clone's, but only in this
// program's version, and that a truncated one isn't loaded.
func TestPulledPlugin(t *testing.T) {
	needXLA(t)
	f, root := machine(t, nil)
	cache := filepath.Join(root, "cache")
	f.cache = func() (string, error) { return cache, nil }
	inClone := clone(t, root, firstWheel)[0]
	first := xlaplugin.Wheels("linux", "amd64")[0]
	other := first
	other.Version = "0.0.9"
	place(t, other.Path(cache), library(62))
	if found := f.plugins(); len(found) != 1 || found[0].path != inClone {
		t.Errorf("with another version in the cache: %+v", found)
	}
	path := place(t, first.Path(cache), library(62))
	if err := os.Truncate(path, first.PluginSize); err != nil { // a hole, no disk space
		t.Fatal(err)
	}
	if found := f.plugins(); len(found) != 2 || found[0].path != path || found[0].version != first.Version || found[1].path != inClone {
		t.Errorf("pulled: %+v", found)
	}
	f.env = func(name string) string { return map[string]string{"GAZE_PJRT": inClone}[name] }
	if found := f.plugins(); len(found) != 2 || found[0].path != inClone {
		t.Errorf("GAZE_PJRT doesn't go first: %+v", found)
	}
	f.env = func(string) string { return "" }
	if err := os.Truncate(path, first.PluginSize-1); err != nil {
		t.Fatal(err)
	}
	r, asked, warnings := stubs(f)
	if _, err := r.choose(); err != nil || len(*asked) != 1 || (*asked)[0] != "xla:"+inClone || !strings.Contains(warnings.String(), "gaze pull xla-cpu") {
		t.Errorf("cut: opened %q, said %q, %v", *asked, warnings, err)
	}
	f.cache = func() (string, error) { return "", errors.New("no home") }
	if found := f.plugins(); len(found) != 1 {
		t.Errorf("without a cache: %+v", found)
	}
}

// TestOtherClones checks that a program outside all clones finds the plugins of those that set-up
// noted, in order of preference, including those for CUDA.
func TestOtherClones(t *testing.T) {
	needXLA(t)
	f, root := machine(t, nil)
	f.workdir = filepath.Join(root, "elsewhere")
	cache := filepath.Join(root, "cache")
	f.cache = func() (string, error) { return cache, nil }
	older, newer := filepath.Join(root, "older"), filepath.Join(root, "newer")
	best := clone(t, older, firstWheel)
	rest := clone(t, newer, secondWheel, cudaWheel)
	for _, c := range []string{older, newer} {
		if err := xlaplugin.Remember(cache, c); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, p := range f.plugins() {
		got = append(got, p.path)
		if !strings.Contains(p.origin, "in the clone "+root) {
			t.Errorf("%s comes from %q", p.path, p.origin)
		}
	}
	if want := slices.Concat(best, rest); !slices.Equal(got, want) {
		t.Errorf("found\n%q, want\n%q", got, want)
	}
	if full, err := f.resolve("xla:cuda"); err != nil || full != "xla:"+rest[1] {
		t.Errorf("CUDA: %q, %v", full, err)
	}
	// A program prefers its own clone's plugin to a better one elsewhere. No file is listed twice.
	f.workdir = newer
	if found := f.plugins(); len(found) != 3 || found[0].path != rest[0] {
		t.Errorf("in a clone: %+v", found)
	}
	if err := os.RemoveAll(older); err != nil {
		t.Fatal(err)
	}
	f.workdir = root
	if found := f.plugins(); len(found) != 2 || found[0].path != rest[0] {
		t.Errorf("with a clone gone: %+v", found)
	}
}

func TestChoiceIsMadeOnce(t *testing.T) {
	f, root := machine(t, nil)
	clone(t, root)
	r, asked, _ := stubs(f)
	first, err := r.choose()
	if err != nil {
		t.Fatal(err)
	}
	r.list()
	second, err := r.choose()
	if err != nil || first != second || len(*asked) != 1 {
		t.Errorf("second call gave another backend (%v), opened %v", err, *asked)
	}
	same, err := r.byName("go")
	if err != nil || same != first {
		t.Errorf("the same specification gave another backend: %v", err)
	}
	first.(*stub).finalized = true
	if again, _ := r.byName("go"); again == first {
		t.Error("a finalized backend was handed out")
	}
}

func TestWhereTheCloneIsFound(t *testing.T) {
	needXLA(t)
	f, root := machine(t, map[string]string{})
	home := filepath.Join(root, "elsewhere", "clone")
	want := clone(t, home, firstWheel)[0]
	for _, test := range []struct {
		name string
		set  func(f *finder)
	}{
		{"GAZE_ROOT", func(f *finder) {
			f.env = func(n string) string { return map[string]string{"GAZE_ROOT": home}[n] }
		}},
		{"executable", func(f *finder) { f.executable = filepath.Join(home, "bin", "gaze") }},
		{"working directory", func(f *finder) { f.workdir = filepath.Join(home, "pkg", "vit") }},
	} {
		g := *f
		test.set(&g)
		found := g.plugins()
		if len(found) != 1 || found[0].path != want {
			t.Errorf("%s: found %v, want %s", test.name, found, want)
		}
	}
	if found := f.plugins(); len(found) != 0 {
		t.Errorf("outside a clone: found %v", found)
	}
}

func TestPluginsInGoXLAsFolders(t *testing.T) {
	f, root := machine(t, nil)
	user := filepath.Join(f.home, ".local/lib/go-xla")
	place(t, filepath.Join(user, "pjrt_c_api_cpu_v0.83.1_plugin.so"), library(62))
	place(t, filepath.Join(user, "pjrt_c_api_cpu_v0.83.4_plugin.so"), library(62))
	place(t, filepath.Join(user, "pjrt_c_api_tpu_plugin.so"), library(62))
	place(t, filepath.Join(user, "nvidia", "pjrt_c_api_cuda_plugin.so"), library(62))
	place(t, filepath.Join(root, ".venv/lib/go-xla/pjrt_c_api_cpu_v0.83.4_plugin.dylib"), nil)
	var got []string
	for _, p := range append(f.inVenv(filepath.Join(root, ".venv")), f.plugins()...) {
		got = append(got, fmt.Sprint(filepath.Base(p.path), " ", p.version, " ", p.cuda))
	}
	want := []string{
		"pjrt_c_api_cpu_v0.83.4_plugin.dylib v0.83.4 false",
		"pjrt_c_api_cpu_v0.83.4_plugin.so v0.83.4 false",
		"pjrt_c_api_cpu_v0.83.1_plugin.so v0.83.1 false",
		"pjrt_c_api_cuda_plugin.so  true",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	f.env = func(n string) string {
		return map[string]string{"PJRT_PLUGIN_LIBRARY_PATH": "relative:" + filepath.Join(user, "nvidia")}[n]
	}
	if found := f.plugins(); len(found) != 1 || !found[0].cuda {
		t.Errorf("with PJRT_PLUGIN_LIBRARY_PATH: found %v", found)
	}
	f.goos, f.env = "darwin", func(string) string { return "" }
	if dirs := f.libraryFolders(); !strings.Contains(dirs[0], "Application Support") {
		t.Errorf("macOS looks in %v", dirs)
	}
}

func TestVersionOfAWheel(t *testing.T) {
	f, root := machine(t, nil)
	path := clone(t, root, firstWheel)[0]
	place(t, filepath.Join(root, ".venv/lib/python3.12/site-packages/lammps_jax_pjrt_cpu-0.11.2.dist-info/METADATA"), nil)
	if got := f.plugins()[0].version; got != "0.11.2" {
		t.Errorf("version of %s is %q", path, got)
	}
}

func TestDamagedPlugins(t *testing.T) {
	needXLA(t)
	for _, test := range []struct {
		name, goos string
		content    []byte
		want       string
	}{
		{"empty", "linux", nil, "not a Linux library"},
		{"cut", "linux", library(62)[:30], "not a Linux library"},
		{"text", "linux", []byte("<html>not found</html>"), "not a Linux library"},
		{"other processor", "linux", library(183), "EM_AARCH64"},
		{"other system", "darwin", library(62), "not a macOS library"},
	} {
		f, root := machine(t, nil)
		f.goos = test.goos
		path := place(t, filepath.Join(root, "libpjrt_cpu.so"), test.content)
		if err := f.check(path); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.name, err, test.want)
		}
	}
	f, root := machine(t, nil)
	if err := f.check(filepath.Join(root, "absent.so")); err == nil {
		t.Error("an absent file passed")
	}
	// If the first wheel is damaged, the next is used, without loading the first.
	place(t, clone(t, root, firstWheel, secondWheel)[0], []byte("cut"))
	r, asked, _ := stubs(f)
	if _, err := r.choose(); err != nil || len(*asked) != 1 || !strings.HasSuffix((*asked)[0], secondWheel) {
		t.Errorf("opened %v: %v", *asked, err)
	}
}

func TestCUDAIsListed(t *testing.T) {
	needXLA(t)
	f, root := machine(t, nil)
	clone(t, root, cudaWheel)
	for _, gpu := range []bool{false, true} {
		f.gpu = func() bool { return gpu }
		r, _, _ := stubs(f)
		c := r.list()[0]
		if c.Name != "XLA on CUDA" || c.Used || c.Usable != gpu {
			t.Errorf("with GPU %v: %+v", gpu, c)
		}
	}
}

func TestUnknownBackend(t *testing.T) {
	for _, spec := range []string{"tpu9", "tpu9:x", "go:no_such_option"} {
		if _, err := Open(spec); err == nil {
			t.Errorf("Open(%q) succeeded", spec)
		}
	}
	if _, err := Open("tpu9"); !strings.Contains(err.Error(), "go") {
		t.Errorf("error %v doesn't say which backends there are", err)
	}
	if withoutXLA == "" {
		if _, err := Open("xla:/nowhere/libpjrt_cpu.so"); err == nil {
			t.Error("a plugin that isn't there was opened")
		}
	} else if _, err := Open("xla"); err == nil || !strings.Contains(err.Error(), "cgo") {
		t.Errorf("without XLA: error %v", err)
	}
}

// TestRealBackend opens what this machine has.
func TestRealBackend(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	var used *Candidate
	found := Discover()
	for i := range found {
		t.Logf("%+v", found[i])
		if found[i].Used {
			used = &found[i]
		}
	}
	if used == nil {
		t.Fatal("no candidate is marked as used")
	}
	kind, _, _ := strings.Cut(used.Spec, ":")
	if name := b.Name(); !strings.HasPrefix(strings.ToLower(name), kind) {
		t.Errorf("%q was opened as %q", used.Spec, name)
	}
	if again, err := Open(used.Spec); err != nil || again != b {
		t.Errorf("Open(%q) gave another backend: %v", used.Spec, err)
	}
	if runtime.GOOS == "linux" && used.Path != "" && !strings.Contains(used.Version, "PJRT") {
		t.Errorf("version %q of a loaded plugin lacks PJRT's", used.Version)
	}
}
