// Package scripts tests what the shell scripts in tools make of the environment.
package scripts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// clone is a folder with copies of the scripts and stand-ins for the programs that they
// end in, which print their arguments and what else is asked for.
func clone(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the scripts are for Unix")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"setup.sh", "env.sh", "with-env.sh", "serve.sh", "kernel.sh", "kernel/go"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "tools", name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, "tools", name), string(text))
	}
	put(t, filepath.Join(dir, ".venv", "bin", "jupyter"), "#!/bin/sh\necho \"jupyter $* token=$JUPYTER_TOKEN left=${GAZE_TOKEN:-none}\"\n")
	put(t, filepath.Join(dir, "bin", "gonb"), "#!/bin/sh\necho \"gonb $* start=${GAZE_START:-none} go=$GAZE_GO\"\n")
	return dir
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// sh runs a script with variables added to the environment, without those of the user's
// own, and returns all that it prints, and whether it succeeded.
func sh(t *testing.T, script string, args []string, env ...string) (text string, ok bool) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{script}, args...)...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "GAZE_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err == nil
}

// TestSetup: nonsense ends set-up before it does anything; what makes sense gets past
// that, here to a machine without Go.
func TestSetup(t *testing.T) {
	dir := clone(t)
	tools := t.TempDir()
	for _, name := range []string{"sh", "dirname", "tr", "printf"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	const further = "Go isn't on the PATH"
	for _, test := range []struct{ name, value, says string }{
		{"GAZE_PLUGIN", "", further},
		{"GAZE_PLUGIN", "none", further},
		{"GAZE_PLUGIN", "installer", further},
		{"GAZE_PLUGIN", "wheel installer", further},
		{"GAZE_PLUGIN", "wheels", "GAZE_PLUGIN is 'wheels'"},
		{"GAZE_PLUGIN", "wheel,installer", "GAZE_PLUGIN is"},
		{"GAZE_SKIP_BUILD", "1", further},
		{"GAZE_SKIP_BUILD", "Off", further},
		{"GAZE_SKIP_BUILD", "perhaps", "GAZE_SKIP_BUILD is 'perhaps'"},
	} {
		text, ok := sh(t, filepath.Join(dir, "tools", "setup.sh"), nil, "PATH="+tools, test.name+"="+test.value)
		if ok || !strings.Contains(text, test.says) {
			t.Errorf("%s=%q: %s", test.name, test.value, text)
		}
		if _, err := os.Stat(filepath.Join(dir, ".venv", "gaze")); err == nil {
			t.Fatal("set-up began")
		}
	}
}

func TestServe(t *testing.T) {
	dir := clone(t)
	const token = "0123456789abcdef"
	for _, test := range []struct {
		env  []string
		ok   bool
		says string
	}{
		{nil, false, "set GAZE_TOKEN"},
		{[]string{"GAZE_TOKEN=short"}, false, "16 characters"},
		{[]string{"GAZE_TOKEN=" + token}, true, "--ip=0.0.0.0 --port=8888"},
		{[]string{"GAZE_TOKEN=" + token}, true, "token=" + token + " left=none"},
		{[]string{"GAZE_TOKEN=" + token, "GAZE_SERVE_IP=127.0.0.1", "GAZE_SERVE_PORT=80"}, true, "--ip=127.0.0.1 --port=80"},
		{[]string{"GAZE_TOKEN=" + token, "GAZE_SERVE_PORT=http"}, false, "GAZE_SERVE_PORT is 'http'"},
		{[]string{"GAZE_TOKEN=" + token, "GAZE_SERVE_PORT=0"}, false, "GAZE_SERVE_PORT is '0'"},
		{[]string{"GAZE_TOKEN=" + token, "GAZE_SERVE_PORT=70000"}, false, "GAZE_SERVE_PORT is '70000'"},
		{[]string{"GAZE_TOKEN=" + token, "GAZE_SERVE_PORT=88888888888888888888"}, false, "GAZE_SERVE_PORT is"},
	} {
		text, ok := sh(t, filepath.Join(dir, "tools", "serve.sh"), nil, test.env...)
		if ok != test.ok || !strings.Contains(text, test.says) {
			t.Errorf("%q: %v, %s", test.env, ok, text)
		}
	}
}

// TestKernel: cells know where the user started, by make or from Jupyter.
func TestKernel(t *testing.T) {
	dir := clone(t)
	for _, test := range []struct {
		env  []string
		says string
	}{
		{nil, "start=none"},
		{[]string{"GAZE_JUPYTER_FOLDER=/home/u"}, "start=/home/u "},
		{[]string{"GAZE_JUPYTER_FOLDER=${PWD}"}, "start=none"}, // Jupyter didn't fill it in
		{[]string{"GAZE_JUPYTER_FOLDER=/home/u", "GAZE_START=/work here"}, "start=/work here "},
		{nil, "gonb -go_work=" + dir + " --kernel connection.json"},
	} {
		text, ok := sh(t, filepath.Join(dir, "tools", "kernel.sh"), []string{"connection.json"}, test.env...)
		if !ok || !strings.Contains(text, test.says) {
			t.Errorf("%q: %v, %s", test.env, ok, text)
		}
	}
}

// TestKernelsGo: the stand-in for go passes on what it doesn't save.
func TestKernelsGo(t *testing.T) {
	dir := clone(t)
	put(t, filepath.Join(dir, "real-go"), "#!/bin/sh\necho \"go $* gc=${GOGC:-on}\"\n")
	for args, says := range map[string]string{"version": "go version gc=on", "build -o x": "go build -o x gc=off", "get": ""} {
		text, ok := sh(t, filepath.Join(dir, "tools", "kernel", "go"), strings.Fields(args), "GAZE_GO="+filepath.Join(dir, "real-go"))
		if strings.TrimSpace(text) != says || !ok {
			t.Errorf("go %s: %v, %q", args, ok, text)
		}
	}
}
