// Command gaze-cell is what GoNB runs in place of the go command, of goimports and of a
// cell's program: it asks the kernel to do the work. The kernel itself can be called so, too,
// but this one starts in a few milliseconds.
package main

import (
	"fmt"
	"os"

	"gaze/internal/cells/client"
)

func main() {
	client.Main()
	fmt.Fprintln(os.Stderr, "gaze-cell: only the notebooks' kernel calls this program")
	os.Exit(2)
}
