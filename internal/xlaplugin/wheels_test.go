package xlaplugin

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPins checks that the wheels are those that set-up installs.
func TestPins(t *testing.T) {
	var pinned, here []string
	lists, err := filepath.Glob(filepath.Join("..", "..", "tools", "plugins", "xla-cpu*.txt"))
	if err != nil || len(lists) != 3 {
		t.Fatal(lists, err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`(?m)^([a-z0-9-]+)==([^ ]+) `).FindSubmatch(text)
		if m == nil {
			t.Fatalf("%s pins nothing", list)
		}
		for _, sum := range regexp.MustCompile(`sha256:([0-9a-f]{64})`).FindAllSubmatch(text, -1) {
			pinned = append(pinned, string(m[1])+" "+string(m[2])+" "+string(sum[1]))
		}
	}
	for _, w := range wheels {
		here = append(here, w.Project+" "+w.Version+" "+w.SHA256)
		if !strings.HasPrefix(w.Name, w.Dist()+"-"+w.Version+"-py3-none-manylinux") || w.Size == 0 || w.PluginSize <= w.Size || len(w.PluginSHA256) != 64 {
			t.Errorf("%+v", w)
		}
	}
	slices.Sort(pinned)
	slices.Sort(here)
	if !slices.Equal(pinned, here) {
		t.Errorf("tools/plugins pins\n%s\nhere are\n%s", strings.Join(pinned, "\n"), strings.Join(here, "\n"))
	}
}

func TestWheels(t *testing.T) {
	for machine, want := range map[string]int{"linux/amd64": 3, "linux/arm64": 1, "darwin/arm64": 0, "windows/amd64": 0} {
		goos, goarch, _ := strings.Cut(machine, "/")
		if got := Wheels(goos, goarch); len(got) != want {
			t.Errorf("%s: %d wheels", machine, len(got))
		}
	}
	best := Wheels("linux", "amd64")[0]
	if got := filepath.ToSlash(best.Path("/c")); got != "/c/plugins/lammps-jax-pjrt-cpu-0.11.2/pjrt_c_api_cpu_plugin.so" {
		t.Errorf("its folder is %s", got)
	}
}
