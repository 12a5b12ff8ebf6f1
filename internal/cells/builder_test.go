package cells

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// shared is a builder for all tests: its host takes seconds to build.
var shared = sync.OnceValues(func() (*Builder, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	env := append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -buildvcs=false")
	b, err := NewBuilder(context.Background(), Options{Root: root, Go: "go", Env: env, Folder: filepath.Join(root, ".venv", "gaze", "cells"), Wanted: Wanted, Log: func(string, ...any) {}})
	if err != nil {
		return nil, err
	}
	if err := b.Prepare(context.Background()); err != nil {
		panic(err)
	}
	return b, nil
})

func builder(t testing.TB) *Builder {
	if testing.Short() {
		t.Skip("links a host")
	}
	b, err := shared()
	if err != nil {
		t.Skipf("cells can't be loaded into a host here: %v", err)
	}
	return b
}

// built compiles a cell and returns a command that runs it.
func built(t testing.TB, b *Builder, source string) *exec.Cmd {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(dir, "cell.so")
	program, err := b.Build(context.Background(), dir, library)
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(program, library)
}

// The programs in testdata/cells print what they say at their ends.
func TestCellsMeanWhatGoMeans(t *testing.T) {
	b := builder(t)
	files, err := filepath.Glob("testdata/cells/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, want, found := strings.Cut(string(source), "// Output:\n")
			if !found {
				t.Fatal("no Output")
			}
			want = strings.ReplaceAll("\n"+want, "\n// ", "\n")[1:]
			out, err := built(t, b, string(source)).CombinedOutput()
			got := string(out)
			if i := strings.Index(got, "\n[signal "); i >= 0 {
				got = got[:i+1] // a stack trace follows
			}
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				got += exit.String() + "\n"
			}
			if trimmed(got) != trimmed(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// trimmed removes spaces at the ends of lines.
func trimmed(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBuildErrors(t *testing.T) {
	b := builder(t)
	for _, test := range []struct {
		name, source string
		compile      string // in the compiler's message; "" if the go command has to build it
	}{
		{"undefined", "package main\n\nfunc main() {\n\tfoo()\n}\n", "./main.go:4:2: undefined: foo"},
		{"two errors", "package main\n\nfunc main() {\n\tfoo()\n\tbar()\n}\n", "./main.go:5:2: undefined: bar"},
		{"type", "package main\n\nvar x int = \"a\"\n\nfunc main() {}\n", "./main.go:3:13: cannot use"},
		{"other package", "package main\n\nimport \"go/ast\"\n\nfunc main() { _ = ast.File{} }\n", ""},
		{"cgo", "package main\n\nimport \"C\"\n\nfunc main() {}\n", ""},
		{"embed", "package main\n\nimport _ \"embed\"\n\n//go:embed main.go\nvar s string\n\nfunc main() {}\n", ""},
		{"embed in a group", "package main\n\nimport _ \"embed\"\n\nvar (\n\t//go:embed\tmain.go\n\ts string\n)\n\nfunc main() {}\n", ""},
		{"linkname", "package main\n\nimport _ \"unsafe\"\n\n//go:linkname now time.now\nfunc now()\n\nfunc main() {}\n", ""},
		{"no body", "package main\n\nfunc other()\n\nfunc main() { other() }\n", "missing function body"},
		{"empty", "", ""},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "main.go"), test.source)
		_, err := b.Build(context.Background(), dir, filepath.Join(dir, "cell.so"))
		compile := (*CompileError)(nil)
		switch {
		case err == nil:
			t.Errorf("%s: it was built", test.name)
		case test.compile == "" && !errors.Is(err, errUnfit), test.compile != "" && (!errors.As(err, &compile) || !strings.Contains(compile.Output, test.compile)):
			t.Errorf("%s: %v", test.name, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
			t.Errorf("%s: it left %v", test.name, left)
		}
	}
}

// A stack trace names every function of the cell, also the first one and those that were
// copied into others.
func TestStackTraces(t *testing.T) {
	const source = `package main

import "fmt"

func copied(n int) { panic(fmt.Sprint("no ", n)) }

//go:noinline
func called(n int) { copied(n) }

func main() { called(3) }
`
	out, _ := built(t, builder(t), source).CombinedOutput()
	rest := string(out)
	for _, want := range []string{"panic: no 3", packagePath + ".copied(...)", "main.go:5", packagePath + ".called(", "main.go:8", packagePath + ".main(", "main.go:10"} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("no %s in\n%s", want, out)
		}
		rest = after
	}
}

// TestUnwanted: a cell that imports what isn't in the host is left to the go command.
func TestUnwanted(t *testing.T) {
	for path, want := range map[string]bool{"gaze/pkg/batch": true, "gaze/pkg/batch/store": true, "gaze/pkg/batches": false, "gaze/pkg/vit": false} {
		if isUnwanted(path) != want {
			t.Errorf("isUnwanted(%q) is %v", path, !want)
		}
	}
	b := builder(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	for path := range b.current.Exports {
		if strings.Contains(path, "parquet") || isUnwanted(path) {
			t.Errorf("%s is in the host", path)
		}
	}
}
