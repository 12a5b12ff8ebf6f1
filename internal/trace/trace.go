// Package trace writes when each stage of a notebook's cell has ended, so that
// bench/stages.py can tell where a cell's time goes. The kernel and the program of a cell
// append to the same file, one line of JSON for each stage. Without GAZE_TRACE it does
// nothing.
package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"gaze/internal/environ"
)

// Variable names the environment variable with the file's path.
const Variable = "GAZE_TRACE"

// The first and the last stage of a cell.
const (
	Received = "received" // the kernel has the request
	Answered = "answered" // it has replied
)

// line is what the file consists of.
type line struct {
	Time  int64  `json:"time"`  // in nanoseconds since 1970
	Stage string `json:"stage"` // what has just ended
}

// file is the trace, nil without one.
var file = sync.OnceValues(func() (*os.File, error) {
	path, err := environ.Path(Variable)
	if path == "" || err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, environ.Wrong(Variable, path, err.Error())
	}
	if !isTrace(f) {
		f.Close()
		return nil, environ.Wrong(Variable, path, "that file is no trace, and isn't changed: name a new one")
	}
	return f, nil
})

// isTrace reports whether a file is empty or begins as a trace does.
func isTrace(f *os.File) bool {
	begin := make([]byte, 8)
	n, err := f.ReadAt(begin, 0)
	if err != nil && err != io.EOF {
		return false
	}
	return bytes.HasPrefix([]byte(`{"time":`), begin[:n])
}

// Check returns why no trace can be written although one is wanted.
func Check() error {
	_, err := file()
	return err
}

// Ended notes that a stage of the running cell has ended now.
func Ended(stage string) { EndedAt(time.Now(), stage) }

// EndedAt notes that a stage ended at a time.
func EndedAt(at time.Time, stage string) {
	f, err := file()
	if f == nil || err != nil {
		return
	}
	text, err := json.Marshal(line{at.UnixNano(), stage})
	if err == nil {
		_, err = f.Write(append(text, '\n')) // whole, also when several processes write
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gaze:", Variable+":", err)
	}
}
