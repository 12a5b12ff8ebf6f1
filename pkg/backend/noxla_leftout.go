//go:build noxla || !((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package backend

// withoutXLA says why XLA isn't compiled in.
const withoutXLA = "this program was built without XLA: with the tag noxla, or for a machine that go-xla doesn't support even with cgo"

// leftOut says whether XLA was left out on purpose or doesn't run on this kind of machine.
const leftOut = true

func pjrtVersion(string) string { return "" }
