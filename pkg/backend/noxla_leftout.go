//go:build noxla || !((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package backend

// withoutXLA says why XLA is not compiled in.
const withoutXLA = "this program was built without XLA: with the tag noxla, or for a machine that go-xla doesn't support even with cgo"

// leftOut says whether that is on purpose, or can't be helped.
const leftOut = true

func pjrtVersion(string) string { return "" }
