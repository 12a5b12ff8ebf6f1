package notebook

import (
	"fmt"
	"html"
	"time"

	"gaze/internal/meter"
)

// count shows how many of several things are done and the time left, in one output below
// the cell that is cleared at the end. Outside a notebook it shows nothing.
type count struct {
	what     string
	training *Training
	meter    *meter.Meter
	last     time.Time
}

func newCount(what string) *count { return &count{what: what, training: NewTraining()} }

// text is what is shown.
func (c *count) text(done, total int) string {
	if c.meter == nil {
		c.meter = meter.New(float64(total))
	}
	c.meter.At(float64(done))
	text := fmt.Sprintf("%d of %d %s", done, total, c.what)
	if c.meter.Known() {
		text += ", " + meter.About(c.meter.Left()) + " left"
	}
	return text
}

func (c *count) report(done, total int) {
	text := c.text(done, total)
	if !display.inNotebook() || time.Since(c.last) < trainingEvery {
		return
	}
	c.last = time.Now()
	c.training.update("<p>" + html.EscapeString(text) + "</p>")
}

func (c *count) close() {
	if !c.last.IsZero() {
		c.training.update("")
	}
}
