package execcache

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// Machine describes what compiled code depends on besides the program and the compiler: the
// processors' model, features and number, XLA's environment variables, and the graphics driver.
// It returns false if that can't be found out, or if XLA is to write dumps, which it does only
// while it compiles.
func Machine() (string, bool) {
	return machine(os.Environ(), os.ReadFile)
}

func machine(environ []string, read func(string) ([]byte, error)) (string, bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, %d processors\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	info, err := read("/proc/cpuinfo")
	if err != nil {
		return "", false
	}
	b.WriteString(processors(string(info)))
	if driver, err := read("/proc/driver/nvidia/version"); err == nil {
		b.Write(driver)
	}
	slices.Sort(environ)
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "XLA_") && !strings.HasPrefix(name, "TF_XLA_") && name != "NVIDIA_TF32_OVERRIDE" {
			continue
		}
		if name == "XLA_FLAGS" && value != "" && !strings.HasPrefix(strings.TrimSpace(value), "-") {
			flags, err := read(value) // XLA reads flags from a file of this name
			if err != nil {
				return "", false
			}
			value += "\n" + string(flags)
		}
		if strings.Contains(value, "xla_dump") {
			return "", false
		}
		fmt.Fprintf(&b, "%s=%q\n", name, value)
	}
	return b.String(), true
}

// cpuFields are the lines of /proc/cpuinfo that say what a processor can do (x86, then ARM).
// Others change all the time, such as the clock.
var cpuFields = []string{
	"vendor_id", "cpu family", "model", "model name", "stepping", "flags",
	"CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features",
}

// processors describes each kind of processor in /proc/cpuinfo once.
func processors(info string) string {
	seen := map[string]bool{}
	for _, block := range strings.Split(info, "\n\n") {
		var kept strings.Builder
		for line := range strings.Lines(block) {
			if name, _, _ := strings.Cut(line, ":"); slices.Contains(cpuFields, strings.TrimSpace(name)) {
				kept.WriteString(strings.TrimSpace(line) + "\n")
			}
		}
		if kept.Len() > 0 {
			seen[kept.String()] = true
		}
	}
	kinds := make([]string, 0, len(seen))
	for k := range seen {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	return strings.Join(kinds, "")
}
