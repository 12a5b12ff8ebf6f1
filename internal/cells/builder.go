// Package cells makes cells of a notebook start fast. GoNB writes a cell as a program and
// builds it with the go command, whose linker takes most of a cell's time. Here, a host
// program has everything that cells may import; it is linked once. A cell is compiled to a
// small library, with nothing but its own code, and loaded into a host that has already
// started, as Go's plugins are (plugin, runtime/plugin.go). What a cell means stays Go's:
// the same compiler, a process of its own for each cell, which its first panic or os.Exit
// ends. Whatever doesn't fit (other packages, tests, cgo, another platform) is built by the
// go command as before.
package cells

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gaze/internal/trace"
)

// Builder builds the programs of cells.
type Builder struct {
	tools  *toolchain
	folder string
	wanted []string
	log    func(format string, args ...any)

	closed context.Context // ends the tools that run
	close  context.CancelFunc

	mu      sync.Mutex
	current *host
	build   *building // in progress, or nil
	failed  string    // the clone's sources that no host could be built from
	again   time.Time // when it's tried again even so
}

// building is a host that is being built.
type building struct {
	began time.Time
	done  chan struct{}
	host  *host
	err   error
}

// Options are the settings of a [Builder].
type Options struct {
	Root   string   // the clone
	Go     string   // the go command
	Env    []string // of cells: GOFLAGS and so on
	Folder string   // where hosts are kept
	Wanted []string // packages that cells may import, as patterns of the go command
	Log    func(format string, args ...any)
}

// NewBuilder returns a builder. It fails where cells can't be loaded into a host, and says
// why; the go command builds them then.
func NewBuilder(ctx context.Context, o Options) (*Builder, error) {
	tools, err := findToolchain(ctx, o.Root, o.Go, o.Env)
	if err != nil {
		return nil, err
	}
	b := &Builder{tools: tools, folder: o.Folder, wanted: o.Wanted, log: o.Log}
	b.closed, b.close = context.WithCancel(context.Background())
	return b, nil
}

// Close ends what builds a host, and removes what it has made so far.
func (b *Builder) Close() {
	b.close()
	b.mu.Lock()
	w := b.build
	b.mu.Unlock()
	if w != nil {
		<-w.done
	}
}

// Prepare builds the host if there's none for the present sources.
func (b *Builder) Prepare(ctx context.Context) error {
	_, err := b.wait(ctx, b.start())
	return err
}

// start begins to build a host unless one is being built.
func (b *Builder) start() *building {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.build != nil {
		return b.build
	}
	w := &building{began: time.Now(), done: make(chan struct{})}
	b.build = w
	go func() {
		sources := b.make(w)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.build = nil
		if w.err == nil {
			b.current = w.host
		} else {
			b.failed, b.again = sources, time.Now().Add(retryPause)
		}
		close(w.done)
	}()
	return w
}

// retryPause is after which time a host that couldn't be built is tried again.
const retryPause = 2 * time.Minute

// attempts is how often a build is begun anew because packages were edited during it.
const attempts = 3

// make builds and tries a host. It returns the sources that it began with.
func (b *Builder) make(w *building) (sources string) {
	for range attempts {
		sources = b.tools.sources()
		if w.host, w.err = b.tools.buildHost(b.closed, b.folder, b.wanted); !errors.Is(w.err, errStale) {
			break
		}
	}
	if w.err == nil {
		w.err = b.try(w.host)
	}
	if w.err != nil && b.closed.Err() == nil {
		b.log("cells are built by the go command: %v", w.err)
	}
	return sources
}

func (b *Builder) wait(ctx context.Context, w *building) (*host, error) {
	select {
	case <-w.done:
		return w.host, w.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// try builds and runs a small cell, so that a host that can't load cells is found out
// before a user's cell is. Each host is tried once.
func (b *Builder) try(h *host) error {
	tried := filepath.Join(h.Folder, "tried")
	if _, err := os.Stat(tried); err == nil {
		return nil
	}
	dir, err := makeWork(b.folder)
	if err != nil { // a host that someone else has built
		dir, err = os.MkdirTemp("", "gaze-cell-")
	}
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source := "package main\n\nimport \"fmt\"\n\nvar words = map[string][]int{\"cells\": {4, 2}}\n\nfunc main() { fmt.Println(\"ready for\", words) }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		return err
	}
	library := filepath.Join(dir, "try.so")
	if err := b.compileAndLink(b.closed, h, dir, library); err != nil {
		return fmt.Errorf("a first cell: %w", err)
	}
	ctx, cancel := context.WithTimeout(b.closed, 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, h.binary(), library).CombinedOutput()
	if err != nil || string(out) != "ready for map[cells:[4 2]]\n" {
		return fmt.Errorf("a first cell can't be loaded: %v: %s", err, firstLines(string(out), 3))
	}
	os.WriteFile(tried, nil, 0o644) // a folder that can't be written to is tried again
	return nil
}

// CompileError is what the compiler says about a cell, as "go build" prints it.
type CompileError struct{ Output string }

func (e *CompileError) Error() string { return e.Output }

// errUnfit says why a cell can't be loaded into a host.
var errUnfit = errors.New("the go command has to build this cell")

func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUnfit, fmt.Sprintf(format, args...))
}

// patience is how long after its beginning cells wait for a host that is being made: one that
// was built before is ready within a second, a new one is not.
const patience = 1500 * time.Millisecond

// Build compiles the program in dir, whose only file is main.go, to a library for the
// host. It returns the host's program. A [CompileError] is the cell's; after any other
// error the go command may still be able to build the cell.
func (b *Builder) Build(ctx context.Context, dir, library string) (program string, err error) {
	h, err := b.ready(ctx)
	if err != nil {
		return "", err
	}
	stale := make(chan bool, 1)
	go func() { stale <- h.Sources != fingerprint(h.Folders) }()
	err = b.compileAndLink(ctx, h, dir, library)
	if <-stale {
		b.forget(h)
		b.start()
		return "", unfit("packages have changed")
	}
	return h.binary(), err
}

// ready returns the current host. If the last one couldn't be built, for instance because
// a package had an error, another is begun as soon as the clone's sources have changed, or
// after a while: the disk may have been full.
func (b *Builder) ready(ctx context.Context) (*host, error) {
	b.mu.Lock()
	h, w, failed, again := b.current, b.build, b.failed, b.again
	b.mu.Unlock()
	if h != nil {
		return h, nil
	}
	if w == nil {
		if time.Now().Before(again) && failed == b.tools.sources() {
			return nil, unfit("there is no host")
		}
		w = b.start()
	}
	ctx, cancel := context.WithDeadline(ctx, w.began.Add(patience))
	defer cancel()
	return b.wait(ctx, w)
}

func (b *Builder) forget(h *host) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current == h {
		b.current = nil
	}
}

// entry is compiled together with a cell: the host calls Gaze_Main. It comes first, because
// stack traces don't know the name of a library's first function. The runtime's packages are
// imported so that the linker knows their versions.
const entry = `package main

import (
	_ "runtime"
	_ "runtime/cgo"
)

// Gaze_Main runs the cell.
func Gaze_Main() { main() }
`

// always are the symbols that the linker needs besides those of the code.
var always = []reference{
	{name: adder}, {name: "runtime.lastmoduledatap"}, {name: "type:runtime.moduledata"},
	{name: "runtime.unreachableMethod", abi: 1},
}

// packagePath is the path of a cell's package. A process has only one; its name is main.
const packagePath = "plugin/cell"

// compileAndLink makes a library of dir's main.go.
func (b *Builder) compileAndLink(ctx context.Context, h *host, dir, library string) error {
	imports, err := importsOf(filepath.Join(dir, "main.go"))
	if err != nil {
		return err
	}
	for _, path := range imports {
		if h.Exports[path] == "" && path != "unsafe" {
			return unfit("it imports %s", path)
		}
	}
	work, err := os.MkdirTemp(filepath.Dir(library), "linking-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	object, err := b.compile(ctx, h, dir, work)
	trace.Ended("compiled")
	if err != nil {
		return err
	}
	return b.linkCell(ctx, h, object, work, library)
}

// compile compiles main.go and returns the object's file.
func (b *Builder) compile(ctx context.Context, h *host, dir, work string) (string, error) {
	object, start := filepath.Join(work, "cell.a"), filepath.Join(work, "entry.go")
	if err := os.WriteFile(start, []byte(entry), 0o600); err != nil {
		return "", err
	}
	cmd := b.tools.command(ctx, b.tools.compile, "-p", packagePath, "-dynlink", "-shared", "-linkshared", "-dwarf=false", "-pack",
		"-complete", "-lang="+b.tools.language(), "-importcfg", h.compileCfg(), "-o", object, start, "./main.go")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return object, nil
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 && strings.Contains(string(out), "main.go:") {
		return "", &CompileError{"# " + filepath.Base(dir) + "\n" + string(out)}
	}
	return "", unfit("%v: %s", err, firstLines(string(out), 3))
}

// linkCell links an object to a library.
func (b *Builder) linkCell(ctx context.Context, h *host, object, work, library string) error {
	archive, err := os.ReadFile(object)
	if err != nil {
		return err
	}
	refs, err := references(archive)
	if err == nil {
		err = nameTypes(archive)
	}
	if err != nil {
		return unfit("%v", err)
	}
	if err := os.WriteFile(object, archive, 0o600); err != nil {
		return err
	}
	stubbed, missing := stub(h.symbols, slices.Concat(refs, always, h.hashes()))
	if len(missing) > 0 {
		return unfit("the host lacks %s", strings.Join(missing[:min(3, len(missing))], ", "))
	}
	trace.Ended("listed what it needs")
	if err := os.WriteFile(filepath.Join(work, stubFile), stubbed, 0o600); err != nil {
		return err
	}
	cfg, err := os.ReadFile(h.linkCfg())
	if err != nil {
		return err
	}
	config := filepath.Join(work, "importcfg.link")
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(string(cfg), h.Folder+"/"+stubFile, filepath.Join(work, stubFile))), 0o600); err != nil {
		return err
	}
	// The linker's last step, the C compiler, is left out: finish has to come before it.
	cmd := b.tools.command(ctx, b.tools.link, "-buildmode=plugin", "-linkshared", "-linkmode=external", "-importcfg", config,
		"-pluginpath", packagePath, "-s", "-w", "-tmpdir", work, "-extld", "true", "-o", library, object)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return unfit("go tool link: %v: %s", err, firstLines(string(out), 3))
	}
	trace.Ended("linked by Go's linker")
	linked := filepath.Join(work, "go.o")
	code, err := os.ReadFile(linked)
	if err != nil {
		return err
	}
	if err := finish(code, h.symbols); err != nil {
		return unfit("%v", err)
	}
	if err := os.WriteFile(linked, code, 0o600); err != nil {
		return err
	}
	cmd = b.tools.command(ctx, b.tools.ld, "-shared", "-z", "now", "-z", "relro", "-z", "nocopyreloc", "-s", "-o", library, linked)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return unfit("ld: %v: %s", err, firstLines(string(out), 3))
	}
	trace.Ended("linked by ld")
	return nil
}

// hashes are the symbols by which the runtime compares the versions of packages.
func (h *host) hashes() []reference {
	var all []reference
	for path := range h.Exports {
		if name := "go:link.pkghash." + path; h.symbols.has(name) {
			all = append(all, reference{name: name})
		}
	}
	return all
}

// importsOf returns what a program imports. What only the go command can build is an
// error.
func importsOf(path string) ([]string, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, unfit("%v", err)
	}
	// A variable in a group may be embedded, so //go:embed may be indented.
	for _, directive := range []string{"//go:embed", "\n//go:linkname ", "\n//go:build ", "\n//go:cgo_"} {
		if strings.Contains("\n"+string(source), directive) {
			return nil, unfit("it has %s", strings.TrimSpace(directive))
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
	if err != nil {
		return nil, unfit("%v", err)
	}
	var all []string
	for _, i := range file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, unfit("%v", err)
		}
		all = append(all, p)
	}
	return all, nil
}
