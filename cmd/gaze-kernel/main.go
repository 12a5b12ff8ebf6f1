// Command gaze-kernel is the kernel that Jupyter starts for Gaze's notebooks:
//
//	gaze-kernel -root CLONE -gonb PATH CONNECTION_FILE
//
// It starts GoNB, which turns cells into programs, and relays between it and Jupyter.
// tools/kernel.sh calls it with the environment that cells need.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gaze/internal/cells"
	"gaze/internal/cells/client"
	"gaze/internal/completion"
	"gaze/internal/kernel"
	"gaze/internal/trace"
	"gaze/internal/widgets"
)

// guardArgument makes this program the kernel's guard.
const guardArgument = "-guard"

// sessionVariable is where Jupyter's server puts the path of the notebook.
const sessionVariable = "JPY_SESSION_NAME"

func main() {
	client.Main() // if GoNB calls this program in the place of another
	if len(os.Args) == 2 && os.Args[1] == guardArgument {
		kernel.Guard(os.Stdin)
		return
	}
	root := flag.String("root", "", "the clone whose packages cells can import")
	gonb := flag.String("gonb", "", "the GoNB `program`")
	prepare := flag.Bool("prepare", false, "only build the program that cells are loaded into")
	warm := flag.Bool("warm", false, "only let gopls read all packages, whose cache it fills")
	flag.Parse()
	if *prepare && *root != "" {
		prepareCells(*root)
		return
	}
	if *warm && *root != "" {
		warmGopls(*root)
		return
	}
	if *root == "" || *gonb == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: gaze-kernel -root CLONE -gonb PATH CONNECTION_FILE")
		os.Exit(2)
	}
	k, err := kernel.New(kernel.Config{
		ConnectionFile: flag.Arg(0), Root: *root, GoNB: *gonb, Arguments: []string{"-go_work=" + *root},
		Guard: guardArgument, Log: os.Stderr,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "gaze-kernel:", err)
		os.Exit(1)
	}
	if err := trace.Check(); err != nil {
		log("no trace: %v", err)
	}
	builder, err := serveCells(k, *root)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gaze-kernel: cells are built by the go command:", err)
	}
	if builder != nil {
		defer builder.Close()
	}
	k.Comms = widgets.New(k, widgets.Options{State: flag.Arg(0) + ".widgets", Notebooks: savedNotebooks(*root, os.Getenv(sessionVariable))})
	completer := completion.New(completion.Options{Root: *root, Dir: k.Folder(), Go: os.Getenv(client.GoVariable)})
	defer completer.Close()
	k.Completer = answers{completer}
	hideGopls()
	k.Run()
}

// savedNotebooks are the files where a notebook's outputs may be: its own, and for the
// clone's notebooks that of tools/notebooks/export/contents.py, which keeps outputs out of
// what git sees.
func savedNotebooks(root, notebook string) []string {
	if notebook == "" {
		return nil
	}
	resolved := notebook
	if path, err := filepath.EvalSymlinks(notebook); err == nil {
		resolved = path
	}
	sum := sha256.Sum256([]byte(resolved))
	name := strings.TrimSuffix(filepath.Base(resolved), filepath.Ext(resolved)) + "-" + hex.EncodeToString(sum[:])[:12] + ".ipynb"
	return []string{notebook, filepath.Join(root, ".venv", "jupyter", "outputs", name)}
}

// answers turns the completer's answers into the kernel's.
type answers struct{ *completion.Completer }

func (a answers) Complete(code string, cursor int) (kernel.Completions, bool) {
	c, ok := a.Completer.Complete(code, cursor)
	return kernel.Completions(c), ok
}

func (a answers) Inspect(code string, cursor, detail int) (kernel.Inspection, bool) {
	i, ok := a.Completer.Inspect(code, cursor, detail)
	return kernel.Inspection(i), ok
}

// hideGopls takes gopls out of GoNB's sight, which would start one of its own: the kernel
// answers in its place. Only a folder that has nothing else leaves the PATH.
func hideGopls() {
	path, err := exec.LookPath("gopls")
	if err != nil {
		return
	}
	folder := filepath.Dir(path)
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		return
	}
	folders := slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(f string) bool { return f == folder })
	os.Setenv("PATH", strings.Join(folders, string(os.PathListSeparator)))
}

// serveCells makes GoNB ask the kernel where it would run the go command, goimports or a
// cell's program. The builder is nil if it can't build cells itself.
func serveCells(k *kernel.Kernel, root string) (*cells.Builder, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if small := filepath.Join(filepath.Dir(self), "gaze-cell"); executable(small) {
		self = small // it starts faster
	}
	realGo := os.Getenv(client.GoVariable)
	if realGo == "" {
		return nil, fmt.Errorf("%s isn't set", client.GoVariable)
	}
	goimports, err := exec.LookPath("goimports")
	if err != nil {
		return nil, err
	}
	tools := filepath.Join(k.Folder(), "tools")
	if err := os.Mkdir(tools, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"go", "goimports"} {
		if err := os.Symlink(self, filepath.Join(tools, name)); err != nil {
			return nil, err
		}
	}
	os.Setenv(client.GoImportsVariable, goimports)
	os.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	builder, err := newBuilder(root, append(os.Environ(), kernel.SocketVariable+"="+k.Socket()))
	cells.NewRunner(k, builder, self, realGo, os.Environ(), log)
	return builder, err
}

// newBuilder returns what builds cells with an environment, or nil and why the go command
// has to.
func newBuilder(root string, env []string) (*cells.Builder, error) {
	switch value := os.Getenv(cellsVariable); value {
	case "", "host":
	case "go":
		return nil, fmt.Errorf("%s is go", cellsVariable)
	default:
		return nil, fmt.Errorf("%s is '%s': it must be host or go", cellsVariable, value)
	}
	folder, err := hostFolder(root)
	if err != nil {
		return nil, err
	}
	return cells.NewBuilder(context.Background(), cells.Options{
		Root: root, Go: os.Getenv(client.GoVariable), Env: env, Folder: folder, Wanted: cells.Wanted, Log: log,
	})
}

// hostFolder is where hosts are kept: in the clone or, if that belongs to someone else, in the
// user's cache.
func hostFolder(root string) (string, error) {
	folder := filepath.Join(root, ".venv", "gaze", "cells")
	if err := os.MkdirAll(folder, 0o755); err == nil && writable(folder) {
		return folder, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%s can't be written, and %w", folder, err)
	}
	folder = filepath.Join(cache, "gaze", "cells")
	return folder, os.MkdirAll(folder, 0o755)
}

// writable reports whether files can be made in a folder.
func writable(folder string) bool {
	f, err := os.CreateTemp(folder, ".writable-")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}

// cellsVariable says how cells are built.
const cellsVariable = "GAZE_CELLS"

// prepareCells builds the program that cells are loaded into, so that a first cell doesn't
// wait for it. It's no failure if that can't be done here.
func prepareCells(root string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	builder, err := newBuilder(root, os.Environ())
	if err == nil {
		err = builder.Prepare(ctx)
		builder.Close()
	}
	if err != nil {
		log("cells will be built by the go command, which takes longer: %v", err)
	}
}

// warmGopls waits until gopls completes. Later it takes what it has computed from its cache.
func warmGopls(root string) {
	completer := completion.New(completion.Options{Root: root, Go: os.Getenv(client.GoVariable)})
	err := completer.Ready(context.Background())
	completer.Close()
	if err != nil {
		log("%v", err)
		os.Exit(1)
	}
}

func log(format string, args ...any) { fmt.Fprintf(os.Stderr, "gaze-kernel: "+format+"\n", args...) }

// executable reports whether a file can be run.
func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
