package cells

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// hostPackage is the program into which cells are loaded. Its file keep.go isn't in the
// clone: it depends on what cells may import.
const hostPackage = "internal/cells/host"

// host is a built host program with what is needed to build cells for it.
type host struct {
	Folder   string
	Exports  map[string]string   // package → archive with its export data
	Names    map[string]string   // package → its name
	Wanted   []string            // what cells may import
	Members  map[string][]string // what the wanted packages export, sorted
	Folders  []string            // folders with the clone's packages and what they embed; go.mod, go.sum
	Sources  string              // fingerprint of Folders
	Settings string              // Go's version and flags

	symbols *hostSymbols
}

// hostProgram says which host a process runs. A later host has the same path; a process that
// has waited since before runs the code of its own sources.
type hostProgram struct{ path, sources string }

func (h *host) program() hostProgram { return hostProgram{h.binary(), h.Sources} }

func (h *host) binary() string     { return filepath.Join(h.Folder, "host") }
func (h *host) compileCfg() string { return filepath.Join(h.Folder, "importcfg") }
func (h *host) linkCfg() string    { return filepath.Join(h.Folder, "importcfg.link") }

// listed is what "go list" says about a package.
type listed struct {
	ImportPath, Name, Dir, Export string
	Standard                      bool
	EmbedFiles                    []string
	Module                        *struct {
		Main bool
		Dir  string
	}
	Error *struct{ Err string }
}

// list runs "go list" for packages with their export data.
func (t *toolchain) list(ctx context.Context, args ...string) ([]listed, error) {
	cmd := t.command(ctx, t.goCommand, append([]string{"list", "-json=ImportPath,Name,Dir,Export,Standard,EmbedFiles,Module,Error"}, args...)...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, firstLines(problems.String(), 5))
	}
	var all []listed
	for d := json.NewDecoder(&out); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

// buildHost builds the host for cells that import any of the wanted packages, or finds the
// one that an earlier call built from the same sources. Hosts are kept in folder.
func (t *toolchain) buildHost(ctx context.Context, folder string, wanted []string) (*host, error) {
	settings := t.settings(wanted)
	prune(folder)
	if h, err := t.openHost(folder, settings); err == nil {
		return h, nil
	}
	began := time.Now()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	work, err := makeWork(folder)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)

	h := &host{Folder: filepath.Join(folder, hash(settings)[:16]), Settings: settings}
	if err := t.listHost(ctx, h, wanted); err != nil {
		return nil, err
	}
	var keep []byte
	if keep, h.Members, err = keepSource(h.Wanted, h.Exports); err != nil {
		return nil, err
	}
	overlay, err := t.overlay(work, keep)
	if err != nil {
		return nil, err
	}
	if err := t.linkHost(ctx, h, work, overlay); err != nil {
		return nil, fmt.Errorf("building the cells' host: %w", err)
	}
	// Times of files are coarser than the clock.
	if h.Sources != fingerprint(h.Folders) || changedSince(h.Folders, began.Add(-10*time.Millisecond)) {
		return nil, errStale
	}
	if other, err := t.openHost(folder, settings); err == nil {
		return other, nil // another kernel was faster, and uses it
	}
	return h, h.save(work)
}

// buildingName begins the names of folders in which hosts are built; the process's id follows.
const buildingName = "building-"

// makeWork makes a folder to build in, beside the hosts.
func makeWork(folder string) (string, error) {
	return os.MkdirTemp(folder, fmt.Sprintf("%s%d-", buildingName, os.Getpid()))
}

// abandoned reports whether a folder of this name, not written to for a while, belongs to
// a build that was killed.
func abandoned(name string, age time.Duration) bool {
	rest, ok := strings.CutPrefix(name, buildingName)
	if !ok || age < 10*time.Minute {
		return false
	}
	id, _, _ := strings.Cut(rest, "-")
	pid, err := strconv.Atoi(id)
	return err != nil || syscall.Kill(pid, 0) == syscall.ESRCH
}

// Hosts that are kept, and for how long: other kernels may be using them.
const (
	keepHosts = 3
	keepTime  = 24 * time.Hour
)

// prune removes hosts that haven't been used for long, and what an interrupted build left.
func prune(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	type old struct {
		path string
		time time.Time
	}
	var hosts []old
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() {
			continue
		}
		if abandoned(e.Name(), time.Since(info.ModTime())) {
			os.RemoveAll(filepath.Join(folder, e.Name()))
		} else if !strings.HasPrefix(e.Name(), buildingName) {
			hosts = append(hosts, old{filepath.Join(folder, e.Name()), info.ModTime()})
		}
	}
	slices.SortFunc(hosts, func(a, b old) int { return b.time.Compare(a.time) })
	for i, h := range hosts {
		if i >= keepHosts && time.Since(h.time) > keepTime {
			os.RemoveAll(h.path)
		}
	}
}

// linkHost links the host's program.
func (t *toolchain) linkHost(ctx context.Context, h *host, work, overlay string) error {
	all, err := t.list(ctx, "-export", "-deps", "-overlay="+overlay, "./"+hostPackage)
	if err != nil {
		return err
	}
	var config bytes.Buffer
	var program, keepArchive string
	for _, p := range all {
		switch {
		case p.Name == "main":
			program = p.Export
		case p.ImportPath == keepPackage:
			keepArchive = p.Export
		case p.Export != "":
			fmt.Fprintf(&config, "packagefile %s=%s\n", p.ImportPath, p.Export)
		}
	}
	archive, err := keepObject(keepArchive, h.Exports)
	if err != nil {
		return err
	}
	replaced := filepath.Join(work, "keep.a")
	fmt.Fprintf(&config, "packagefile %s=%s\n", keepPackage, replaced)
	path := filepath.Join(work, "host.importcfg")
	if err := errors.Join(os.WriteFile(replaced, archive, 0o600), os.WriteFile(path, config.Bytes(), 0o600)); err != nil {
		return err
	}
	cmd := t.command(ctx, t.link, "-importcfg", path, "-buildmode=exe", "-linkmode=external", "-extld", t.cc, "-checklinkname=0", "-s", "-w",
		"-o", filepath.Join(work, "host"), program)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go tool link: %w: %s", err, firstLines(string(out), 5))
	}
	return os.Remove(replaced)
}

// overlay writes keep.go and a file that places it beside the host's sources.
func (t *toolchain) overlay(work string, keep []byte) (string, error) {
	source := filepath.Join(work, "keep.go")
	if err := os.WriteFile(source, keep, 0o644); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(t.root, hostPackage, "keep.go"): source}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(work, "overlay.json")
	return path, os.WriteFile(path, replace, 0o644)
}

// listHost finds the archives of all packages that the host consists of.
func (t *toolchain) listHost(ctx context.Context, h *host, wanted []string) error {
	found, err := t.list(ctx, append([]string{"-e"}, wanted...)...)
	if err != nil {
		return err
	}
	for _, p := range found {
		if p.Error == nil && p.Name != "main" && p.Name != "" && !strings.Contains(p.ImportPath, "/internal/") && !isUnwanted(p.ImportPath) {
			h.Wanted = append(h.Wanted, p.ImportPath)
		}
	}
	all, err := t.list(ctx, append([]string{"-export", "-deps", "./" + hostPackage}, h.Wanted...)...)
	if err != nil {
		return err
	}
	h.Exports, h.Names = map[string]string{}, map[string]string{}
	for _, p := range all {
		if p.Error != nil {
			return fmt.Errorf("go list: %s: %s", p.ImportPath, p.Error.Err)
		}
		if p.Export != "" {
			h.Exports[p.ImportPath] = p.Export
			h.Names[p.ImportPath] = p.Name
		}
		if p.Module != nil && p.Module.Main {
			h.Folders = append(h.Folders, p.Dir)
			for _, file := range p.EmbedFiles {
				h.Folders = append(h.Folders, filepath.Dir(filepath.Join(p.Dir, file)))
			}
		}
	}
	// This package makes a part of the host.
	h.Folders = append(h.Folders, filepath.Join(t.root, "go.mod"), filepath.Join(t.root, "go.sum"), filepath.Join(t.root, "internal", "cells"))
	sort.Strings(h.Folders)
	h.Folders = slices.Compact(h.Folders)
	h.Sources = fingerprint(h.Folders)
	return nil
}

// save moves the host from the folder it was built in to its own.
func (h *host) save(work string) error {
	var compile, link bytes.Buffer
	stub := filepath.Join(h.Folder, stubFile)
	for _, p := range slices.Sorted(maps.Keys(h.Exports)) {
		fmt.Fprintf(&compile, "packagefile %s=%s\n", p, h.Exports[p])
		fmt.Fprintf(&link, "packageshlib %s=%s\n", p, stub)
	}
	description, err := json.Marshal(h)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"importcfg": compile.Bytes(), "importcfg.link": link.Bytes(), "host.json": description} {
		if err := os.WriteFile(filepath.Join(work, name), data, 0o644); err != nil {
			return err
		}
	}
	// The older one makes place at once; removing it takes longer.
	old := work + "-old"
	if err := os.Rename(h.Folder, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer os.RemoveAll(old)
	if err := os.Rename(work, h.Folder); err != nil {
		return err
	}
	h.symbols, err = readHost(h.binary())
	return err
}

// openHost opens a host that was built before, if its sources are still the same.
func (t *toolchain) openHost(folder, settings string) (*host, error) {
	data, err := os.ReadFile(filepath.Join(folder, hash(settings)[:16], "host.json"))
	if err != nil {
		return nil, err
	}
	h := &host{}
	if err := json.Unmarshal(data, h); err != nil {
		return nil, err
	}
	if h.Settings != settings || h.Sources != fingerprint(h.Folders) {
		return nil, errStale
	}
	for _, archive := range h.Exports {
		if _, err := os.Stat(archive); err != nil {
			return nil, err // the build cache was cleaned
		}
	}
	now := time.Now()
	os.Chtimes(h.Folder, now, now) // it is used
	h.symbols, err = readHost(h.binary())
	return h, err
}

var errStale = errors.New("its sources have changed")

// settings are what a host depends on besides its sources.
func (t *toolchain) settings(wanted []string) string {
	var b strings.Builder
	fmt.Fprintln(&b, "2", t.version, t.root)
	for _, name := range []string{"GOFLAGS", "GOEXPERIMENT", "GOAMD64", "CC", "CGO_CFLAGS", "CGO_LDFLAGS", "GOMODCACHE"} {
		fmt.Fprintln(&b, name, value(t.env, name))
	}
	fmt.Fprintln(&b, wanted)
	return b.String()
}

// fingerprint identifies the present contents of folders, and of single files, by their
// files' names, sizes and times.
func fingerprint(folders []string) string {
	h := sha256.New()
	eachSource(folders, func(path string, info fs.FileInfo, err error) {
		if err != nil {
			fmt.Fprintln(h, path, err)
			return
		}
		fmt.Fprintln(h, path, info.Size(), info.ModTime().UnixNano())
	})
	return hex.EncodeToString(h.Sum(nil))
}

// changedSince reports whether a file was written after a time.
func changedSince(folders []string, begin time.Time) bool {
	changed := false
	eachSource(folders, func(_ string, info fs.FileInfo, err error) {
		changed = changed || err == nil && !info.ModTime().Before(begin) && !info.ModTime().After(time.Now())
	})
	return changed
}

// eachSource calls f with the files in folders, except for tests and hidden files.
func eachSource(folders []string, f func(path string, info fs.FileInfo, err error)) {
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			f(folder, info, err)
			continue
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			f(folder, nil, err)
		}
		for _, e := range entries {
			path := filepath.Join(folder, e.Name())
			if e.IsDir() || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				f(path, info, nil)
			}
		}
	}
}

// sources identifies the present contents of all of the clone's packages, which needs no go
// command, so that it also works while some have errors.
func (t *toolchain) sources() string {
	folders := []string{filepath.Join(t.root, "go.mod"), filepath.Join(t.root, "go.sum")}
	for _, top := range []string{"pkg", "internal"} {
		filepath.WalkDir(filepath.Join(t.root, top), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
	}
	return fingerprint(folders)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// value returns a variable of an environment; the last one counts.
func value(env []string, name string) string {
	for _, v := range slices.Backward(env) {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			return rest
		}
	}
	return ""
}

func firstLines(s string, n int) string {
	lines := strings.SplitN(strings.TrimSpace(s), "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}
