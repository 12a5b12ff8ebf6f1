package notebook

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gaze/internal/widgets/wire"
	"gaze/pkg/plots"
)

func square(side int) plots.Grid {
	return plots.Grid{Panels: [][]plots.Panel{{{Picture: image.NewRGBA(image.Rect(0, 0, side, side))}}}}
}

// TestBind checks what the function gets for the widgets' values.
func TestBind(t *testing.T) {
	type method string
	draw, controls, err := bind(func(angle float64, layer int, m method, letter int, grid bool, seed int) string {
		return fmt.Sprintf("%v %v %v %v %v %v", angle, layer, m, letter, grid, seed)
	}, []Widget{
		Slider{"angle", 0, 90, 30}, Slider{"layer", 1, 12, 2}, Select{"method", []string{"mean", "max"}, "max"},
		Toggle{Name: "letter", Options: []string{"a", "b", "c"}}, Tick{"grid", true}, Button{"again"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []wire.Control{
		{Kind: wire.Slider, Name: "angle", Max: 90, Step: 0.5, Value: 30},
		{Kind: wire.Integer, Name: "layer", Min: 1, Max: 12, Step: 1, Value: 2},
		{Kind: wire.Select, Name: "method", Options: []string{"mean", "max"}, Value: 1},
		{Kind: wire.Toggle, Name: "letter", Options: []string{"a", "b", "c"}},
		{Kind: wire.Check, Name: "grid", Value: 1},
		{Kind: wire.Button, Name: "again"},
	}
	if !reflect.DeepEqual(controls, want) {
		t.Errorf("the controls are %v", controls)
	}
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{wire.Start(controls), "30 2 max 0 true 0"},
		{[]float64{45.5, 7, 0, 2, 0, 3}, "45.5 7 mean 2 false 3"},
	} {
		if got, err := draw(c.values); got != c.want || err != nil {
			t.Errorf("%v draws %v (%v), want %s", c.values, got, err, c.want)
		}
	}
	broken := errors.New("broken")
	draw, _, err = bind(func() (Figure, error) { return nil, broken }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := draw(nil); err != broken {
		t.Errorf("its error is %v", err)
	}
}

func TestBindErrors(t *testing.T) {
	slider := Slider{"angle", 0, 90, 30}
	for _, c := range []struct {
		draw    any
		widgets []Widget
		want    string
	}{
		{7, nil, "is int, not a function"},
		{nil, nil, "not a function"},
		{(func() string)(nil), nil, "not a function"},
		{func() {}, nil, "must return what is to be shown"},
		{func() (int, int) { return 0, 0 }, nil, "must return what is to be shown"},
		{func(...float64) int { return 0 }, []Widget{slider}, "must return what is to be shown"},
		{func(float64) int { return 0 }, nil, "takes 1 values, and there are 0 widgets"},
		{func(float64) int { return 0 }, []Widget{nil}, "widget 1 is nil"},
		{func(string) int { return 0 }, []Widget{slider}, "for a parameter of type string: a slider is a float64 or an int"},
		{func(int) int { return 0 }, []Widget{Slider{"n", 0, 1.5, 0}}, "must be whole numbers"},
		{func(float64) int { return 0 }, []Widget{Slider{"angle", 9, 3, 5}}, `the control "angle": its range is from 9 to 3`},
		{func(float64) int { return 0 }, []Widget{Slider{"angle", 0, 3, 5}}, "its value is 5, outside its range"},
		{func(bool) int { return 0 }, []Widget{Select{Name: "x", Options: []string{"a"}}}, "an option is a string"},
		{func(string) int { return 0 }, []Widget{Select{Name: "x"}}, "it has no options"},
		{func(string) int { return 0 }, []Widget{Toggle{"x", []string{"a", "b"}, "c"}}, `"c" isn't one of its options: a, b`},
		{func(int) int { return 0 }, []Widget{Tick{Name: "x"}}, "a tick is a bool"},
		{func(bool) int { return 0 }, []Widget{Button{"x"}}, "a button is an int"},
	} {
		if _, _, err := bind(c.draw, c.widgets); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: %v, want %q", c.draw, err, c.want)
		}
	}
}

func TestRoundStep(t *testing.T) {
	for step, want := range map[float64]float64{0.9: 0.5, 0.01: 0.01, 0.006: 0.005, 1: 1, 0.1: 0.1, 2.55: 2, 1000: 1000, 0.003: 0.002, 0: 1} {
		if got := roundStep(step); got != want {
			t.Errorf("%v becomes %v, want %v", step, got, want)
		}
	}
}

// TestInteractWhereNothingMoves checks that only the first figure is shown in a terminal, in
// a report, and in a kernel that isn't ours.
func TestInteractWhereNothingMoves(t *testing.T) {
	draw := func(n float64) Figure {
		if n != 3 {
			t.Errorf("drawn for %v", n)
		}
		return square(4)
	}
	for _, c := range []struct {
		name             string
		notebook         bool
		static, socket   string
		pictures, status int
	}{
		{"terminal", false, "", "", 0, 0},
		{"report", true, "on", "/nowhere", 1, 0},
		{"report", true, "1", "/nowhere", 1, 0},
		{"GoNB alone", true, "", "", 1, 0},
		{"the kernel has ended", true, "", "/nowhere", 1, 0},
		{"a wrong variable", false, "maybe", "", 0, 1},
	} {
		sent, printed, status := record(t, c.notebook)
		t.Setenv("GAZE_STATIC", c.static)
		t.Setenv(kernelSocket, c.socket)
		Interact(draw, Slider{"n", 1, 5, 3})
		Sliders(func(v []float64) (Figure, error) { return draw(v[0]), nil }, Slider{"n", 1, 5, 3})
		if len(*sent) != 2*c.pictures || *status != c.status {
			t.Errorf("%s: %d pictures, exit %d", c.name, len(*sent), *status)
		}
		if !c.notebook && strings.Count(printed.String(), "[picture") != 2 {
			t.Errorf("%s: prints %q", c.name, printed)
		}
	}
}

// fakeKernel is a kernel's socket.
type fakeKernel struct {
	t      *testing.T
	listen *net.UnixListener
}

func newKernel(t *testing.T) fakeKernel {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv(kernelSocket, path)
	t.Setenv("GAZE_STATIC", "")
	return fakeKernel{t, l}
}

type cellConn struct {
	net.Conn
	reader *bufio.Reader
	t      *testing.T
}

// accept takes a connection and its first line.
func (k fakeKernel) accept(hello any) cellConn {
	k.t.Helper()
	k.listen.SetDeadline(time.Now().Add(20 * time.Second))
	conn, err := k.listen.Accept()
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := cellConn{conn, bufio.NewReader(conn), k.t}
	c.read(hello)
	return c
}

func (c cellConn) read(v any) {
	c.t.Helper()
	if err := wire.Read(c.reader, v); err != nil {
		c.t.Fatal(err)
	}
}

func (c cellConn) write(v any) {
	c.t.Helper()
	if err := wire.Write(c.Conn, v); err != nil {
		c.t.Fatal(err)
	}
}

// TestInteract moves a slider, as the kernel does for the reader, up to an error and a panic.
func TestInteract(t *testing.T) {
	sent, _, status := record(t, true)
	k := newKernel(t)
	done := make(chan bool)
	go func() {
		defer close(done)
		Interact(func(n int) (any, error) {
			switch n {
			case 4:
				return nil, errors.New("no <picture>")
			case 5:
				panic("out of range\nstack")
			case 6:
				return HTML("<b>6</b>"), nil
			case 7:
				return nil, nil
			}
			return square(10 * n), nil
		}, Slider{"n", 1, 9, 3})
	}()
	var hello wire.Hello
	c := k.accept(&hello)
	if hello.Do != wire.Do || len(hello.Controls) != 1 || hello.Controls[0].Kind != wire.Integer {
		t.Errorf("it says %v", hello)
	}
	c.write(wire.Live{Live: true})
	var a wire.Answer
	c.read(&a)
	first := a.Figure.Width
	c.write(wire.Live{Live: true})
	var detach struct{ Do string }
	d := k.accept(&detach)
	if detach.Do != "detach" {
		t.Errorf("it asks for %q", detach.Do)
	}
	d.write(map[string]string{"error": "this kernel can't"})
	for i, move := range []struct {
		to   float64
		want string
	}{{8, "picture"}, {4, "error: no <picture>"}, {5, "panic: out of range"}, {6, "<b>6</b>"}, {7, "error: there is nothing to show: the function returned nil"}, {3, "picture"}} {
		c.write(wire.Values{Number: i + 1, Values: []float64{move.to}})
		a = wire.Answer{}
		if c.read(&a); a.Number != i+1 {
			t.Errorf("it answers number %d, want %d", a.Number, i+1)
		}
		got := a.Error
		if a.Figure != nil {
			if got = a.Figure.HTML; got == "" && len(a.Figure.Picture) > 0 {
				got = "picture"
			}
		}
		if got != move.want {
			t.Errorf("for %v it answers %q, want %q", move.to, got, move.want)
		}
	}
	if a.Figure.Width != first || first == 0 {
		t.Errorf("it is %d wide at first and %d then", first, a.Figure.Width)
	}
	c.Close()
	<-done
	if *status != 0 || len(*sent) != 0 {
		t.Errorf("exit %d after %d displays beside the widgets", *status, len(*sent))
	}
}

// slowFigure takes long to become a sharp picture.
type slowFigure struct{ side int }

func (f slowFigure) Image(scale float64) (image.Image, error) {
	if scale == sharpness {
		time.Sleep(2 * quick)
	}
	return image.NewGray(image.Rect(0, 0, int(float64(f.side)*scale), 5)), nil
}

// TestSlowFigures checks that a figure that takes long is coarse at first, and sharp when
// nothing is moved.
func TestSlowFigures(t *testing.T) {
	record(t, true)
	k := newKernel(t)
	done := make(chan bool)
	go func() {
		defer close(done)
		Interact(func(n int) any { return slowFigure{n} }, Slider{"n", 1, 99, 3})
	}()
	var hello, detach wire.Hello
	c := k.accept(&hello)
	c.write(wire.Live{Live: true})
	var a wire.Answer
	c.read(&a)
	c.write(wire.Live{Live: true})
	k.accept(&detach).write(map[string]string{"error": "this kernel can't"})
	answers := func(n int, want ...int) {
		t.Helper()
		for _, pixels := range want {
			for c.read(&a); a.Number < n; c.read(&a) { // slow machines may have made the last one sharp
			}
			img, err := png.DecodeConfig(bytes.NewReader(a.Figure.Picture))
			if err != nil || img.Width != pixels || a.Figure.Width != 10*n || a.Number != n {
				t.Errorf("answer %d: %d pixels wide, shown %d wide (%v), want %d and %d", a.Number, img.Width, a.Figure.Width, err, pixels, 10*n)
			}
		}
	}
	for n := 1; n < 5; n++ { // the next move comes before the figure is sharp
		c.write(wire.Values{Number: n, Values: []float64{10 * float64(n)}})
		answers(n, 10*n)
	}
	c.write(wire.Values{Number: 5, Values: []float64{50}})
	answers(5, 50, 100)
	c.Close()
	<-done
}

// TestInteractRefused checks that a kernel without a reader gets a static figure, and that
// its complaint ends the cell.
func TestInteractRefused(t *testing.T) {
	for _, c := range []struct {
		answer           wire.Live
		pictures, status int
	}{{wire.Live{}, 1, 0}, {wire.Live{Error: "no such kind"}, 0, 1}} {
		sent, _, status := record(t, true)
		k := newKernel(t)
		done := make(chan bool)
		go func() {
			defer close(done)
			Interact(func(n float64) Figure { return square(4) }, Slider{"n", 1, 9, 3})
		}()
		var hello wire.Hello
		k.accept(&hello).write(c.answer)
		<-done
		if len(*sent) != c.pictures || *status != c.status {
			t.Errorf("%v: %d pictures, exit %d", c.answer, len(*sent), *status)
		}
	}
}

// asProgram has the test program act as that of a cell.
const asProgram = "INTERACT_TEST_PROGRAM"

// TestProgramThatLivesOn checks that a program whose cell is done lets go of the cell's
// output, draws, and ends with the kernel's connection.
func TestProgramThatLivesOn(t *testing.T) {
	if os.Getenv(asProgram) != "" {
		display.inNotebook = func() bool { return true }
		Interact(func(n float64) string { fmt.Println("drawing", n); return fmt.Sprint("<", n, ">") }, Slider{"n", 1, 9, 3})
		fmt.Println("behind")
		os.Exit(7)
	}
	if runtime.GOOS == "windows" {
		t.Skip("cells outlive their output on Unix only")
	}
	k := newKernel(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestProgramThatLivesOn$")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var hello wire.Hello
	c := k.accept(&hello)
	c.write(wire.Live{Live: true})
	var a wire.Answer
	c.read(&a)
	c.write(wire.Live{Live: true})
	var ask struct{ Do string }
	k.accept(&ask).write(map[string]int{"code": 0})
	printed, err := io.ReadAll(out) // ends although the program lives
	if err != nil || string(printed) != "drawing 3\n" {
		t.Errorf("it prints %q (%v)", printed, err)
	}
	for _, n := range []float64{4, 5.5} {
		c.write(wire.Values{Values: []float64{n}})
		c.read(&a)
		if want := fmt.Sprintf("<pre>&lt;%v&gt;</pre>", n); a.Figure.HTML != want {
			t.Errorf("it answers %q, want %q", a.Figure.HTML, want)
		}
	}
	c.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
}

// TestSlidersKeepTheirOrder checks that Sliders passes the values in order.
func TestSlidersKeepTheirOrder(t *testing.T) {
	record(t, false)
	t.Setenv("GAZE_STATIC", "")
	Sliders(func(v []float64) (Figure, error) {
		if !slices.Equal(v, []float64{3, 0.5}) {
			t.Errorf("drawn for %v", v)
		}
		return square(4), nil
	}, Slider{"n", 1, 5, 3}, Slider{"x", 0, 1, 0.5})
}

func ExampleInteract() {
	Interact(func(angle float64, method string) string {
		return fmt.Sprintf("%s at %g degrees", method, angle)
	}, Slider{"angle", 0, 90, 30}, Select{Name: "method", Options: []string{"mean", "max"}})
	// Outside a notebook it prints: mean at 30 degrees
}
