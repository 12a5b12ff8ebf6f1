//go:build !unix

package filelock

// Try takes the lock at path, or says that another process has it.
func Try(path string) (release func(), ok bool, err error) {
	return lockByName(path + ".held")
}
