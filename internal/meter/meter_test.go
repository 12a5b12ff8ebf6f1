package meter

import (
	"bytes"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time       { return c.at }
func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }
func newClock() *clock                { return &clock{time.Unix(1000, 0)} }

func TestMeter(t *testing.T) {
	c := newClock()
	m := newAt(101, c.now)
	if m.Left() != 0 || m.Rate() != 0 || m.Known() || m.Forecast() != "" {
		t.Errorf("before anything: %s left, %g a second", m.Left(), m.Rate())
	}
	c.pass(20 * time.Second) // the first step compiles
	m.At(1)
	if m.Known() || m.Left() != 2000*time.Second || m.Forecast() != "" {
		t.Errorf("after the first step: %s left, known %v", m.Left(), m.Known())
	}
	c.pass(500 * time.Millisecond)
	m.At(2)
	if m.Known() {
		t.Error("half a second is enough")
	}
	c.pass(500 * time.Millisecond)
	m.At(2) // nothing new
	if m.Known() {
		t.Error("a report of nothing counts")
	}
	m.At(3)
	if !m.Known() || m.Left() != 49*time.Second || m.Rate() != 2 {
		t.Errorf("after three steps: %s left, %g a second, known %v", m.Left(), m.Rate(), m.Known())
	}
	if got := m.Forecast(); got != "about 1 min" { // 21 s and 49 s
		t.Errorf("forecast %q", got)
	}
	if got := m.Forecast(); got != "" {
		t.Errorf("told again: %q", got)
	}
	m.At(200)
	if m.Left() != 0 {
		t.Errorf("after the end: %s left", m.Left())
	}
}

// Work of a few seconds isn't announced, not even when it turns out to be slow later.
func TestShortWork(t *testing.T) {
	c := newClock()
	m := newAt(4, c.now)
	for done := range 4 {
		c.pass(2 * time.Second)
		m.At(float64(done + 1))
		if got := m.Forecast(); got != "" {
			t.Errorf("after %d: %q", done+1, got)
		}
	}
}

func TestAbout(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "about 1 s"}, {9 * time.Second, "about 9 s"}, {12 * time.Second, "about 10 s"}, {57 * time.Second, "about 55 s"},
		{58 * time.Second, "about 1 min"}, {89 * time.Second, "about 1 min"}, {150 * time.Second, "about 3 min"}, {20 * time.Minute, "about 20 min"},
		{23 * time.Minute, "about 25 min"}, {57 * time.Minute, "about 55 min"}, {58 * time.Minute, "about 1 h"},
		{130 * time.Minute, "about 2 h 10 min"}, {176 * time.Minute, "about 3 h"},
	} {
		if got := About(c.d); got != c.want {
			t.Errorf("About(%s) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	l := NewLog(&out, 100, "pictures")
	l.Meter, l.last = newAt(100, c.now), c.at
	for done := 10; done <= 40; done += 10 {
		c.pass(15 * time.Second)
		l.Done(done)
	}
	want := "about 3 min for 100 pictures\n" +
		"20 of 100 pictures, 0.667 a second, 2m0s left\n" +
		"40 of 100 pictures, 0.667 a second, 1m30s left\n"
	if out.String() != want {
		t.Errorf("%q\nwant %q", out.String(), want)
	}
}
