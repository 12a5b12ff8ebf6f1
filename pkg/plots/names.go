package plots

import "fmt"

// checkNames says when there are names but not one for each of n things.
func checkNames(what string, names []string, n int) error {
	if names != nil && len(names) != n {
		return fmt.Errorf("plots: %d %s names for %d %ss", len(names), what, n, what)
	}
	return nil
}
