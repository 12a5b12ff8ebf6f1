package backend

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"gaze/internal/xlaplugin"
)

// Candidate is a backend that this machine has, or could have.
type Candidate struct {
	// Name is one of "XLA on the CPU", "XLA on CUDA", "Go", or "$GOMLX_BACKEND".
	Name string `json:"name"`
	// Spec is the value of $GOMLX_BACKEND that opens exactly this one.
	Spec string `json:"spec"`
	// Path is the plugin's file; empty for the Go backend.
	Path string `json:"path,omitempty"`
	// Version is the version of the plugin or the module, if it is known without loading it.
	// For the backend in use, the version of the PJRT interface is added.
	Version string `json:"version,omitempty"`
	// Usable is false if the plugin is damaged, is for another kind of machine or failed to
	// load, or if this program can't use plugins.
	Usable bool `json:"usable"`
	// Used is true for the backend that [Default] returns.
	Used bool `json:"used"`
	// Reason says why it is used, why not, and how to change that.
	Reason string `json:"reason"`
	// Compiled describes the cache of compiled programs, for the backend in use; nil for Go.
	Compiled *Compiled `json:"compiled,omitempty"`
	// Kernels says what computes the programs of the backend in use, if that is XLA on the CPU; else nil.
	Kernels *KernelChoice `json:"kernels,omitempty"`

	order     string // the value of $GOMLX_BACKEND, if that names it
	ordered   bool   // $GOMLX_BACKEND names it: no other may be tried
	onRequest bool   // listed, but used only if it is asked for
}

// Discover lists all backends that were found, in the order in which they are considered, and
// marks the one that [Default] uses. It opens only that one, because two XLA plugins in one
// process can interfere with each other.
func Discover() []Candidate { return process.list() }

func (r *registry) list() []Candidate {
	b, err := r.choose()
	r.mu.Lock()
	defer r.mu.Unlock()
	found := slices.Clone(r.candidates)
	after := err != nil
	for i := range found {
		c := &found[i]
		switch {
		case c.Used:
			after = true
			if name, _, _ := strings.Cut(c.Spec, ":"); isXLA(name) {
				kept := KeptPrograms()
				c.Compiled = &kept
			}
			c.Kernels = kernelChoice(*c, b)
		case c.Usable && !c.onRequest && after:
			c.Reason += fmt.Sprintf("; not needed, %s=%s would use it", compute.ConfigEnvVar, c.Spec)
		}
	}
	return found
}

// candidates lists the backends in order of preference, without loading any.
func (f *finder) candidates() []Candidate {
	var all []Candidate
	if order := f.env(compute.ConfigEnvVar); order != "" {
		all = append(all, f.ordered(order))
	}
	for _, p := range f.plugins() {
		c := Candidate{
			Name: "XLA on the CPU", Spec: "xla:" + p.path, Path: p.path, Version: p.version,
			Usable: true, Reason: p.origin,
		}
		if p.cuda {
			c.Name, c.onRequest = "XLA on CUDA", true
			c.Reason = p.origin + fmt.Sprintf("; used only when asked for: %s=xla:cuda", compute.ConfigEnvVar)
			if !f.gpu() {
				c.Usable, c.Reason = false, p.origin+"; no NVIDIA device here"
			}
		}
		if err := f.usable(p); err != nil {
			c.Usable, c.Reason = false, p.origin+"; "+err.Error()
		}
		all = append(all, c)
	}
	return append(all, Candidate{
		Name: "Go", Spec: goSpec, Version: moduleVersion("github.com/gomlx/compute"),
		Usable: withoutGo == "", Reason: f.goReason(all),
	})
}

// goReason describes this program's Go backend, and why there is no XLA.
func (f *finder) goReason(plugins []Candidate) string {
	if withoutGo != "" {
		return withoutGo
	}
	reason := "built with GOEXPERIMENT=simd, vectors here: " + goVectors()
	switch {
	case runtime.GOARCH != "amd64":
		reason = "has no vector kernels for " + runtime.GOARCH
	case !simd:
		reason = "built without GOEXPERIMENT=simd, so that matrix products take many times as long"
	}
	if withoutXLA != "" {
		return reason + "; " + withoutXLA
	}
	for _, c := range plugins {
		if c.Path != "" && !c.onRequest {
			return reason
		}
	}
	return reason + "; no XLA plugin for the CPU was found, " + f.howToGet()
}

// howToGet says how to get a plugin for the CPU.
func (f *finder) howToGet() string {
	if len(xlaplugin.Wheels(f.goos, f.goarch)) == 0 {
		return "'make setup' in a clone of Gaze gets one"
	}
	return "'gaze pull xla-cpu' fetches one, as 'make setup' in a clone of Gaze does"
}

// unasked says why the Go backend is used as a fallback, and how to change that.
// It is "" where XLA doesn't run or was left out on purpose.
func (f *finder) unasked(candidates []Candidate) string {
	reason := ""
	found, cuda := false, false
	for _, c := range candidates {
		found = found || c.Path != "" && !c.onRequest
		cuda = cuda || c.onRequest && c.Usable
	}
	switch {
	case withoutXLA != "" && leftOut:
		return ""
	case withoutXLA != "":
		reason = "this program was built without cgo; build it with a C compiler and CGO_ENABLED=1"
	case found:
		reason = "no XLA plugin that was found can be used, see 'gaze devices'; " + f.howToGet()
	default:
		reason = "no XLA plugin for the CPU was found; " + f.howToGet()
	}
	if cuda {
		reason += ", " + compute.ConfigEnvVar + "=xla:cuda uses the one for CUDA"
	}
	if f.goarch == "amd64" && !simd {
		reason += "; built with GOEXPERIMENT=simd, the Go backend is several times faster, too"
	}
	return reason
}

// ordered is the candidate for a value of $GOMLX_BACKEND.
func (f *finder) ordered(order string) Candidate {
	c := Candidate{
		Name: "$" + compute.ConfigEnvVar, Spec: order, Usable: true, order: order, ordered: true,
		Reason: fmt.Sprintf("$%s is %q", compute.ConfigEnvVar, order),
	}
	full, err := f.resolve(order)
	if err != nil {
		c.Usable, c.Reason = false, err.Error()
		return c
	}
	c.Spec = full
	if name, config, _ := strings.Cut(full, ":"); isXLA(name) {
		c.Path, _, _ = strings.Cut(config, ",")
		if !filepath.IsAbs(c.Path) {
			c.Path = ""
		}
	}
	for _, p := range f.plugins() {
		if p.path == c.Path {
			c.Version = p.version
		}
	}
	return c
}

// resolve expands the short forms of a specification.
func (f *finder) resolve(spec string) (string, error) {
	name, config, _ := strings.Cut(spec, ":")
	if name == "go" && withoutGo != "" {
		return "", fmt.Errorf("%s", withoutGo)
	}
	if name == "go" && config == "" {
		return goSpec, nil
	}
	if !isXLA(name) {
		return spec, nil
	}
	if withoutXLA != "" {
		return "", fmt.Errorf("%s", withoutXLA)
	}
	kind, options, _ := strings.Cut(config, ",")
	if kind != "" && kind != "cpu" && kind != "cuda" {
		return spec, nil // a path, or a name that go-xla looks up
	}
	for _, p := range f.plugins() {
		if p.cuda == (kind == "cuda") && f.usable(p) == nil {
			full := name + ":" + p.path
			if options != "" {
				full += "," + options
			}
			return full, nil
		}
	}
	if kind == "cuda" {
		return "", fmt.Errorf("no CUDA plugin was found; 'make setup-cuda' installs one")
	}
	return "", fmt.Errorf("no XLA plugin for the CPU was found; %s, or set %s to a plugin's path", f.howToGet(), pluginEnv)
}
