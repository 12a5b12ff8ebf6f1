package completion

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"gaze/internal/child"
)

// gopls is a running language server with documents of our own.
type gopls struct {
	*conn
	cmd *exec.Cmd
	ws  *workspace

	mu       sync.Mutex
	versions map[string]int
	texts    map[string]string
}

// startTimeout is how long gopls may take to load the packages for the first time.
const startTimeout = 5 * time.Minute

// niceness is gopls' priority. From 10 on, it takes too long to answer on a busy machine.
const niceness = 5

// startGopls starts gopls in a workspace. It is a process group of its own, so that an
// interrupt of the notebook's doesn't reach it and the go commands it runs end with it. It ends
// with this process: gopls doesn't always notice that its input has ended, as when the kernel
// is killed while it loads.
func startGopls(program, goCommand string, ws *workspace) (*gopls, error) {
	cmd := exec.Command(program, "serve")
	cmd.Dir = ws.dir
	cmd.Env = goplsEnv(os.Environ(), goCommand)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting gopls: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting gopls: %w", err)
	}
	if err := child.Start(cmd); err != nil {
		return nil, fmt.Errorf("starting gopls: %w", err)
	}
	// A cell that runs while gopls loads goes first. Where priorities can't be set it doesn't.
	_ = syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, niceness)
	return &gopls{conn: newConn(out, in), cmd: cmd, ws: ws, versions: map[string]int{}, texts: map[string]string{}}, nil
}

// goplsEnv is the environment of gopls: no workspace but its own, no downloads, one thread, and
// no cgo, for which it would run the C compiler when it loads packages: what cells can use of
// them is the same without. The kernel's PATH has a go command that serves GoNB; gopls gets the
// real one.
func goplsEnv(env []string, goCommand string) []string {
	path := os.Getenv("PATH")
	if filepath.IsAbs(goCommand) {
		path = filepath.Dir(goCommand) + string(os.PathListSeparator) + path
	}
	ours := []string{
		"PATH=" + path, "GOWORK=off", "GOPROXY=off", "CGO_ENABLED=0", "GOMAXPROCS=1", "GOMEMLIMIT=400MiB", "GOGC=100",
		// To Go's telemetry this is a child already, so it starts none, which would stay as long.
		"GO_TELEMETRY_CHILD=2",
	}
	env = slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.ContainsFunc(ours, func(o string) bool { return strings.HasPrefix(o, name+"=") })
	})
	return append(env, ours...)
}

// settings are gopls' settings: candidates and documentation, no diagnostics.
var settings = map[string]any{
	"deepCompletion":                 false, // a match is one name
	"experimentalPostfixCompletions": false,
	"completeFunctionCalls":          false,
	"diagnosticsTrigger":             "Save",
	"diagnosticsDelay":               "1h",
	"hoverKind":                      "FullDocumentation",
	"vulncheck":                      "Off",
	"matcher":                        "Fuzzy",
}

// initialize opens the workspace.
func (g *gopls) initialize(ctx context.Context) error {
	markdown := []string{"markdown", "plaintext"}
	params := map[string]any{
		"processId":        os.Getpid(),
		"rootUri":          uriOf(g.ws.dir),
		"workspaceFolders": []map[string]string{{"uri": uriOf(g.ws.dir), "name": "cells"}},
		"capabilities": map[string]any{
			"textDocument": map[string]any{
				"completion":    map[string]any{"completionItem": map[string]any{"snippetSupport": false}},
				"hover":         map[string]any{"contentFormat": markdown},
				"signatureHelp": map[string]any{"signatureInformation": map[string]any{"documentationFormat": markdown}},
			},
		},
		"initializationOptions": settings,
	}
	if err := g.call(ctx, "initialize", params, nil); err != nil {
		return err
	}
	return g.notify("initialized", struct{}{})
}

// set gives a document a text.
func (g *gopls) set(name, text string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old, ok := g.texts[name]; ok && old == text {
		return nil
	}
	g.versions[name]++
	g.texts[name] = text
	doc := lspDocument{URI: uriOf(g.ws.path(name)), Version: g.versions[name]}
	if doc.Version == 1 {
		doc.LanguageID, doc.Text = "go", text
		return g.notify("textDocument/didOpen", map[string]any{"textDocument": doc})
	}
	return g.notify("textDocument/didChange", map[string]any{
		"textDocument":   doc,
		"contentChanges": []map[string]string{{"text": text}},
	})
}

// changed tells gopls of files that changed on disk.
func (g *gopls) changed(events []fileEvent) error {
	if len(events) == 0 {
		return nil
	}
	return g.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": events})
}

// at is a place in the cell's document.
func (g *gopls) at(p lspPosition) lspPlace {
	return lspPlace{Document: lspDocument{URI: uriOf(g.ws.path(cellFile))}, Position: p}
}

// stopTimeout is how long gopls may take to say that it ends, and then to end.
const stopTimeout = 500 * time.Millisecond

// stop ends gopls and everything that it has started.
func (g *gopls) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if g.call(ctx, "shutdown", nil, nil) == nil {
		_ = g.notify("exit", nil)
	}
	timer := time.AfterFunc(stopTimeout, g.kill)
	g.close()
	_ = g.cmd.Wait()
	timer.Stop()
	g.kill() // what gopls has started
}

func (g *gopls) kill() { _ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) }

// uriOf is the URI of a file.
func uriOf(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// documentation is the text of a signature's documentation, which is a string or markdown.
func documentation(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var m struct{ Value string }
	_ = json.Unmarshal(raw, &m)
	return m.Value
}
