package cachedir

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDir(t *testing.T) {
	for _, test := range []struct{ gaze, xdg, home, want string }{
		{"/somewhere", "/x", "/h", "/somewhere"},
		{"", "/x", "/h", "/x/gaze"},
		{"", "relative", "/h", "/h"},
		{"", "", "/h", "/h"},
	} {
		t.Setenv("GAZE_CACHE", test.gaze)
		t.Setenv("XDG_CACHE_HOME", test.xdg)
		t.Setenv("HOME", test.home)
		got, err := Dir()
		if test.xdg == "relative" { // the system's own rule refuses it
			if err == nil || !strings.Contains(err.Error(), "GAZE_CACHE") {
				t.Errorf("%+v: %q, %v", test, got, err)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(got, test.want) {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
		if test.gaze == "" && filepath.Base(got) != "gaze" {
			t.Errorf("%+v: %q isn't Gaze's own folder", test, got)
		}
	}
}
