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

// Host is a kind of server that files come from.
type Host uint8

// The hosts of the catalogue.
const (
	HuggingFace Host = iota // a model repository, at a revision
	GitHub                  // the assets of a release, at a tag
	PyPI                    // members of a wheel on the Python package index
	Shipped                 // shipped with the program
)

// String is the host's usual name.
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

// endpointVariables are the environment variables that override a host's address.
var endpointVariables = map[Host]string{HuggingFace: "HF_ENDPOINT", GitHub: "GAZE_GITHUB_ENDPOINT", PyPI: "PIP_INDEX_URL"}

// checkEndpoint reports an error if a host's environment variable isn't an address.
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

// endpoint is the base URL of a host, without a trailing slash. A value that
// [checkEndpoint] refuses is returned unchanged.
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

// pipConfigIndex is the index set in pip's configuration files, or "". As with pip, the
// user's file takes precedence over the machine's.
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
		f.Close() // it was only read, so an error doesn't matter
		if index != "" {
			return index
		}
	}
	return ""
}

// parsePipConfig returns index-url from the [global] section of a pip.conf.
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
