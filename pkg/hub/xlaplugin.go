package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"gaze/internal/filelock"
	"gaze/internal/xlaplugin"
)

// XLAPluginName is the catalogue name of XLA's CPU plugin.
const XLAPluginName = "xla-cpu"

// XLAPlugin fetches XLA's PJRT plugin for the CPU into the cache, where package backend
// looks for it, and returns its path. The plugin comes from a Python wheel (50 to 63 MB,
// 200 MB unpacked) on the package index; the wheel and the plugin in it are pinned by
// their SHA-256. There are wheels for Linux on amd64 and arm64; on other systems
// XLAPlugin returns an error. If the plugin is already there, it returns at once.
func XLAPlugin(ctx context.Context, o Options) (Result, error) {
	return xlaPlugin(ctx, xlaplugin.Wheels(runtime.GOOS, runtime.GOARCH), o)
}

// xlaPlugin fetches the first available wheel.
func xlaPlugin(ctx context.Context, wheels []xlaplugin.Wheel, o Options) (Result, error) {
	if len(wheels) == 0 {
		return Result{}, fmt.Errorf("hub: there is no wheel with XLA's plugin for %s on %s: 'make setup' in a clone of Gaze asks go-xla's installer for one",
			runtime.GOOS, runtime.GOARCH)
	}
	cache, err := CacheDir()
	if err != nil {
		return Result{}, err
	}
	if r, ok := pulledPlugin(cache, wheels, o.Verify); ok {
		return r, nil
	}
	release, err := filelock.Lock(ctx, filepath.Join(filepath.Dir(wheels[0].Dir(cache)), "."+XLAPluginName+".lock"), func() {
		o.log("%s: another process is fetching it, waiting", XLAPluginName)
	})
	if err != nil {
		return Result{}, fmt.Errorf("hub: making the cache folder (GAZE_CACHE sets another): %w", err)
	}
	defer release()
	if r, ok := pulledPlugin(cache, wheels, o.Verify); ok { // the other process fetched it
		return r, nil
	}
	var failed []error
	for _, w := range wheels {
		r, err := pullPlugin(ctx, w, w.Dir(cache), o)
		if err == nil {
			return r, nil
		}
		if !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrRefused) {
			return Result{}, err
		}
		o.log("%s: %v", XLAPluginName, err)
		failed = append(failed, err)
	}
	return Result{}, errors.Join(failed...)
}

// pulledPlugin finds the most preferred plugin that is completely in the cache.
func pulledPlugin(cache string, wheels []xlaplugin.Wheel, full bool) (Result, bool) {
	for _, w := range wheels {
		dir := w.Dir(cache)
		r, err := readRecord(dir)
		if err != nil || !r.has(w.Base()) || r.check(dir, full) != nil {
			continue
		}
		return Result{Record: r, Dir: dir, Path: w.Path(cache), Cached: true}, true
	}
	return Result{}, false
}

// pullPlugin extracts the plugin from its wheel into dir.
func pullPlugin(ctx context.Context, w xlaplugin.Wheel, dir string, o Options) (Result, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Result{}, fmt.Errorf("hub: making the cache folder (GAZE_CACHE sets another): %w", err)
	}
	file := wheel{project: w.Project, file: w.Name, size: w.Size, sha256: w.SHA256}
	path, from, err := file.fetch(ctx, dir, o)
	if err != nil {
		return Result{}, errors.Join(err, removeIfEmpty(dir))
	}
	o.log("%s: unpacking %s", XLAPluginName, w.Name)
	if err := extract(path, dir, []member{{name: w.File, as: w.Base(), size: w.PluginSize, sha256: w.PluginSHA256}}); err != nil {
		return Result{}, err
	}
	if err := os.Remove(path); err != nil {
		return Result{}, err
	}
	r := Record{
		Name: XLAPluginName, Source: "PyPI, the wheel " + w.Name, License: w.License,
		Page:  "https://pypi.org/project/" + w.Project + "/" + w.Version + "/",
		Files: []RecordFile{{Name: w.Base(), Size: w.PluginSize, SHA256: w.PluginSHA256, URL: from}},
	}
	return Result{Record: r, Dir: dir, Path: filepath.Join(dir, w.Base())}, r.write(dir)
}

// removeIfEmpty removes a folder if a failed download left it empty.
func removeIfEmpty(dir string) error {
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		return err
	}
	return os.Remove(dir)
}
