package notebook

import (
	"context"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"github.com/janpfeifer/gonb/gonbui/widgets"

	"gaze/internal/environ"
)

// Slider is a number that the reader sets with a slider.
type Slider struct {
	Name            string
	Min, Max, Value float64
}

const (
	sliderSteps = 100              // positions of a slider
	sliderWait  = 4 * time.Second  // time for a browser to answer
	sliderFirst = 15 * time.Second // time until the first move; short, because all cells may be running
	sliderIdle  = 3 * time.Minute  // time until another move
)

// Sliders shows the figure that draw returns for the sliders' values, and draws it again
// when a slider is moved. The cell runs until it is interrupted, or until no slider has
// been moved for three minutes. If none is moved at all it ends after fifteen seconds, so
// that the following cells can run. If no browser answers, the figure for the given values
// stays. If GAZE_STATIC is on, as for a report, only that figure is shown, without
// sliders. An error while drawing ends the cell.
func Sliders(draw func(values []float64) (Figure, error), sliders ...Slider) {
	values := make([]float64, len(sliders))
	for i, s := range sliders {
		values[i] = s.Value
	}
	static := Must(environ.Switch("GAZE_STATIC", false))
	if !display.inNotebook() || static {
		Show(Must(draw(values)))
		return
	}
	ctx, stop := Interrupt()
	defer stop()
	id := "sliders_" + gonbui.UniqueId()
	redraw := func() error {
		f, err := draw(slices.Clone(values))
		if err != nil {
			return err
		}
		return showAt(id, f)
	}
	moves := make(chan move, 64)
	frame(id, sliders)
	Check(redraw())
	for i, s := range sliders {
		go listen(ctx, placeOf(id, i), i, s, moves)
	}
	err := follow(ctx, moves, values, redraw)
	gonbui.Sync()
	Check(err)
}

// move is a slider's new position.
type move struct {
	slider int
	value  float64
}

// follow draws again after moves until the context ends or no slider is moved any more. Of
// the moves that arrive while it draws, only the latest counts.
func follow(ctx context.Context, moves <-chan move, values []float64, redraw func() error) error {
	wait := sliderWait
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
			return nil
		case m := <-moves:
			wait = max(wait, sliderFirst)
			changed := values[m.slider] != m.value
			values[m.slider] = m.value
			for len(moves) > 0 {
				m = <-moves
				changed = changed || values[m.slider] != m.value
				values[m.slider] = m.value
			}
			if !changed { // a browser announces itself by sending the current positions
				continue
			}
			wait = sliderIdle
			if err := redraw(); err != nil {
				return err
			}
		}
	}
}

// placeOf returns the id of a slider's HTML element.
func placeOf(id string, i int) string { return fmt.Sprintf("%s_%d", id, i) }

// frame shows the names of the sliders with empty elements for them.
func frame(id string, sliders []Slider) {
	var b strings.Builder
	for i, s := range sliders {
		fmt.Fprintf(&b, `<div><span style="display:inline-block;min-width:12em">%s, %g to %g</span><span id="%s"></span></div>`,
			html.EscapeString(s.Name), s.Min, s.Max, placeOf(id, i))
	}
	markup(protocol.MIMETextHTML, b.String(), "")
	gonbui.Sync()
}

// listen creates a slider in its element and sends its moves. Without a browser it waits
// until the program ends.
func listen(ctx context.Context, place string, i int, s Slider, moves chan<- move) {
	at := int((s.Value-s.Min)/(s.Max-s.Min)*sliderSteps + 0.5)
	w := widgets.Slider(0, sliderSteps, at).AppendTo(place).Done()
	moved := w.Listen().LatestOnly()
	tell := func(step int) bool {
		select {
		case moves <- move{i, s.at(step)}:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for ok := tell(at); ok; {
		select {
		case step := <-moved.C:
			ok = tell(step)
		case <-ctx.Done():
			return
		}
	}
}

// at returns the value of a position. The initial position has exactly the given value.
func (s Slider) at(step int) float64 {
	if step == int((s.Value-s.Min)/(s.Max-s.Min)*sliderSteps+0.5) {
		return s.Value
	}
	return s.Min + (s.Max-s.Min)*float64(step)/sliderSteps
}

// showAt shows a figure in place of the previous one with the same id.
func showAt(id string, f Figure) error {
	img, err := f.Image(sharpness)
	if err != nil {
		return err
	}
	data, err := pictureData(img, sharpness)
	if err != nil {
		return err
	}
	data.DisplayID = id
	display.send(data)
	return nil
}
