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

// isTerminal tells whether w is a terminal. Tests replace it.
var isTerminal = func(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// liveEvery is the shortest time between two drawings of the live line.
const liveEvery = 100 * time.Millisecond

// liveLine is a line at the bottom of a terminal that is drawn anew as work goes
// on. Elsewhere, and when it isn't wanted, it is never drawn.
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

// show draws the line, unless that was done a moment ago.
func (l *liveLine) show(text string) {
	if !l.on {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.drawn && time.Since(l.last) < liveEvery {
		return
	}
	// A line that the terminal breaks in two can't be drawn over.
	fmt.Fprintf(l.out, "\r\x1b[K%s", clip(printable(text), l.columns-1))
	l.last, l.drawn = time.Now(), true
}

// clear takes the line away.
func (l *liveLine) clear() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.erase()
}

// erase removes the line; the caller holds the mutex.
func (l *liveLine) erase() {
	if l.drawn {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.drawn = false
	}
}

// above is w for what is written while the line stands below it.
func (l *liveLine) above(w io.Writer) io.Writer { return &aboveLine{l, w} }

type aboveLine struct {
	line *liveLine
	to   io.Writer
}

func (a *aboveLine) Write(p []byte) (int, error) {
	a.line.mutex.Lock() // until it is written, or the line could be drawn in between
	defer a.line.mutex.Unlock()
	a.line.erase()
	return a.to.Write(p)
}

// columnsOf is the number of a terminal's columns that a text takes.
func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		n += columnsOfRune(r)
	}
	return n
}

func columnsOfRune(r rune) int {
	if unicode.Is(unicode.Mn, r) { // drawn over the letter before it
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// clip cuts a text that takes more columns than there are.
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
