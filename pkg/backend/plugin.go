package backend

import (
	"debug/elf"
	"debug/macho"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"gaze/internal/cachedir"
	"gaze/internal/environ"
	"gaze/internal/ownfile"
	"gaze/internal/xlaplugin"
)

// plugin is the file of a PJRT plugin that isn't loaded.
type plugin struct {
	path    string
	version string
	origin  string // where it comes from, in words
	cuda    bool
	broken  string // why it can't be used, if that is known without reading it
}

// finder looks for plugins. Its fields describe the machine, and tests replace them.
type finder struct {
	env        func(string) string
	executable string // path of this program
	workdir    string
	home       string
	cache      func() (string, error) // Gaze's cache folder; nil if there is none
	goos       string
	goarch     string
	gpu        func() bool
}

func newFinder() *finder {
	f := &finder{env: environ.Get, cache: cachedir.Dir, goos: runtime.GOOS, goarch: runtime.GOARCH, gpu: hasNVIDIA}
	f.executable, _ = os.Executable()
	if real, err := filepath.EvalSymlinks(f.executable); err == nil {
		f.executable = real
	}
	f.workdir, _ = os.Getwd()
	f.home, _ = os.UserHomeDir()
	return f
}

// plugins lists all plugins, for the CPU and for CUDA, each once and in order of preference.
func (f *finder) plugins() []plugin {
	var all []plugin
	if value := f.env(pluginEnv); value != "" {
		all = append(all, named(value))
	}
	all = append(all, f.pulled()...)
	for _, root := range f.clones() {
		all = append(all, f.inVenv(filepath.Join(root, ".venv"))...)
	}
	all = append(all, f.inOtherClones()...)
	for _, dir := range f.libraryFolders() {
		all = append(all, inFolder(dir, "in go-xla's folder "+dir)...)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(p plugin) bool {
		file := p.path
		if real, err := filepath.EvalSymlinks(file); err == nil {
			file = real
		}
		again := seen[file]
		seen[file] = true
		return again
	})
}

// pluginEnv is the environment variable with the path of a plugin.
const pluginEnv = "GAZE_PJRT"

// named is the plugin that this variable names.
func named(value string) plugin {
	path, err := environ.PathOf(pluginEnv, value)
	if err != nil {
		return plugin{path: value, origin: "named by $" + pluginEnv, broken: err.Error()}
	}
	return plugin{path: path, version: versionNear(path), origin: "named by $" + pluginEnv, cuda: isCUDA(path)}
}

// pulled lists the plugins that 'gaze pull xla-cpu' has downloaded into the cache, in the versions
// that this program knows.
func (f *finder) pulled() []plugin {
	cache := f.cacheDir()
	if cache == "" {
		return nil
	}
	var all []plugin
	for _, w := range xlaplugin.Wheels(f.goos, f.goarch) {
		p := plugin{path: w.Path(cache), version: w.Version, origin: "fetched by 'gaze pull xla-cpu'"}
		info, err := ownfile.Stat(p.path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			p.broken = err.Error()
		case info.Size() != w.PluginSize:
			p.broken = fmt.Sprintf("it has %d bytes instead of %d: 'gaze pull xla-cpu' fetches it again", info.Size(), w.PluginSize)
		}
		all = append(all, p)
	}
	return all
}

// cacheDir is Gaze's cache folder, or "" if it can't be found.
func (f *finder) cacheDir() string {
	if f.cache == nil {
		return ""
	}
	dir, err := f.cache()
	if err != nil {
		return ""
	}
	return dir
}

// inOtherClones lists the plugins in the clones that set-up noted in the cache: the preferred
// package first, and among equal packages that of the latest set-up.
func (f *finder) inOtherClones() []plugin {
	cache := f.cacheDir()
	if cache == "" {
		return nil
	}
	var all []plugin
	for _, root := range xlaplugin.Clones(cache) {
		for _, p := range f.inVenv(filepath.Join(root, ".venv")) {
			p.origin += ", in the clone " + root
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b plugin) int { return rank(a.path) - rank(b.path) })
	return all
}

// rank is the index of a plugin's wheel in [xlaplugin.Packages]; other plugins come last.
func rank(path string) int {
	for i, p := range xlaplugin.Packages {
		if strings.HasSuffix(filepath.ToSlash(path), "/"+p.File) {
			return i
		}
	}
	return len(xlaplugin.Packages)
}

// complaints are warnings about variables that have no effect.
func (f *finder) complaints() []string {
	var all []string
	if root := f.env("GAZE_ROOT"); root != "" && !xlaplugin.IsClone(root) {
		all = append(all, environ.Wrong("GAZE_ROOT", root, "there is no clone of Gaze").Error())
	}
	if f.cache != nil && f.env(cachedir.Env) != "" {
		if _, err := f.cache(); err != nil {
			all = append(all, err.Error()+"; what XLA compiles isn't kept")
		}
	}
	if path := f.env(pluginEnv); path != "" && isCUDA(path) && f.env(compute.ConfigEnvVar) == "" {
		all = append(all, environ.Wrong(pluginEnv, path, "a plugin for CUDA is used only with "+compute.ConfigEnvVar+"=xla:cuda").Error())
	}
	return all
}

// clones lists the folders that may be the clone that this program belongs to.
func (f *finder) clones() []string {
	var roots []string
	if root := f.env("GAZE_ROOT"); root != "" {
		roots = append(roots, root)
	}
	if dir := filepath.Dir(f.executable); f.executable != "" && filepath.Base(dir) == "bin" {
		roots = append(roots, filepath.Dir(dir))
	}
	for dir := f.workdir; filepath.IsAbs(dir); dir = filepath.Dir(dir) {
		if xlaplugin.IsClone(dir) {
			roots = append(roots, dir)
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return roots
}

// inVenv lists the plugins that set-up installed in a clone's virtual environment.
func (f *finder) inVenv(venv string) []plugin {
	var all []plugin
	for _, p := range xlaplugin.Packages {
		paths, _ := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages", filepath.FromSlash(p.File)))
		for _, path := range paths {
			all = append(all, plugin{path: path, version: versionNear(path), cuda: p.CUDA, origin: "set-up's wheel " + p.Project})
		}
	}
	return append(all, inFolder(filepath.Join(venv, "lib", "go-xla"), "placed in the clone by go-xla's installer")...)
}

// libraryFolders are the folders into which go-xla's own tools install plugins.
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

// inFolder lists a folder's plugins that are named as go-xla names them, the newest first.
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

// isCUDA says whether a plugin is for CUDA, by the name of its file. Names of folders don't count.
func isCUDA(path string) bool {
	s := strings.ToLower(filepath.Base(path))
	return strings.Contains(s, "cuda") || strings.Contains(s, "nvidia")
}

// versionNear is a wheel's version, from the .dist-info folder of its package.
func versionNear(path string) string {
	for _, p := range xlaplugin.Packages {
		site, ok := strings.CutSuffix(filepath.ToSlash(path), "/"+p.File)
		if !ok {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(filepath.FromSlash(site), p.Dist()+"-*.dist-info"))
		if len(found) > 0 {
			name := strings.TrimSuffix(filepath.Base(found[0]), ".dist-info")
			return strings.TrimPrefix(name, p.Dist()+"-")
		}
	}
	return ""
}

// usable returns an error if it is clear without loading the plugin that it can't be used.
func (f *finder) usable(p plugin) error {
	if p.broken != "" {
		return errors.New(p.broken)
	}
	return f.check(p.path)
}

// check returns an error if a file isn't a library for this kind of machine, or if this program
// can't load libraries. Loading a wrong file could end the process.
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

// hasNVIDIA says whether the machine has an NVIDIA GPU.
func hasNVIDIA() bool {
	found, _ := filepath.Glob("/dev/nvidia[0-9]*")
	_, err := os.Stat("/dev/dxg") // GPUs in the Windows Subsystem for Linux
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
