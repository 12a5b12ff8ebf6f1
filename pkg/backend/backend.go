// Package backend finds the engine that runs GoMLX graphs and opens it, once per
// process: XLA through a PJRT plugin where there is one, else GoMLX's Go backend.
//
// The choice, first match wins:
//
//  1. $GOMLX_BACKEND, as GoMLX reads it. If that backend can't be opened, it is an error
//     and no other is tried. "xla" and "xla:cpu" stand for the first CPU plugin found below, "xla:cuda" for the first CUDA plugin, "go" for
//     "go:ops_sequential"; options after a comma are kept ("xla:cuda,tf32=false").
//     "xla:cpu,devices=2" divides the processor into two devices, to try programs for several.
//  2. $GAZE_PJRT, the path of a CPU plugin.
//  3. The plugin that 'gaze pull xla-cpu' downloaded into Gaze's cache, in the version that
//     this program knows.
//  4. The plugin that set-up installed in the clone's .venv. The clone is $GAZE_ROOT, or the
//     one that the executable is in (<clone>/bin/gaze), or the nearest folder above the
//     working directory whose go.mod says "module gaze".
//  5. The plugins of other clones on this machine, which set-up notes in the cache.
//  6. The plugins of go-xla's installer: the folders of $PJRT_PLUGIN_LIBRARY_PATH, or if that
//     is unset ~/.local/lib/go-xla and /usr/local/lib/go-xla.
//  7. The Go backend, as "go:ops_sequential": its default schedule can deadlock when
//     independent large products occupy all workers.
//
// If a plugin of 2 to 6 can't be loaded, a line on standard error says why, and the next
// is tried; [Discover] gives the reason, too. CUDA plugins are listed, but used only if
// $GOMLX_BACKEND asks for one, because their default precision (TF32) and their memory
// use shouldn't be chosen silently. If only the Go backend is left, a line on standard
// error says why and how to change that. There is no such line if $GOMLX_BACKEND asks for
// it, with the build tag noxla, and on machines where XLA doesn't run.
//
// A variable with an invalid value, such as a mistyped GAZE_KERNELS, is an error of
// [Default] and [Open].
//
// Programs that XLA has compiled are cached on disk, in the folder compiled of Gaze's
// cache, and loaded by the next process that needs them: see [Compiled].
// $GAZE_COMPILED=off switches that off, $GAZE_COMPILED=256M limits its size.
//
// On processors with AVX-512, XLA's programs on the CPU run Gaze's own kernels: see
// [Kernels]. $GAZE_KERNELS=off leaves all to XLA.
//
// Opening XLA on the CPU changes the process's memory management on Linux, because XLA
// would otherwise get and return hundreds of megabytes in each run: the plugin's
// posix_memalign, aligned_alloc and free are patched to reuse blocks of 32 MiB and more,
// and glibc's malloc is set, for the whole process, to keep what is freed (no mmap for
// single blocks, no trimming, one arena). Importing the package, or opening another
// backend, changes nothing. $GAZE_MEMORY=off leaves memory as it is; so do, for malloc,
// glibc's own variables (MALLOC_ARENA_MAX and the like). Results are the same either way.
//
// Nothing here downloads anything. XLA needs cgo; without it, or with the build tag
// noxla, only the Go backend is compiled in; with the tag xlaonly, only XLA.
package backend

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"

	"gaze/internal/environ"
	"gaze/internal/xla/kernels"
	"gaze/internal/xla/memory"
)

// goSpec is the Go backend with a schedule that can't deadlock.
const goSpec = "go:ops_sequential"

// process holds the backends of this process.
var process = &registry{find: newFinder(), open: openSpec, version: pjrtVersion, warn: os.Stderr, settings: checkSettings}

// Default returns the process's backend, chosen as the package comment says and
// opened at the first call. Later calls return the same backend, or the same error.
func Default() (compute.Backend, error) { return process.choose() }

// IsOpen reports whether [Default] has opened a backend.
func IsOpen() bool { return process.isOpen() }

// Open opens a backend by its GoMLX specification, such as "xla:cpu",
// "xla:/path/to/plugin.so", "xla:cuda,tf32=false" or "go:ops_sequential"; the short
// forms mean what they mean in $GOMLX_BACKEND. The same specification gives the
// same backend as long as that is not finalized.
func Open(spec string) (compute.Backend, error) { return process.byName(spec) }

// registry holds the backends of a process. Its fields are what tests replace.
type registry struct {
	find     *finder
	open     func(spec string) (compute.Backend, error)
	version  func(path string) string // of a loaded plugin
	warn     io.Writer                // for warnings, a line each
	settings func() error             // checks the settings; may be nil

	mu         sync.Mutex
	opened     map[string]compute.Backend
	chosen     bool // whether the next three fields are set
	candidates []Candidate
	backend    compute.Backend
	err        error
}

// choose chooses and opens the default backend at its first call.
func (r *registry) choose() (compute.Backend, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.chosen {
		r.candidates = r.find.candidates()
		if r.err = r.check(); r.err == nil {
			r.backend, r.err = r.try(r.candidates)
		}
		r.chosen = true
	}
	return r.backend, r.err
}

func (r *registry) isOpen() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.backend != nil
}

// check returns an error for an invalid variable, and warns of variables without effect.
func (r *registry) check() error {
	if r.settings != nil {
		if err := r.settings(); err != nil {
			return err
		}
	}
	for _, text := range r.find.complaints() {
		fmt.Fprintln(r.warn, "gaze: warning:", text)
	}
	return nil
}

// checkSettings checks the variables that say how to compute.
func checkSettings() error {
	environ.WarnOnce(os.Stderr)
	if _, err := parseLimit(environ.Get(compiledEnv)); err != nil {
		return environ.Wrong(compiledEnv, environ.Get(compiledEnv), "it must be off, a size such as 512M or a folder's absolute path")
	}
	return cmp.Or(kernels.CheckSettings(), memory.CheckSettings())
}

// try opens the first candidate that can be opened, and notes the outcome for each.
func (r *registry) try(candidates []Candidate) (compute.Backend, error) {
	for i := range candidates {
		c := &candidates[i]
		if c.onRequest {
			continue
		}
		if !c.Usable {
			if c.ordered {
				return nil, fmt.Errorf("$%s=%q: %s", compute.ConfigEnvVar, c.order, c.Reason)
			}
			r.passOver(c)
			continue
		}
		b, err := r.cached(c.Spec)
		if err != nil {
			c.Usable, c.Reason = false, c.Reason+"; "+firstLine(err)
			if c.ordered {
				return nil, fmt.Errorf("$%s=%q can't be opened: %w", compute.ConfigEnvVar, c.order, err)
			}
			r.passOver(c)
			continue
		}
		c.Used = true
		c.Reason = "used: " + c.Reason
		if c.Spec == goSpec && !c.ordered {
			r.fallenBack(candidates)
		}
		if c.Path != "" {
			c.Version = strings.Trim(c.Version+", "+r.version(c.Path), ", ")
		}
		return b, nil
	}
	return nil, fmt.Errorf("no backend could be opened: %s", reasons(candidates))
}

// passOver warns that a plugin that was found isn't used. Builds without XLA never use one, so
// they don't warn.
func (r *registry) passOver(c *Candidate) {
	if c.Path != "" && withoutXLA == "" {
		fmt.Fprintf(r.warn, "gaze: passing over the XLA plugin %s: %s\n", c.Path, c.Reason)
	}
}

// fallenBack warns that the Go backend is used for want of a plugin.
func (r *registry) fallenBack(candidates []Candidate) {
	if reason := r.find.unasked(candidates); reason != "" {
		fmt.Fprintf(r.warn, "gaze: computing on GoMLX's Go backend, several times slower than XLA: %s; %s=go silences this\n",
			reason, compute.ConfigEnvVar)
	}
}

// byName opens the backend of a specification.
func (r *registry) byName(spec string) (compute.Backend, error) {
	if r.settings != nil {
		if err := r.settings(); err != nil {
			return nil, err
		}
	}
	full, err := r.find.resolve(spec)
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", spec, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := r.cached(full)
	if err != nil {
		return nil, fmt.Errorf("backend %q can't be opened: %w", spec, err)
	}
	return b, nil
}

// cached opens a full specification once.
func (r *registry) cached(spec string) (compute.Backend, error) {
	if b := r.opened[spec]; b != nil && !b.IsFinalized() {
		return b, nil
	}
	b, err := r.open(spec)
	if err != nil {
		return nil, err
	}
	if r.opened == nil {
		r.opened = map[string]compute.Backend{}
	}
	r.opened[spec] = b
	return b, nil
}

// openSpec is compute.NewWithConfig, with an error for an unknown backend, for which that panics.
func openSpec(spec string) (compute.Backend, error) {
	name, config, _ := strings.Cut(spec, ":")
	if !slices.Contains(compute.List(), name) {
		if isXLA(name) && withoutXLA != "" {
			return nil, fmt.Errorf("%s", withoutXLA)
		}
		known := compute.List()
		slices.Sort(known)
		return nil, fmt.Errorf("no backend is called %q; there are %s", name, strings.Join(known, ", "))
	}
	if isXLA(name) {
		plugin, devices, err := cutDevices(config)
		if err != nil {
			return nil, err
		}
		programs.keep(plugin)
		defer programs.setDevices(plugin, devices)()
		spec = name + ":" + plugin
	}
	return compute.NewWithConfig(spec)
}

// isXLA knows the names under which go-xla registers itself.
func isXLA(name string) bool {
	return slices.Contains([]string{"xla", "stablehlo", "shlo", "hlo"}, name)
}

// firstLine drops the stack trace that GoMLX's errors may contain.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func reasons(candidates []Candidate) string {
	var all []string
	for _, c := range candidates {
		all = append(all, c.Name+": "+c.Reason)
	}
	return strings.Join(all, "; ")
}
