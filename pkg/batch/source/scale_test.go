package source

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// TestTenMillion lists ten million paths: it may take a minute and 256 MiB.
func TestTenMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute of processor time")
	}
	const n = 10_000_000
	at := filepath.Join(t.TempDir(), "list.txt")
	f, err := os.Create(at)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range n {
		fmt.Fprintf(w, "/data/photos/%04d/photo-%08d.jpg\n", i/1000, i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	started, count := time.Now(), 0
	var most uint64
	for _, err := range List(context.Background(), []string{at}, Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if count++; count%500_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.Sys-m.HeapReleased)
		}
	}
	took := time.Since(started)
	t.Logf("%d paths in %v, %d MiB", count, took.Round(time.Millisecond), most>>20)
	if count != n || most > 256<<20 {
		t.Errorf("%d paths, %d MiB", count, most>>20)
	}
}
