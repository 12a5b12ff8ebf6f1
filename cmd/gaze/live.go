package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// isTerminal reports whether w is a terminal. Tests replace it.
var isTerminal = func(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// liveEvery is the shortest time between two drawings of the live line.
const liveEvery = 100 * time.Millisecond

// liveLine is a progress line at the bottom of a terminal that is redrawn as work
// proceeds. If the output isn't a terminal, or the line isn't wanted, it is never drawn.
type liveLine struct {
	mutex   sync.Mutex
	out     io.Writer
	on      bool
	drawn   bool
	last    time.Time
	columns int
}

func newLiveLine(out io.Writer, wanted bool) *liveLine {
	l := &liveLine{out: out, on: wanted && isTerminal(out) && os.Getenv("TERM") != "dumb", columns: 80}
	if file, ok := out.(*os.File); ok && l.on {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			l.columns = columns
		}
	}
	return l
}

// show draws the line, unless it was drawn less than liveEvery ago.
func (l *liveLine) show(text string) {
	if !l.on {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.drawn && time.Since(l.last) < liveEvery {
		return
	}
	// A line that wraps can't be overwritten, so it is clipped to the width.
	fmt.Fprintf(l.out, "\r\x1b[K%s", clip(printable(text), l.columns-1))
	l.last, l.drawn = time.Now(), true
}

// clear erases the line.
func (l *liveLine) clear() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.erase()
}

// erase erases the line; the caller holds the mutex.
func (l *liveLine) erase() {
	if l.drawn {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.drawn = false
	}
}

// above wraps w so that text written to it appears above the live line.
func (l *liveLine) above(w io.Writer) io.Writer { return &aboveLine{l, w} }

type aboveLine struct {
	line *liveLine
	to   io.Writer
}

func (a *aboveLine) Write(p []byte) (int, error) {
	a.line.mutex.Lock() // held until the write is done, so that the line isn't drawn in between
	defer a.line.mutex.Unlock()
	a.line.erase()
	return a.to.Write(p)
}

// columnsOf is the number of terminal columns that a text takes.
func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		n += columnsOfRune(r)
	}
	return n
}

func columnsOfRune(r rune) int {
	if unicode.Is(unicode.Mn, r) { // a combining mark, drawn on the letter before it
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// clip shortens a text to a number of columns.
func clip(text string, columns int) string {
	if columnsOf(text) <= columns {
		return text
	}
	n := 0
	for i, r := range text {
		if n += columnsOfRune(r); n > columns-1 {
			return text[:i] + "…"
		}
	}
	return text
}
