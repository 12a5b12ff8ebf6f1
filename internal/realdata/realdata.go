// Package realdata finds the real weights and photographs that some tests run
// on and that can't be part of the project.
package realdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"gaze/internal/environ"
)

// Path returns the path of a file below the folder of real inputs, which is
// $GAZE_SHARED_DATA or ../shared/data beside the clone. A test whose file isn't
// there is skipped with a message that says so.
//
// A GAZE_SHARED_DATA that isn't a folder fails the test.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	dir, err := folder()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real inputs here (%s names their folder): %v", env, err)
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

// Asked says whether a variable that turns on a test, because it takes long or needs the
// network, is on. A value that is neither on nor off fails the test.
func Asked(t testing.TB, name string) bool {
	t.Helper()
	on, err := environ.Switch(name, false)
	if err != nil {
		t.Fatal(err)
	}
	return on
}
