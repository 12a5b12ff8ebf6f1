//go:build !cgo || noxla || !((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package backend

// withoutXLA says why XLA is not compiled in; empty when it is.
const withoutXLA = "this program was built without XLA (it needs cgo, so a C compiler, and no noxla tag)"

func pjrtVersion(string) string { return "" }
