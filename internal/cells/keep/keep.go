// Package keep is linked into the host of notebooks' cells. Its object file is replaced by
// one whose variable refers to everything (gaze/internal/cells).
package keep

// All refers to every function and variable of the host's packages.
var All uintptr
