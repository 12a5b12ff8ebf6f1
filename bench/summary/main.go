// Command summary writes what the results of all processors come to: a table over
// processors, and the tables in the project's README.
//
//	summary RESULTS README
//
// RESULTS is the folder with a folder for each processor. README.md there is written anew; in
// README, what is between the two comments that name make bench.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gaze/internal/atomicfile"
)

// The comments between which the README's tables are.
const (
	begin = "<!-- make bench writes what follows -->\n"
	end   = "<!-- make bench wrote what precedes -->\n"
)

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(1)
	}
}

func write(args []string) error {
	if len(args) != 2 {
		return errors.New("give the folder of the results and the project's README")
	}
	results, readme := args[0], args[1]
	runs, err := readRuns(results)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return fmt.Errorf("%s has no folder with a bench.json", results)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	text, err = replaced(text, section(runs))
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	return errors.Join(atomicfile.WriteBytes(filepath.Join(results, "README.md"), []byte(index(runs))), atomicfile.WriteBytes(readme, text))
}

// replaced is a README with other tables.
func replaced(text []byte, tables string) ([]byte, error) {
	from, to := bytes.Index(text, []byte(begin)), bytes.Index(text, []byte(end))
	if from < 0 || to < from {
		return nil, fmt.Errorf("it needs the lines %q and %q, in this order, around the tables", begin, end)
	}
	return bytes.Join([][]byte{text[:from+len(begin)], text[to:]}, []byte("\n"+tables+"\n")), nil
}
