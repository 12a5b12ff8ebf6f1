package cells

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBuilder(t *testing.T) {
	root, _ := filepath.Abs("../..")
	b, err := NewBuilder(context.Background(), Options{Root: root, Go: "go", Env: os.Environ(), Folder: "/work/proto/hosts", Wanted: strings.Fields("./pkg/... fmt strings math flag"), Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := b.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Log("prepared", time.Since(start))
	src, _ := os.ReadFile("/work/proto/cell/main.go")
	for i := range 5 {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, "main.go"), []byte(strings.ReplaceAll(string(src), "\"global \"", "\"g"+strings.Repeat("x", i)+"\"")), 0o600)
		start := time.Now()
		prog, err := b.Build(context.Background(), dir, filepath.Join(dir, "cell.so"))
		if err != nil {
			t.Fatal(err)
		}
		built := time.Since(start)
		out, err := exec.Command(prog, filepath.Join(dir, "cell.so")).CombinedOutput()
		t.Logf("built %v ran %v %s %v", built, time.Since(start)-built, out, err)
	}
}
