package realdata

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// recorder is a testing.TB that records how a test ends.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper()          {}
func (r *recorder) Fatal(all ...any) { r.end("fatal: " + fmt.Sprint(all...)) }
func (r *recorder) Skipf(format string, all ...any) {
	r.end("skip: " + fmt.Sprintf(format, all...))
}
func (r *recorder) end(said string) {
	r.said = said
	runtime.Goexit()
}

// within runs f as a test.
func within(f func(t testing.TB)) string {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.said
}

func TestPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ value, elem, ends string }{
		{dir, "x", ""},
		{dir, "y", "skip"},
		{filepath.Join(dir, "none"), "x", "fatal"},
		{filepath.Join(dir, "x"), "x", "fatal"},
	} {
		t.Setenv("GAZE_SHARED_DATA", c.value)
		said := within(func(t testing.TB) { Path(t, c.elem) })
		if len(said) < len(c.ends) || said[:len(c.ends)] != c.ends || c.ends == "" && said != "" {
			t.Errorf("%+v: %q", c, said)
		}
	}
	t.Setenv("GAZE_SHARED_DATA", "")
	if dir, err := folder(); err != nil || filepath.Base(dir) != "data" {
		t.Errorf("%q, %v", dir, err)
	}
}

func TestAsked(t *testing.T) {
	for _, name := range []string{"GAZE_NETWORK_TESTS", "GAZE_FULL_SIZE", "GAZE_TEST_ALL"} {
		for value, want := range map[string]bool{"": false, "0": false, "off": false, "1": true, "on": true} {
			t.Setenv(name, value)
			if Asked(t, name) != want {
				t.Errorf("%s=%q isn't %v", name, value, want)
			}
		}
		t.Setenv(name, "perhaps")
		if within(func(t testing.TB) { Asked(t, name) }) == "" {
			t.Errorf("%s=perhaps passes", name)
		}
	}
}
