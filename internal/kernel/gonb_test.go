package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTrouble(t *testing.T) {
	var log trouble
	for line := range strings.Lines(`W1201 05:50:41.079972   27549 kernel.go:340] \x1b[7;39;32m[dcaa3e12]\x1b[0m Could not parse
E1201 05:50:41.079785   27549 goexec.go:191] \x1b[7;39;32m[dcaa3e12]\x1b[0m
Program gopls is not installed.
I1201 05:50:41.080339   27549 main.go:222] [7;39;32m[dcaa3e12][0m kernel created
E1201 05:50:41.098215   27549 goexec.go:258] [7;39;32m[dcaa3e12][0m Failed to run go mod init gonb_dcaa3e12:
go: parsing $GOFLAGS: unknown flag -nosuchflag
F1201 05:50:41.098373   27549 main.go:231] [7;39;32m[dcaa3e12][0m Failed to create go executor: exit status 1
failed to run "go mod init gonb_dcaa3e12"
main.main
`) {
		log.add(strings.ReplaceAll(line, `\x1b`, "\x1b"))
	}
	if want := "Failed to run go mod init gonb_dcaa3e12: go: parsing $GOFLAGS: unknown flag -nosuchflag"; log.text != want {
		t.Errorf("%q", log.text)
	}
}

func TestPrivateFolderWithoutTMPDIR(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	folder, err := privateFolder()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if value := os.Getenv("TMPDIR"); value != "" {
		t.Errorf("programs still get %s", value)
	}
}
