package execcache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIdentity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	library := filepath.Join(t.TempDir(), "lib.so")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(library, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	identity := func() Digest {
		t.Helper()
		d, err := Identity(dir, library)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	write("one")
	first := identity()
	if identity() != first {
		t.Error("the same file has another identity")
	}
	notes, err := filepath.Glob(filepath.Join(dir, "*.id"))
	if err != nil || len(notes) != 1 {
		t.Fatalf("notes %v, %v", notes, err)
	}
	// The note counts as long as the file is unchanged.
	text, err := os.ReadFile(notes[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	forged := lines[0] + "\n" + strings.Repeat("ab", len(first)) + "\n"
	for _, note := range []struct {
		text   string
		counts bool
	}{{forged, true}, {forged[:len(forged)-3], false}, {"", false}, {"x" + string(text), false}} {
		if err := os.WriteFile(notes[0], []byte(note.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := identity() != first; got != note.counts {
			t.Errorf("the note %q was used: %v", note.text, got)
		}
	}
	write("two") // as long as the first
	if identity() == first {
		t.Error("different files have the same identity")
	}
	if _, err := Identity(dir, filepath.Join(dir, "none")); err == nil {
		t.Error("a missing file has an identity")
	}
	if d, err := Identity(filepath.Join(library, "below"), library); err != nil || d != identity() {
		t.Errorf("without a folder to note it in: %v", err)
	}
}

const twoProcessors = "processor\t: 0\nvendor_id\t: Maker\nflags\t\t: fpu avx2\ncpu MHz\t\t: 2400.1\n\n" +
	"processor\t: 1\nvendor_id\t: Maker\nflags\t\t: fpu avx2\ncpu MHz\t\t: 1800.7\n\n"

func TestMachine(t *testing.T) {
	files := map[string]string{"/proc/cpuinfo": twoProcessors, "/flags": "--xla_a=1"}
	read := func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("not there")
	}
	plain, ok := machine([]string{"HOME=/h"}, read)
	if !ok || !strings.Contains(plain, "avx2") {
		t.Fatalf("%q, %v", plain, ok)
	}
	for name, change := range map[string]struct {
		environ []string
		file    string
		text    string
		same    bool
	}{
		"another clock":         {file: "/proc/cpuinfo", text: strings.ReplaceAll(twoProcessors, "2400.1", "2500.3"), same: true},
		"an unrelated variable": {environ: []string{"LANG=C"}, same: true},
		"other abilities":       {file: "/proc/cpuinfo", text: strings.ReplaceAll(twoProcessors, "avx2", "avx2 avx512f")},
		"processors of two kinds": {file: "/proc/cpuinfo",
			text: strings.Replace(twoProcessors, "avx2", "avx2 avx512f", 1)},
		"flags":        {environ: []string{"XLA_FLAGS=--xla_b=2"}},
		"a flags file": {environ: []string{"XLA_FLAGS=/flags"}},
		"a driver":     {file: "/proc/driver/nvidia/version", text: "1.2"},
	} {
		before, had := files[change.file]
		if change.file != "" {
			files[change.file] = change.text
		}
		got, ok := machine(change.environ, read)
		if !ok || (got == plain) != change.same {
			t.Errorf("%s: the same %v, %v", name, got == plain, ok)
		}
		if delete(files, change.file); had {
			files[change.file] = before
		}
	}
	a, _ := machine([]string{"XLA_FLAGS=/flags"}, read)
	files["/flags"] = "--xla_a=2"
	if b, _ := machine([]string{"XLA_FLAGS=/flags"}, read); a == b {
		t.Error("a flags file's content makes no difference")
	}
	for _, environ := range []string{"XLA_FLAGS=--xla_dump_to=/d", "XLA_FLAGS=/none"} {
		if got, ok := machine([]string{environ}, read); ok {
			t.Errorf("%s: %q", environ, got)
		}
	}
	delete(files, "/proc/cpuinfo")
	if _, ok := machine(nil, read); ok {
		t.Error("known without knowing the processor")
	}
}
