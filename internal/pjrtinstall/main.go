// Command pjrtinstall downloads go-xla's build of XLA's CPU plugin into a folder, with
// go-xla's installer. tools/setup.sh runs it on systems for which no Python wheel has the
// plugin, such as macOS. It neither loads nor tests the plugin.
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
	// go-xla's download cache would be in the home folder.
	const useCache = false
	if err := installer.CPUAutoInstall(os.Args[1], useCache, installer.Normal); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Fprintln(os.Stderr, "pjrtinstall:", reason)
		os.Exit(1)
	}
}
