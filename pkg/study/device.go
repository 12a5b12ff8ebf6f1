package study

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// folders is the folders in a path within a text.
var folders = regexp.MustCompile(`[^\s":]*/`)

// DescribeDevice adds the processor to a backend's description, from which it leaves out the
// folders of plugins: they say nothing to others.
func DescribeDevice(backend string) string {
	name := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if model := processorName(string(text)); model != "" {
			name = model
		}
	}
	return folders.ReplaceAllString(backend, "") + "; " + strconv.Itoa(runtime.GOMAXPROCS(0)) + " × " + name
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
