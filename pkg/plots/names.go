package plots

import "fmt"

// checkNames returns an error if there are names, but not n of them.
func checkNames(what string, names []string, n int) error {
	if names != nil && len(names) != n {
		return fmt.Errorf("plots: %d %s names for %d %ss", len(names), what, n, what)
	}
	return nil
}
