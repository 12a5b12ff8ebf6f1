package cells

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// toolchain is the Go installation and the linker that build cells.
type toolchain struct {
	goCommand     string
	compile, link string
	ld, cc        string
	version       string // "go1.26.8"
	root          string // the clone
	env           []string
}

// findToolchain asks the go command where its tools are. env is the environment of cells,
// with GOFLAGS.
func findToolchain(ctx context.Context, root, goCommand string, env []string) (*toolchain, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("cells are loaded into a running program on Linux with amd64 only")
	}
	t := &toolchain{goCommand: goCommand, root: root, env: env}
	cmd := t.command(ctx, goCommand, "env", "-json", "GOTOOLDIR", "GOVERSION", "CGO_ENABLED", "GOFLAGS", "CC")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var v struct{ GOTOOLDIR, GOVERSION, CGO_ENABLED, GOFLAGS, CC string }
	if err := json.Unmarshal(out, &v); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	if v.CGO_ENABLED != "1" {
		return nil, fmt.Errorf("cgo is off")
	}
	if !strings.Contains(v.GOFLAGS, "-linkshared") {
		return nil, fmt.Errorf("GOFLAGS has no -linkshared")
	}
	t.version = v.GOVERSION
	t.compile, t.link = filepath.Join(v.GOTOOLDIR, "compile"), filepath.Join(v.GOTOOLDIR, "link")
	for _, tool := range []string{t.compile, t.link} {
		if _, err := os.Stat(tool); err != nil {
			return nil, err
		}
	}
	t.cc = v.CC
	if t.ld, err = findLinker(ctx, v.CC); err != nil {
		return nil, err
	}
	return t, nil
}

// findLinker finds the C compiler's linker.
func findLinker(ctx context.Context, cc string) (string, error) {
	for _, compiler := range append(strings.Fields(cc)[:min(1, len(strings.Fields(cc)))], "cc") {
		out, err := exec.CommandContext(ctx, compiler, "-print-prog-name=ld").Output()
		if err != nil {
			continue
		}
		if path, err := exec.LookPath(strings.TrimSpace(string(out))); err == nil {
			return path, nil
		}
	}
	return exec.LookPath("ld")
}

// command prepares a tool. Tools run without garbage collection: they end in a moment. When
// ctx is done, a tool ends with all that it has started.
func (t *toolchain) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = t.root
	cmd.Env = append(append([]string{}, t.env...), "GOGC=off")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}

// language is the version of the language, "go1.26".
func (t *toolchain) language() string {
	parts := strings.SplitN(t.version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
