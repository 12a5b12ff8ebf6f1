package study

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// describeDevice adds the processor to a backend's description.
func describeDevice(backend string) string {
	name := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if model := processorName(string(text)); model != "" {
			name = model
		}
	}
	return backend + "; " + strconv.Itoa(runtime.GOMAXPROCS(0)) + " × " + name
}

// processorName is the first processor's name in the text of Linux' /proc/cpuinfo, "" if it
// isn't said.
func processorName(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
