package completion_test

import (
	"fmt"

	"gaze/internal/completion"
)

func ExampleCompleter_Complete() {
	// A program that isn't there: what follows is known without gopls, too.
	c := completion.New(completion.Options{Root: "../..", Gopls: "no-gopls"})
	defer c.Close()
	c.Observe("func attention() int { return 1 }", true)

	for _, code := range []string{"%%\nx := atten", "%%\nstrings.ToUpperS"} {
		found, _ := c.Complete(code, len(code))
		fmt.Println(found.Matches, "for", code[found.Start:found.End])
	}
	// Output:
	// [attention] for atten
	// [ToUpperSpecial] for ToUpperS
}
