package notebook

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"html"
	"image"
	"net"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"

	"gaze/internal/environ"
	"gaze/internal/webpicture"
	"gaze/internal/widgets/wire"
)

// Interact shows what draw returns for the widgets' values, and draws it again when the
// reader moves one. draw takes a value for each widget, in the same order, and returns what
// [Show] can show ([Text] as it is written), or that and an error:
//
//	notebook.Interact(func(angle float64, method string, grid bool) (notebook.Figure, error) {
//		…
//	}, notebook.Slider{"angle", 0, 90, 30}, notebook.Select{Name: "method", Options: []string{"mean", "max"}}, notebook.Tick{Name: "grid"})
//
// Interact returns when the first figure is shown, and the cell goes on. When it is done, its
// program lives on and draws until the cell is run again, the kernel ends, or eight other
// cells were used since. Then the widgets say so. Moves during a drawing don't queue up: the
// next one is for the latest values. What draw prints is shown only the first time. An error
// or a panic of draw ends the cell the first time; later it is shown above the figure, and
// the next move tries again.
//
// Where nobody can move anything, only the first figure is shown: in a report (GAZE_STATIC
// is on), in a run without a browser, outside Gaze's kernel. A figure in an exported page is
// that of the last move.
func Interact(draw any, widgets ...Widget) {
	d, controls, err := bind(draw, widgets)
	Check(err)
	if err == nil {
		interact(d, controls)
	}
}

// Sliders is [Interact] with sliders only, whose values draw gets as a list.
func Sliders(draw func(values []float64) (Figure, error), sliders ...Slider) {
	controls := make([]wire.Control, len(sliders))
	for i, s := range sliders {
		c, err := s.control(reflect.TypeFor[float64]())
		if err != nil {
			Check(fmt.Errorf("notebook.Sliders: %w", err))
			return
		}
		controls[i] = c
	}
	interact(func(values []float64) (any, error) { return draw(values) }, controls)
}

// kernelSocket names the environment variable with the path of the kernel's socket.
const kernelSocket = "GAZE_KERNEL_SOCKET"

const (
	// A cell whose program can't outlive it keeps the following cells waiting. It waits for
	// the first move, and for another one.
	firstMove = 15 * time.Second
	nextMove  = 3 * time.Minute
	// rest is how long after a drawing the program gives its memory back.
	rest = 2 * time.Second
	// A figure that takes longer than quick to become a picture is coarse while the reader
	// moves something, and sharp when nothing was moved for a while.
	quick      = 40 * time.Millisecond
	sharpAfter = 300 * time.Millisecond
)

func interact(draw drawer, controls []wire.Control) {
	static := Must(environ.Switch("GAZE_STATIC", false))
	first := Must(draw(wire.Start(controls)))
	socket := os.Getenv(kernelSocket)
	if static || socket == "" || !display.inNotebook() {
		Show(first)
		return
	}
	gonbui.Sync() // what was shown before stays above
	s, err := connect(socket, controls)
	if err != nil {
		Check(err)
		return
	}
	if s == nil {
		Show(first)
		return
	}
	began := time.Now()
	f := Must(rendered(first, sharpness))
	s.slow = time.Since(began) > quick
	var shown wire.Live
	if wire.Write(s.conn, wire.Answer{Figure: f}) != nil || wire.Read(s.reader, &shown) != nil {
		s.conn.Close()
		Show(first) // the kernel ends
		return
	}
	if hosted {
		lingering = append(lingering, lingerer{s, draw})
		return
	}
	s.alone(draw, detach(socket))
}

// alone draws in a program that nothing else keeps alive: the cell doesn't go on.
func (s *session) alone(draw drawer, detached bool) {
	ctx, stop := Interrupt()
	defer stop()
	defer context.AfterFunc(ctx, func() { s.conn.Close() })()
	defer s.conn.Close()
	s.follow(draw, !detached)
	if detached {
		exit(0) // the cell is long done; what follows in it would show nothing
	}
}

// hosted says that [Host] runs the cell.
var hosted bool

// lingerer is what the widgets of a call of Interact draw.
type lingerer struct {
	session *session
	draw    drawer
}

// lingering are the widgets of the cell so far.
var lingering []lingerer

// Host runs a cell's main and then draws for the widgets that it has shown, until nobody can
// move them any more. The program of the notebooks' kernel into which cells are loaded calls
// it.
func Host(main func()) {
	hosted = true
	main()
	if len(lingering) == 0 {
		return
	}
	detached := detach(os.Getenv(kernelSocket))
	ctx, stop := Interrupt()
	defer stop()
	var all sync.WaitGroup
	for _, l := range lingering {
		defer context.AfterFunc(ctx, func() { l.session.conn.Close() })()
		all.Go(func() {
			defer l.session.conn.Close()
			l.session.follow(l.draw, !detached)
		})
	}
	all.Wait()
}

// session is a connection to the kernel.
type session struct {
	conn     net.Conn
	reader   *bufio.Reader
	controls int  // how many there are
	slow     bool // a sharp picture takes long
}

// connect tells the kernel of the controls. The session is nil if nobody can move them.
func connect(socket string, controls []wire.Control) (*session, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, nil
	}
	s := &session{conn: conn, reader: bufio.NewReader(conn), controls: len(controls)}
	var live wire.Live
	if err = wire.Write(conn, wire.Hello{Do: wire.Do, Controls: controls}); err == nil {
		err = wire.Read(s.reader, &live)
	}
	switch {
	case live.Error != "":
		conn.Close()
		return nil, fmt.Errorf("notebook: the kernel: %s", live.Error)
	case err != nil || !live.Live:
		conn.Close()
		return nil, nil
	}
	return s, nil
}

// detach asks the kernel to end the cell while its program lives on. It says whether that
// is so.
func detach(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	var answer struct {
		Code  *int   `json:"code"` // 0 if it's done
		Error string `json:"error"`
	}
	if wire.Write(conn, map[string]string{"do": "detach"}) != nil || wire.Read(bufio.NewReader(conn), &answer) != nil {
		return false
	}
	if answer.Error != "" || answer.Code == nil || *answer.Code != 0 {
		return false
	}
	leaveOutput()
	return true
}

// follow draws for the values that the kernel sends until it sends no more. waiting says
// that other cells wait for this one.
func (s *session) follow(draw drawer, waiting bool) {
	values, done := make(chan wire.Values), make(chan struct{})
	defer close(done)
	go s.receive(values, done)
	resting := time.AfterFunc(rest, debug.FreeOSMemory)
	defer resting.Stop()
	end := make(<-chan time.Time) // never, if nobody waits
	if waiting {
		end = time.After(firstMove)
	}
	var coarse any // what is shown coarsely
	number := 0
	for {
		sharpen := make(<-chan time.Time)
		if coarse != nil {
			sharpen = time.After(sharpAfter)
		}
		var a wire.Answer
		select {
		case v, ok := <-values:
			if !ok {
				return
			}
			number = v.Number
			resting.Stop()
			a, coarse = s.draw(draw, v.Values)
		case <-sharpen:
			a, coarse = s.sharpen(coarse)
		case <-end:
			return
		}
		a.Number = number
		if wire.Write(s.conn, a) != nil {
			return
		}
		resting.Reset(rest)
		if waiting {
			end = time.After(nextMove)
		}
	}
}

// receive passes on what the kernel sends.
func (s *session) receive(values chan<- wire.Values, done <-chan struct{}) {
	defer close(values)
	for {
		var v wire.Values
		if wire.Read(s.reader, &v) != nil || len(v.Values) != s.controls {
			return
		}
		select {
		case values <- v:
		case <-done:
			return
		}
	}
}

// draw is the answer for values. If its figure is coarse, what was drawn comes with it.
func (s *session) draw(draw drawer, values []float64) (a wire.Answer, coarse any) {
	scale := 1.0 * sharpness
	if s.slow {
		scale = 1
	}
	a = guarded(func() (*wire.Figure, error) {
		v, err := draw(values)
		if err != nil {
			return nil, err
		}
		if _, ok := v.(Figure); ok && s.slow {
			coarse = v
		}
		began := time.Now()
		f, err := rendered(v, scale)
		s.slow = s.slow || time.Since(began) > quick
		return f, err
	})
	if a.Figure == nil {
		coarse = nil
	}
	return a, coarse
}

// sharpen is the answer with a sharp figure of what was shown coarsely.
func (s *session) sharpen(coarse any) (wire.Answer, any) {
	began := time.Now()
	a := guarded(func() (*wire.Figure, error) { return rendered(coarse, sharpness) })
	s.slow = time.Since(began) > quick
	return a, nil
}

// guarded is a figure, or the error or panic instead of one.
func guarded(draw func() (*wire.Figure, error)) (a wire.Answer) {
	defer func() {
		if r := recover(); r != nil {
			text, _, _ := strings.Cut(fmt.Sprint(r), "\n") // some have a stack
			a = wire.Answer{Error: "panic: " + text}
		}
	}()
	f, err := draw()
	if err != nil {
		return wire.Answer{Error: "error: " + err.Error()}
	}
	return wire.Answer{Figure: f}
}

// rendered is what [Show] would show, as a picture or as HTML. scale is the resolution of
// figures in pixels per CSS pixel.
func rendered(v any, scale float64) (*wire.Figure, error) {
	switch v := v.(type) {
	case nil:
		return nil, errors.New("there is nothing to show: the function returned nil")
	case error:
		return nil, v
	case Figure:
		img, err := v.Image(scale)
		if err != nil {
			return nil, err
		}
		return renderedPicture(img, scale, webpicture.Encode)
	case image.Image:
		return renderedPicture(v, 1, webpicture.Exact)
	case Tabular:
		return &wire.Figure{HTML: v.HTML()}, nil
	case HTML:
		return &wire.Figure{HTML: string(v)}, nil
	}
	return &wire.Figure{HTML: "<pre>" + html.EscapeString(fmt.Sprint(v)) + "</pre>"}, nil
}

func renderedPicture(img image.Image, scale float64, encode func(image.Image) ([]byte, string, error)) (*wire.Figure, error) {
	data, mime, err := encode(img)
	if err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	size := sizeIn(img, scale)
	return &wire.Figure{Picture: data, MIME: mime, Width: size.X, Height: size.Y}, nil
}
