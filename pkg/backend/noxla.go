//go:build !cgo && !noxla && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package backend

// withoutXLA says why XLA is not compiled in.
const withoutXLA = "this program was built without XLA, which needs cgo, so a C compiler"

// leftOut says whether that is on purpose, or can't be helped.
const leftOut = false

func pjrtVersion(string) string { return "" }
