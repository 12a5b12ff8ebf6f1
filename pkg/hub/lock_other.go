//go:build !unix

package hub

// tryLock takes the lock at path, or says that another process has it.
func tryLock(path string) (release func(), ok bool, err error) {
	return lockByName(path + ".held")
}
