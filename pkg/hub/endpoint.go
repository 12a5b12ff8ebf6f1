package hub

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gaze/internal/environ"
	"gaze/internal/textfile"
)

// Host is a kind of place files come from.
type Host uint8

// The hosts of the catalogue.
const (
	HuggingFace Host = iota // a repository of models, at a revision
	GitHub                  // the assets of a release, at a tag
	PyPI                    // members of a wheel of the Python package index
	Shipped                 // comes with the program
)

// String names the host as a person knows it.
func (h Host) String() string {
	switch h {
	case HuggingFace:
		return "Hugging Face"
	case GitHub:
		return "GitHub"
	case PyPI:
		return "PyPI"
	case Shipped:
		return "Gaze itself"
	}
	return "unknown host"
}

// endpointVariables are the variables that name another address for a host.
var endpointVariables = map[Host]string{HuggingFace: "HF_ENDPOINT", GitHub: "GAZE_GITHUB_ENDPOINT", PyPI: "PIP_INDEX_URL"}

// checkEndpoint is an error if the variable that names a host's address holds none.
func checkEndpoint(h Host) error {
	name, ok := endpointVariables[h]
	if !ok {
		return nil
	}
	if _, err := environ.Endpoint(name, ""); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	return nil
}

// endpoint is the base URL of a host, without a slash at its end. What
// [checkEndpoint] refuses is given as it is.
func endpoint(h Host) string {
	base := ""
	switch h {
	case HuggingFace:
		base = envOr("HF_ENDPOINT", "https://huggingface.co")
	case GitHub:
		base = envOr("GAZE_GITHUB_ENDPOINT", "https://github.com")
	case PyPI:
		base = envOr("PIP_INDEX_URL", "")
		if base == "" {
			base = pipConfigIndex()
		}
		if base == "" {
			base = "https://pypi.org/simple"
		}
	}
	return strings.TrimRight(base, "/")
}

func envOr(name, fallback string) string {
	if v := environ.Get(name); v != "" {
		return v
	}
	return fallback
}

// pipConfigIndex is the index that pip's configuration files name, "" without
// one. As with pip, the user's file counts more than the machine's.
func pipConfigIndex() string {
	var files []string
	if f := os.Getenv("PIP_CONFIG_FILE"); f != "" {
		files = append(files, f)
	}
	if dir, err := os.UserConfigDir(); err == nil {
		files = append(files, filepath.Join(dir, "pip", "pip.conf"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".config", "pip", "pip.conf"), filepath.Join(home, ".pip", "pip.conf"))
	}
	files = append(files, "/etc/xdg/pip/pip.conf", "/etc/pip.conf")
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		index := parsePipConfig(f)
		f.Close() // only read: nothing to lose
		if index != "" {
			return index
		}
	}
	return ""
}

// parsePipConfig finds index-url in the [global] section of a pip.conf.
func parsePipConfig(r io.Reader) string {
	section, index := "", ""
	data, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return ""
	}
	text, err := textfile.Decode("", data)
	if err != nil {
		return ""
	}
	for _, line := range textfile.Lines(textfile.Newlines(string(text))) {
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = strings.TrimSpace(line[1 : len(line)-1])
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if key = strings.TrimSpace(key); ok && section == "global" && (key == "index-url" || key == "index_url") {
			index = strings.TrimSpace(value)
		}
	}
	return index
}
