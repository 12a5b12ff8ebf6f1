//go:build !unix

package environ

// isNotDir reports whether part of a path is a file. Windows reports such paths as not
// found.
func isNotDir(error) bool { return false }
