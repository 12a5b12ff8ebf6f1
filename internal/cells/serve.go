package cells

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"gaze/internal/atomicfile"
	"gaze/internal/cells/client"
	"gaze/internal/kernel"
	"gaze/internal/trace"
)

// Runner does for GoNB what the go command, goimports and a cell's program would, and runs
// cells.
type Runner struct {
	kernel  kernel.Host
	builder *Builder // nil: the go command builds all cells
	self    string   // the program that acts as client
	realGo  string
	baseEnv []string
	cellEnv []string // of the last cell
	log     func(format string, args ...any)

	mu       sync.Mutex
	programs map[string]*program // by the path that GoNB asked for
	shown    map[string]bool     // display ids
	running  *process            // of the cell that is being run
	waiting  *process            // a host that waits for a cell, or nil
	used     []string            // what the last cell that used anything has used
}

// program is a cell that was built.
type program struct {
	library string      // for a host, or ""
	host    hostProgram // the host
	binary  string      // without a host
	rebuild []string    // the go command's arguments, if the library can't be loaded
	dir     string
	env     []string
}

// NewRunner registers what serves GoNB's requests at the kernel's socket. builder may be
// nil. self is the program to run in the place of cells, which calls [client.Main].
func NewRunner(k kernel.Host, builder *Builder, self, realGo string, env []string, log func(string, ...any)) *Runner {
	r := &Runner{kernel: k, builder: builder, self: self, realGo: realGo, baseEnv: env, log: log, programs: map[string]*program{}, shown: map[string]bool{}}
	k.Handle("go", r.serve(r.goCommand))
	k.Handle("goimports", r.serve(r.goImports))
	k.Handle("run", r.serve(r.run))
	k.Handle("detach", r.serve(r.detach))
	if builder != nil {
		builder.start()
	}
	return r
}

// serve answers one request.
func (r *Runner) serve(do func(client.Request, *kernel.Conn) client.Answer) func(json.RawMessage, *kernel.Conn) {
	return func(hello json.RawMessage, conn *kernel.Conn) {
		var request client.Request
		if err := json.Unmarshal(hello, &request); err != nil {
			return
		}
		line, err := json.Marshal(do(request, conn))
		if err == nil {
			conn.Write(append(line, '\n'))
		}
	}
}

// goCommand serves the go command as GoNB calls it.
func (r *Runner) goCommand(q client.Request, _ *kernel.Conn) client.Answer {
	trace.Ended("GoNB called go " + strings.Join(q.Args[:min(1, len(q.Args))], ""))
	switch {
	case len(q.Args) == 1 && q.Args[0] == "get":
		return client.Answer{} // cells never use the network
	case len(q.Args) >= 3 && q.Args[0] == "build" && q.Args[1] == "-o" && !strings.HasSuffix(q.Args[2], ".wasm"):
		return r.build(q)
	}
	return client.Answer{Real: true}
}

// build builds the program of a cell and puts the client in its place.
func (r *Runner) build(q client.Request) client.Answer {
	out := q.Args[2]
	r.mu.Lock()
	wait := r.waiting == nil
	r.mu.Unlock()
	if wait {
		go r.prepare()
	}
	p, answer := r.buildProgram(q)
	trace.Ended("built")
	if p == nil {
		return answer
	}
	if target, err := os.Readlink(out); err != nil || target != r.self {
		os.Remove(out)
		if err := os.Symlink(r.self, out); err != nil {
			return client.Answer{Code: 1, Output: err.Error() + "\n"}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.programs[out] = p
	return client.Answer{}
}

// buildProgram builds a cell for the host or, where that doesn't do, with the go command.
func (r *Runner) buildProgram(q client.Request) (*program, client.Answer) {
	p := &program{dir: q.Dir, env: q.Env, rebuild: q.Args}
	err := errUnfit
	if r.builder != nil && len(q.Args) == 3 && sameSettings(q.Env, r.builder.tools.env, isBuildSetting) {
		err = r.buildLibrary(p)
	}
	if e := (*CompileError)(nil); errors.As(err, &e) {
		return nil, client.Answer{Code: 1, Output: e.Output}
	}
	if err == nil {
		return p, client.Answer{}
	}
	r.log("building with the go command: %v", err)
	if code, output := r.buildBinary(p); code != 0 {
		return nil, client.Answer{Code: code, Output: output}
	}
	return p, client.Answer{}
}

// buildLibrary builds a cell for the host. Cells with the same text are built once.
func (r *Runner) buildLibrary(p *program) error {
	source, err := os.ReadFile(filepath.Join(p.dir, "main.go"))
	if err != nil {
		return unfit("%v", err)
	}
	if others, _ := filepath.Glob(filepath.Join(p.dir, "*.go")); len(others) != 1 {
		return unfit("it has %d files", len(others))
	}
	h, err := r.builder.ready(context.Background())
	if err != nil {
		return err
	}
	sum := sha256.Sum256(slices.Concat([]byte(h.Folder), []byte{0}, []byte(h.Sources), []byte{0}, source))
	folder := filepath.Join(r.kernel.Folder(), "cells")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	p.library, p.host = filepath.Join(folder, hex.EncodeToString(sum[:12])+".so"), h.program()
	if _, err := os.Stat(p.library); err == nil && h.Sources == fingerprint(h.Folders) {
		return nil
	}
	built := p.library + ".new"
	if _, err := r.builder.Build(context.Background(), p.dir, built); err != nil {
		p.library = ""
		return err
	}
	return os.Rename(built, p.library)
}

// buildBinary builds a cell with the go command.
func (r *Runner) buildBinary(p *program) (code int, output string) {
	p.library, p.binary = "", p.rebuild[2]+"_program"
	cmd := exec.Command(r.realGo, slices.Concat([]string{"build", "-o", p.binary}, p.rebuild[3:])...)
	cmd.Dir, cmd.Env = p.dir, append(slices.Clone(p.env), "GOGC=off")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return 0, ""
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(1, exit.ExitCode()), string(out)
	}
	return 1, string(out) + err.Error() + "\n"
}

// goImports serves goimports as GoNB calls it.
func (r *Runner) goImports(q client.Request, _ *kernel.Conn) client.Answer {
	trace.Ended("GoNB called goimports")
	defer trace.Ended("found the imports")
	if len(q.Args) != 2 || q.Args[0] != "-w" || r.builder == nil {
		return client.Answer{Real: true}
	}
	h, err := r.builder.ready(context.Background())
	if err != nil {
		return client.Answer{Real: true}
	}
	source, err := os.ReadFile(q.Args[1])
	if err != nil {
		return client.Answer{Real: true}
	}
	fixed, ok := h.fixImports(source)
	if !ok {
		return client.Answer{Real: true}
	}
	if bytes.Equal(source, fixed) {
		return client.Answer{}
	}
	if err := atomicfile.WriteBytes(q.Args[1], fixed); err != nil {
		return client.Answer{Code: 1, Output: fmt.Sprintln(err)}
	}
	return client.Answer{}
}

// isBuildSetting reports whether a variable changes what the go command builds.
func isBuildSetting(name string) bool {
	return strings.HasPrefix(name, "GO") && !strings.HasPrefix(name, "GONB_") && name != "GOGC" && name != "GOMEMLIMIT" && name != "GOMLX_BACKEND" || strings.HasPrefix(name, "CGO_") || name == "CC"
}

// sameSettings reports whether two environments agree on the variables that count.
func sameSettings(a, b []string, counts func(name string) bool) bool {
	settings := func(env []string) []string {
		var all []string
		for _, v := range env {
			if name, _, ok := strings.Cut(v, "="); ok && counts(name) {
				all = append(all, name+"="+value(env, name))
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	return slices.Equal(settings(a), settings(b))
}
