//go:build !unix

package environ

// isNotDir says whether a path goes through a file. Windows calls that not found.
func isNotDir(error) bool { return false }
