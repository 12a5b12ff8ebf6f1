//go:build xlaonly

package backend

// withoutGo says why the Go backend isn't compiled in: it would be a third of what a notebook's
// cell links.
const withoutGo = "this program was built without GoMLX's Go backend, as notebooks' cells are where there is a plugin for XLA; start the notebook's kernel with GOMLX_BACKEND=go, or build without the tag xlaonly"
