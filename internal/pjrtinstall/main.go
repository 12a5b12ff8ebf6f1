// Command pjrtinstall has go-xla fetch its own build of XLA's CPU plugin into a
// folder. Set-up runs it where no Python wheel carries one, as on macOS.
//
//	go run ./internal/pjrtinstall .venv/lib/go-xla
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/gomlx/go-xla/installer"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pjrtinstall FOLDER")
		os.Exit(2)
	}
	// Without its download cache, which would lie in the home folder.
	const useCache = false
	if err := installer.CPUAutoInstall(os.Args[1], useCache, installer.Normal); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Fprintln(os.Stderr, "pjrtinstall:", reason)
		os.Exit(1)
	}
}
