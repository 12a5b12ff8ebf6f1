// Package xlaplugin knows where XLA's PJRT plugins come from and where they are
// installed: which Python wheels have them, with versions and checksums, and where they
// are in a clone's virtual environment and in the cache. It neither downloads nor loads
// them.
package xlaplugin

import (
	"path/filepath"
	"strings"
)

// Package is a Python package that contains a plugin.
type Package struct {
	Project string // its name in the package index
	File    string // the plugin's path in site-packages, with slashes
	License string // as the package states it
	CUDA    bool
}

// Packages lists the packages that Gaze knows, best first.
var Packages = []Package{
	{Project: "lammps-jax-pjrt-cpu", File: "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so", License: "Apache-2.0"},
	{Project: "fastatomstruct-xla-cpu", File: "fastatomstruct_xla_cpu/libpjrt_cpu.so", License: "Apache-2.0"},
	{Project: "xla-cpu-pjrt", File: "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so", License: "not stated by the package; XLA itself is Apache-2.0"},
	{Project: "jax-cuda13-pjrt", File: "jax_plugins/xla_cuda13/xla_cuda_plugin.so", CUDA: true},
	{Project: "jax-cuda12-pjrt", File: "jax_plugins/xla_cuda12/xla_cuda_plugin.so", CUDA: true},
}

// Dist returns the prefix of the package's .dist-info folder.
func (p Package) Dist() string { return strings.ReplaceAll(p.Project, "-", "_") }

// Wheel is a wheel of the package index with a plugin for one platform, pinned by its
// checksum. The versions and checksums are those of tools/plugins/xla-cpu*.txt, from
// which set-up installs; a test compares the two.
type Wheel struct {
	Package
	Version      string
	GOOS, GOARCH string
	Name         string // file name
	Size         int64
	SHA256       string
	PluginSize   int64
	PluginSHA256 string
}

var wheels = []Wheel{
	{
		Package: Packages[0], Version: "0.11.2", GOOS: "linux", GOARCH: "amd64",
		Name: "lammps_jax_pjrt_cpu-0.11.2-py3-none-manylinux_2_27_x86_64.whl",
		Size: 62711338, SHA256: "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
		PluginSize: 201600336, PluginSHA256: "ad1309ac822b1b24d51b7f9947c7c9fa9ef5d67f390584cbc3d1fa2428fed9c2",
	},
	{
		Package: Packages[1], Version: "2026.6.23", GOOS: "linux", GOARCH: "amd64",
		Name: "fastatomstruct_xla_cpu-2026.6.23-py3-none-manylinux_2_27_x86_64.whl",
		Size: 63200622, SHA256: "88b1c430b341b4bea40a37420311c9c75db6e22b46d2ff95b6986577bee6afe9",
		PluginSize: 273768800, PluginSHA256: "0a0fe56ca17be9efc7b942e89e534e5e0ad4a0f1e369b66d27b62184509015b9",
	},
	{
		Package: Packages[2], Version: "0.0.1", GOOS: "linux", GOARCH: "amd64",
		Name: "xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_x86_64.whl",
		Size: 63461052, SHA256: "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc",
		PluginSize: 259284552, PluginSHA256: "88c3f28c5900f48ad4a82cab9e79bba9537809743395e341485f8794268820dc",
	},
	{
		Package: Packages[2], Version: "0.0.1", GOOS: "linux", GOARCH: "arm64",
		Name: "xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_aarch64.whl",
		Size: 49514947, SHA256: "8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9",
		PluginSize: 200328224, PluginSHA256: "fcf411f3e8ff635c2b2cf87215aa7016f460e66d236c3db08309e7486583532d",
	},
}

// Wheels lists the wheels for a platform, best first. It is empty if none is known.
func Wheels(goos, goarch string) []Wheel {
	var fit []Wheel
	for _, w := range wheels {
		if w.GOOS == goos && w.GOARCH == goarch {
			fit = append(fit, w)
		}
	}
	return fit
}

// Dir returns the folder of the wheel's plugin in a cache. Its name has the version, so
// that programs with different pins don't interfere.
func (w Wheel) Dir(cache string) string {
	return filepath.Join(cache, folder, w.Project+"-"+w.Version)
}

// Base returns the plugin's file name.
func (w Wheel) Base() string { return w.File[strings.LastIndexByte(w.File, '/')+1:] }

// Path returns the path of the plugin in a cache.
func (w Wheel) Path(cache string) string { return filepath.Join(w.Dir(cache), w.Base()) }

// folder is the name of the folder of plugins in a cache.
const folder = "plugins"
