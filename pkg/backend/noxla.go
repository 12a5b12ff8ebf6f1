//go:build !cgo && !noxla && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package backend

// withoutXLA says why XLA isn't compiled in.
const withoutXLA = "this program was built without XLA, which needs cgo, so a C compiler"

// leftOut says whether XLA was left out on purpose or doesn't run on this kind of machine.
const leftOut = false

func pjrtVersion(string) string { return "" }
