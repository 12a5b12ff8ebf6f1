// Package meter estimates how long a piece of work takes. Everything in Gaze that shows
// the time left asks it: commands over many pictures, evaluation, training, studies,
// feature extraction.
package meter

import (
	"fmt"
	"io"
	"time"
)

// Meter measures work that is done in steps. The first step to be reported starts the
// clock, because it takes longer than the others: programs are compiled in it, and files
// read for the first time. A Meter isn't safe for concurrent use.
type Meter struct {
	total float64
	now   func() time.Time
	start time.Time

	first, last mark
	reports     int // that moved on
	told        bool
}

// mark is how much was done at some time.
type mark struct {
	done float64
	at   time.Time
}

// New returns a meter for work of a size in any unit, such as pictures or batches. It
// starts now.
func New(total float64) *Meter { return newAt(total, time.Now) }

func newAt(total float64, now func() time.Time) *Meter {
	m := &Meter{total: total, now: now}
	m.start = now()
	m.last.at = m.start
	return m
}

// At reports that so much of the work is done.
func (m *Meter) At(done float64) {
	if done <= m.last.done {
		return
	}
	m.last = mark{done, m.now()}
	if m.reports++; m.reports == 1 {
		m.first = m.last
	}
}

// knowable is the shortest time to estimate from.
const knowable = time.Second

// Known reports whether the time left is more than a guess: something was done after the
// first step, and at least a second was spent on it.
func (m *Meter) Known() bool { return m.reports > 1 && m.last.at.Sub(m.first.at) >= knowable }

// perUnit is the time that a unit of the work takes, 0 if nothing was done yet. Before it
// is known, it counts from the start.
func (m *Meter) perUnit() time.Duration {
	switch {
	case m.reports == 0:
		return 0
	case !m.Known():
		return time.Duration(float64(m.last.at.Sub(m.start)) / m.last.done)
	}
	return time.Duration(float64(m.last.at.Sub(m.first.at)) / (m.last.done - m.first.done))
}

// Left estimates the time that the rest takes; 0 if nothing was done yet.
func (m *Meter) Left() time.Duration {
	return time.Duration(float64(m.perUnit()) * max(0, m.total-m.last.done))
}

// Rate is how much is done in a second, with the first step left out once the rate is
// known; 0 before anything is done.
func (m *Meter) Rate() float64 {
	if per := m.perUnit(); per > 0 {
		return float64(time.Second) / float64(per)
	}
	return 0
}

// Took is the time since the meter was made.
func (m *Meter) Took() time.Duration { return m.now().Sub(m.start) }

// worthTelling is the shortest time left that is announced.
const worthTelling = 10 * time.Second

// Forecast says once, as soon as it is known, how long the whole work takes: "about 3 min".
// Before and afterwards, and for work that is done in a few seconds, it is "".
func (m *Meter) Forecast() string {
	if m.told || !m.Known() {
		return ""
	}
	m.told = true
	left := m.Left()
	if left < worthTelling {
		return ""
	}
	return About(m.Took() + left)
}

// About is a time in words, as exact as an estimate may be: "about 40 s", "about 3 min",
// "about 2 h 10 min".
func About(d time.Duration) string {
	switch seconds := d.Seconds(); {
	case seconds < 10:
		return fmt.Sprintf("about %.0f s", max(1, seconds))
	case seconds < 57.5:
		return fmt.Sprintf("about %d s", int(seconds/5+0.5)*5)
	case seconds < 57.5*60:
		minutes := max(1, int(seconds/60+0.5))
		if minutes > 20 {
			minutes = (minutes + 2) / 5 * 5
		}
		return fmt.Sprintf("about %d min", minutes)
	}
	tens := int(d.Minutes()/10 + 0.5)
	if tens%6 == 0 {
		return fmt.Sprintf("about %d h", tens/6)
	}
	return fmt.Sprintf("about %d h %d min", tens/6, tens%6*10)
}

// Log writes a meter's lines to a log: the forecast, then where the work is, at most every
// half minute.
type Log struct {
	*Meter
	w    io.Writer
	unit string
	last time.Time
}

// NewLog returns a log of work on so many things, called unit ("pictures").
func NewLog(w io.Writer, total int, unit string) *Log {
	m := New(float64(total))
	return &Log{Meter: m, w: w, unit: unit, last: m.start}
}

// logEvery is the shortest time between two lines of a Log.
const logEvery = 30 * time.Second

// Done reports that so many are done.
func (l *Log) Done(done int) {
	l.At(float64(done))
	if text := l.Forecast(); text != "" {
		fmt.Fprintf(l.w, "%s for %.0f %s\n", text, l.total, l.unit)
	}
	if now := l.now(); now.Sub(l.last) >= logEvery {
		l.last = now
		fmt.Fprintf(l.w, "%d of %.0f %s, %.3g a second, %s left\n", done, l.total, l.unit, l.Rate(), l.Left().Round(time.Second))
	}
}
