package hub

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gaze/internal/xlaplugin"
)

// serveWheel adds a wheel with a plugin of the given content to the index.
func serveWheel(t *testing.T, w *world, project string, plugin []byte) xlaplugin.Wheel {
	t.Helper()
	p := xlaplugin.Package{Project: project, File: "some/folder/pjrt_c_api_cpu_plugin.so", License: "Apache-2.0"}
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for name, content := range map[string][]byte{p.File: plugin, "some/__init__.py": nil} {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	name := p.Dist() + "-1.2-py3-none-any.whl"
	w.files["/simple/"+project+"/"] = []byte(`<a href="../../files/` + name + `">` + name + `</a>`)
	w.files["/files/"+name] = file.Bytes()
	return xlaplugin.Wheel{
		Package: p, Version: "1.2", Name: name, Size: int64(file.Len()), SHA256: sumOf(file.Bytes()),
		PluginSize: int64(len(plugin)), PluginSHA256: sumOf(plugin),
	}
}

func TestXLAPlugin(t *testing.T) {
	w := newWorld(t)
	plugin := body(40_000)
	wheel := serveWheel(t, w, "some-plugin", plugin)
	for i := range 2 {
		r, err := xlaPlugin(t.Context(), []xlaplugin.Wheel{wheel}, w.options(nil))
		if err != nil {
			t.Fatal(err)
		}
		if r.Cached != (i == 1) || r.License != "Apache-2.0" || !strings.Contains(r.Source, wheel.Name) || r.Path != wheel.Path(os.Getenv("GAZE_CACHE")) {
			t.Errorf("%+v", r)
		}
		got, err := os.ReadFile(r.Path)
		if err != nil || !bytes.Equal(got, plugin) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		list, err := os.ReadDir(r.Dir)
		if err != nil || len(list) != 2 {
			t.Errorf("it leaves %v, %v", list, err)
		}
	}
	if n := w.count("/files/" + wheel.Name); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	// Damage that changes the length is found at once, other damage only by Verify.
	path := wheel.Path(os.Getenv("GAZE_CACHE"))
	damaged := bytes.Clone(plugin)
	damaged[3]++
	for _, content := range [][]byte{damaged, plugin[:7]} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		o := w.options(nil)
		o.Verify = true
		if r, err := xlaPlugin(t.Context(), []xlaplugin.Wheel{wheel}, o); err != nil || r.Cached {
			t.Errorf("%+v, %v", r, err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, plugin) {
			t.Error("the damage stays")
		}
	}
}

// TestXLAPluginSecondWheel: if the index lacks a wheel, the next one is used; a fetched
// plugin isn't replaced by another later.
func TestXLAPluginSecondWheel(t *testing.T) {
	w := newWorld(t)
	first, second := serveWheel(t, w, "first", body(900)), serveWheel(t, w, "second", body(800))
	page := w.files["/simple/first/"]
	delete(w.files, "/simple/first/")
	var log []string
	wheels := []xlaplugin.Wheel{first, second}
	r, err := xlaPlugin(t.Context(), wheels, w.options(&log))
	if err != nil || !strings.Contains(r.Source, "second") || !strings.Contains(strings.Join(log, "\n"), "first") {
		t.Fatalf("%+v, %v, %q", r, err, log)
	}
	if _, err := os.Stat(first.Dir(os.Getenv("GAZE_CACHE"))); err == nil {
		t.Error("an empty folder was left")
	}
	w.mu.Lock()
	w.files["/simple/first/"] = page
	w.mu.Unlock()
	if r, err := xlaPlugin(t.Context(), wheels, w.options(nil)); err != nil || !r.Cached || !strings.Contains(r.Source, "second") {
		t.Errorf("%+v, %v", r, err)
	}
	delete(w.files, "/simple/second/")
	t.Setenv("GAZE_CACHE", t.TempDir())
	delete(w.files, "/simple/first/")
	if _, err := xlaPlugin(t.Context(), wheels, w.options(nil)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "second") {
		t.Errorf("without any: %v", err)
	}
	if _, err := xlaPlugin(t.Context(), nil, w.options(nil)); err == nil || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("on a machine that no wheel is for: %v", err)
	}
}

// TestXLAPluginWrongContent: a wheel or plugin other than the pinned one is never put
// where backends look.
func TestXLAPluginWrongContent(t *testing.T) {
	for name, change := range map[string]func(w *world, wheel *xlaplugin.Wheel){
		"the wheel": func(w *world, wheel *xlaplugin.Wheel) {
			data := bytes.Clone(w.files["/files/"+wheel.Name])
			data[len(data)/2] ^= 1
			w.files["/files/"+wheel.Name] = data
		},
		"the plugin":      func(_ *world, wheel *xlaplugin.Wheel) { wheel.PluginSHA256 = sumOf(nil) },
		"a longer plugin": func(_ *world, wheel *xlaplugin.Wheel) { wheel.PluginSize-- },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			wheel := serveWheel(t, w, "some-plugin", body(5000))
			change(w, &wheel)
			if _, err := xlaPlugin(t.Context(), []xlaplugin.Wheel{wheel}, w.options(nil)); !errors.Is(err, ErrChecksum) {
				t.Errorf("%v", err)
			}
			if _, err := os.Stat(wheel.Path(os.Getenv("GAZE_CACHE"))); err == nil {
				t.Error("a plugin is there")
			}
		})
	}
}

// TestXLAPluginAtOnce: concurrent callers fetch it only once.
func TestXLAPluginAtOnce(t *testing.T) {
	w := newWorld(t)
	wheel := serveWheel(t, w, "some-plugin", body(300_000))
	var wait sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wait.Go(func() { _, errs[i] = xlaPlugin(t.Context(), []xlaplugin.Wheel{wheel}, w.options(nil)) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil || w.count("/files/"+wheel.Name) != 1 {
		t.Errorf("%v after %d downloads", err, w.count("/files/"+wheel.Name))
	}
}

// TestXLAPluginNowhere: a cache that can't be written gives an error that says so.
func TestXLAPluginNowhere(t *testing.T) {
	w := newWorld(t)
	wheel := serveWheel(t, w, "some-plugin", body(100))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, cache := range []string{file, "/proc/self"} {
		t.Setenv("GAZE_CACHE", cache)
		if _, err := xlaPlugin(t.Context(), []xlaplugin.Wheel{wheel}, w.options(nil)); err == nil || !strings.Contains(err.Error(), "GAZE_CACHE") {
			t.Errorf("%s: %v", cache, err)
		}
	}
}

// TestNonsenseEndpoints: a mistyped address is refused before any request.
func TestNonsenseEndpoints(t *testing.T) {
	for _, test := range []struct{ variable, checkpoint string }{
		{"HF_ENDPOINT", "dinov2-small"}, {"GAZE_GITHUB_ENDPOINT", "catr-v3"}, {"PIP_INDEX_URL", PhotosName},
	} {
		for _, at := range []string{"mirror.example", "example.org/simple", "ftp://example.org", "http://"} {
			newWorld(t)
			t.Setenv(test.variable, at)
			var log []string
			_, err := Pull(t.Context(), test.checkpoint, Options{Log: func(s string) { log = append(log, s) }})
			if err == nil || !strings.Contains(err.Error(), test.variable+" is") || len(log) > 0 {
				t.Errorf("%s=%s: %v, %q", test.variable, at, err, log)
			}
		}
	}
}
