//go:build cgo && !noxla && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package backend

import (
	"fmt"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// withoutXLA says why XLA isn't compiled in; empty if it is.
const withoutXLA = ""

// leftOut says whether XLA was left out on purpose or doesn't run on this kind of machine.
const leftOut = false

// go-xla downloads a plugin if it is asked for one by name and finds none. Nothing may be
// downloaded unless the user asks for it, so that is switched off.
func init() { xla.EnableAutoInstall(false) }

// pjrtVersion is the version of the PJRT interface of a loaded plugin.
func pjrtVersion(path string) string {
	plugin, err := pjrt.GetPlugin(path) // this returns the one that is loaded already
	if err != nil {
		return ""
	}
	major, minor := plugin.Version()
	return fmt.Sprintf("PJRT %d.%d", major, minor)
}
