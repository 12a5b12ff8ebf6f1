// Package realdata finds the real weights and photographs that some tests use and that
// can't be committed. It knows the folder that holds them, and skips a test whose files
// are missing. It also reads the switches of tests that are off by default.
package realdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"gaze/internal/environ"
)

// Path returns the path of a file in the folder of real inputs: $GAZE_SHARED_DATA, or
// else ../shared/data beside the clone. If the file is missing, the test is skipped with a
// message that names it. If GAZE_SHARED_DATA isn't a folder, the test fails.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	dir, err := folder()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("real inputs are missing (set %s to their folder): %v", env, err)
	}
	return path
}

const env = "GAZE_SHARED_DATA"

func folder() (string, error) {
	if dir, err := environ.Folder(env); dir != "" || err != nil {
		return dir, err
	}
	_, here, _, _ := runtime.Caller(0) // <clone>/internal/realdata/realdata.go
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "data"), nil
}

// Asked reports whether a variable switches on a test that takes long or needs the
// network. The test fails if the value is neither on nor off.
func Asked(t testing.TB, name string) bool {
	t.Helper()
	on, err := environ.Switch(name, false)
	if err != nil {
		t.Fatal(err)
	}
	return on
}
