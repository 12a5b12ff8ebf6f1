package backend

import (
	"debug/elf"
	"debug/macho"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// plugin is a PJRT plugin's file, not loaded.
type plugin struct {
	path    string
	version string
	origin  string // where it comes from, for people
	cuda    bool
}

// wheel is a Python package that carries a plugin.
type wheel struct {
	file string // below site-packages
	dist string // the name its .dist-info folder begins with
	cuda bool
}

// wheels are known by their place below site-packages, best first.
var wheels = []wheel{
	{file: "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so", dist: "lammps_jax_pjrt_cpu"},
	{file: "fastatomstruct_xla_cpu/libpjrt_cpu.so", dist: "fastatomstruct_xla_cpu"},
	{file: "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so", dist: "xla_cpu_pjrt"},
	{file: "jax_plugins/xla_cuda13/xla_cuda_plugin.so", dist: "jax_cuda13_pjrt", cuda: true},
	{file: "jax_plugins/xla_cuda12/xla_cuda_plugin.so", dist: "jax_cuda12_pjrt", cuda: true},
}

// finder looks for plugins; its fields stand for the machine.
type finder struct {
	env        func(string) string
	executable string // path of this program
	workdir    string
	home       string
	goos       string
	goarch     string
	gpu        func() bool
}

func newFinder() *finder {
	f := &finder{env: os.Getenv, goos: runtime.GOOS, goarch: runtime.GOARCH, gpu: hasNVIDIA}
	f.executable, _ = os.Executable()
	if real, err := filepath.EvalSymlinks(f.executable); err == nil {
		f.executable = real
	}
	f.workdir, _ = os.Getwd()
	f.home, _ = os.UserHomeDir()
	return f
}

// plugins lists the plugin files there are, CPU and CUDA, each once, best first.
func (f *finder) plugins() []plugin {
	var all []plugin
	if path := f.env("GAZE_PJRT"); path != "" {
		p := plugin{path: path, origin: "named by $GAZE_PJRT", cuda: isCUDA(path)}
		if abs, err := filepath.Abs(path); err == nil {
			p.path = abs
		}
		p.version = versionNear(p.path)
		all = append(all, p)
	}
	for _, root := range f.clones() {
		all = append(all, f.inVenv(filepath.Join(root, ".venv"))...)
	}
	for _, dir := range f.libraryFolders() {
		all = append(all, inFolder(dir, "in go-xla's folder "+dir)...)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(p plugin) bool {
		again := seen[p.path]
		seen[p.path] = true
		return again
	})
}

// clones lists the folders that may be the clone this program belongs to.
func (f *finder) clones() []string {
	var roots []string
	if root := f.env("GAZE_ROOT"); root != "" {
		roots = append(roots, root)
	}
	if dir := filepath.Dir(f.executable); f.executable != "" && filepath.Base(dir) == "bin" {
		roots = append(roots, filepath.Dir(dir))
	}
	for dir := f.workdir; filepath.IsAbs(dir); dir = filepath.Dir(dir) {
		if isGaze(dir) {
			roots = append(roots, dir)
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return roots
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+gaze\s*$`)

// isGaze says whether dir holds Gaze's go.mod.
func isGaze(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && moduleLine.Match(text)
}

// inVenv lists the plugins that set-up placed in a clone's virtual environment.
func (f *finder) inVenv(venv string) []plugin {
	var all []plugin
	for _, w := range wheels {
		paths, _ := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages", w.file))
		for _, path := range paths {
			all = append(all, plugin{
				path: path, version: versionNear(path), cuda: w.cuda,
				origin: "set-up's wheel " + strings.ReplaceAll(w.dist, "_", "-"),
			})
		}
	}
	return append(all, inFolder(filepath.Join(venv, "lib", "go-xla"), "placed in the clone by go-xla's installer")...)
}

// libraryFolders are the places where go-xla's own tools put plugins.
func (f *finder) libraryFolders() []string {
	if list := f.env("PJRT_PLUGIN_LIBRARY_PATH"); list != "" {
		return slices.DeleteFunc(filepath.SplitList(list), func(dir string) bool { return !filepath.IsAbs(dir) })
	}
	var dirs []string
	if f.home != "" {
		user := filepath.Join(f.home, ".local", "lib", "go-xla")
		if f.goos == "darwin" {
			user = filepath.Join(f.home, "Library", "Application Support", "go-xla")
		}
		dirs = append(dirs, user, filepath.Join(user, "nvidia"))
	}
	return append(dirs, "/usr/local/lib/go-xla", "/usr/local/lib/go-xla/nvidia")
}

var pluginFile = regexp.MustCompile(`^pjrt(?:_c_api_|[-_]plugin[-_])([a-z]+)[-_]?(v[0-9.]+)?(?:_plugin)?\.(?:so|dylib)$`)

// inFolder lists the CPU and CUDA plugins of a folder by go-xla's naming, newest first.
func inFolder(dir, origin string) []plugin {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var all []plugin
	for _, e := range slices.Backward(entries) {
		m := pluginFile.FindStringSubmatch(e.Name())
		if m == nil || (m[1] != "cpu" && !isCUDA(m[1])) {
			continue
		}
		all = append(all, plugin{
			path: filepath.Join(dir, e.Name()), version: m[2], origin: origin, cuda: isCUDA(m[1]),
		})
	}
	return all
}

func isCUDA(s string) bool {
	s = strings.ToLower(s)
	return strings.Contains(s, "cuda") || strings.Contains(s, "nvidia")
}

// versionNear reads a wheel's version off the .dist-info folder of its package.
func versionNear(path string) string {
	for _, w := range wheels {
		site, ok := strings.CutSuffix(filepath.ToSlash(path), "/"+w.file)
		if !ok {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(filepath.FromSlash(site), w.dist+"-*.dist-info"))
		if len(found) > 0 {
			name := strings.TrimSuffix(filepath.Base(found[0]), ".dist-info")
			return strings.TrimPrefix(name, w.dist+"-")
		}
	}
	return ""
}

// check reads a plugin's header: is it a library for this kind of machine, and can
// this program load libraries at all? Loading a wrong file could end the process.
func (f *finder) check(path string) error {
	if withoutXLA != "" {
		return fmt.Errorf("%s", withoutXLA)
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("can't be read: %w", err)
	}
	switch f.goos {
	case "linux":
		lib, err := elf.Open(path)
		if err != nil {
			return fmt.Errorf("is not a Linux library: %w", err)
		}
		defer lib.Close()
		want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[f.goarch]
		if lib.Type != elf.ET_DYN || lib.Machine != want {
			return fmt.Errorf("is made for %v (%v), not for %s", lib.Machine, lib.Type, f.goarch)
		}
	case "darwin":
		lib, err := macho.Open(path)
		if err != nil {
			return fmt.Errorf("is not a macOS library: %w", err)
		}
		defer lib.Close()
		if want := map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64}[f.goarch]; lib.Cpu != want {
			return fmt.Errorf("is made for %v, not for %s", lib.Cpu, f.goarch)
		}
	}
	return nil
}

// hasNVIDIA says whether the machine shows a graphics card of NVIDIA's.
func hasNVIDIA() bool {
	found, _ := filepath.Glob("/dev/nvidia[0-9]*")
	_, err := os.Stat("/dev/dxg") // Windows' Linux subsystem shows it this way
	return len(found) > 0 || err == nil
}

// moduleVersion is the version of a module that this program was built with.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}
