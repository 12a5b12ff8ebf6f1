//go:build cgo && !noxla && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package backend

import (
	"fmt"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// withoutXLA says why XLA is not compiled in; empty when it is.
const withoutXLA = ""

// leftOut says whether that is on purpose, or can't be helped.
const leftOut = false

// go-xla downloads a plugin when it is asked for one by name and finds none. No
// command of a user's may start a download it didn't ask for, so that is off.
func init() { xla.EnableAutoInstall(false) }

// pjrtVersion gives the version of the PJRT interface that a loaded plugin speaks.
func pjrtVersion(path string) string {
	plugin, err := pjrt.GetPlugin(path) // loaded already: go-xla keeps them by path
	if err != nil {
		return ""
	}
	major, minor := plugin.Version()
	return fmt.Sprintf("PJRT %d.%d", major, minor)
}
