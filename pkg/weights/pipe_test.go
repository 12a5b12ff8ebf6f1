//go:build unix

package weights

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPipes opens named pipes that have no writer: as a file, as a shard, and as an
// external data file of an ONNX model. None may block.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o644); err != nil {
		t.Skip("no named pipes here:", err)
	}
	index, err := json.Marshal(map[string]any{"weight_map": map[string]string{"w": "pipe"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"model.index.json": index,
		"m.onnx":           onnxModel(outsideTensor(1, "location", "pipe")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"pipe", "model.index.json", "m.onnx"} {
		done := make(chan error, 1)
		go func() {
			_, err := Open(filepath.Join(dir, name))
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%s: a pipe is taken for a file", name)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: it waits for somebody to write to the pipe", name)
		}
	}
}
