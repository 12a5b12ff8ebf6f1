package cells

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// archiveOf compiles a package as cells are compiled.
func archiveOf(t testing.TB, source string) []byte {
	b := builder(t)
	h, err := b.ready(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	object, err := b.compile(context.Background(), h, dir, dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSymbolsOfAnObject(t *testing.T) {
	archive := archiveOf(t, "package main\n\nimport \"os\"\n\nvar total int\n\nfunc main() { total++; os.Getenv(\"X\"); os.Stdout.Close() }\n")
	refs, err := references(archive)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []reference{{name: "os.Getenv", abi: 1}, {name: "os.Stdout"}} {
		if !slices.ContainsFunc(refs, func(r reference) bool { return r.name == want.name && r.abi == want.abi }) {
			t.Errorf("no reference to %s", want.name)
		}
	}
	defined, err := definitions(archive)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{packagePath + ".main", packagePath + ".total", packagePath + ".Gaze_Main"} {
		if !slices.ContainsFunc(defined, func(r reference) bool { return r.name == want }) {
			t.Errorf("%s isn't defined: %v", want, defined)
		}
	}
}

func FuzzReferences(f *testing.F) {
	f.Add([]byte("!<arch>\n"))
	f.Add([]byte("!<arch>\n_go_.o          0           0     0     644     4         `\n\x00go1"))
	f.Add(slices.Concat([]byte("!<arch>\n_go_.o          0           0     0     644     200       `\n"), []byte(objectMagic), make([]byte, 200-len(objectMagic))))
	f.Fuzz(func(t *testing.T, data []byte) {
		references(data)
		definitions(data)
	})
}

func FuzzFinish(f *testing.F) {
	b := newELF()
	f.Add(b.bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		finish(data, &hostSymbols{})
	})
}
