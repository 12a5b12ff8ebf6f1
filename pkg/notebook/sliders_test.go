package notebook

import (
	"context"
	"errors"
	"image"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/plots"
)

// TestFollow checks that the latest values are drawn, and that a browser's announcement of
// the current positions draws nothing.
func TestFollow(t *testing.T) {
	moves := make(chan move, 8)
	values := []float64{1, 2}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	moves <- move{0, 1} // where it is already
	moves <- move{1, 3}
	moves <- move{1, 4}
	var drawn [][]float64
	err := follow(ctx, moves, values, func() error {
		drawn = append(drawn, slices.Clone(values))
		if len(drawn) == 1 {
			moves <- move{0, 1}
			moves <- move{0, 5}
			return nil
		}
		cancel()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if last := drawn[len(drawn)-1]; !slices.Equal(drawn[0], []float64{1, 4}) || !slices.Equal(last, []float64{5, 4}) {
		t.Errorf("drawn %v", drawn)
	}
	broken := errors.New("no such picture")
	moves <- move{0, 7}
	if err := follow(context.Background(), moves, values, func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("an error in drawing becomes %v", err)
	}
}

func TestSliderPlaces(t *testing.T) {
	s := Slider{"angle", 0, 90, 31.7}
	for step, want := range map[int]float64{0: 0, 100: 90, 50: 45, 35: 31.7} {
		if got := s.at(step); got != want {
			t.Errorf("place %d is %v, want %v", step, got, want)
		}
	}
}

// TestSlidersWithoutBrowser checks that a terminal gets a line for the first picture.
func TestSlidersWithoutBrowser(t *testing.T) {
	var out strings.Builder
	was := display
	defer func() { display = was }()
	display.inNotebook, display.terminal = func() bool { return false }, &out
	Sliders(func(v []float64) (Figure, error) {
		if !slices.Equal(v, []float64{3}) {
			t.Errorf("drawn with %v", v)
		}
		return plots.Grid{Panels: [][]plots.Panel{{{Picture: image.NewRGBA(image.Rect(0, 0, 4, 4))}}}}, nil
	}, Slider{"n", 1, 5, 3})
	if !strings.Contains(out.String(), "picture") {
		t.Errorf("it shows %q", out.String())
	}
}

// TestSlidersInAReport checks that nothing waits for a browser if GAZE_STATIC is on, and
// that a value other than on or off ends the cell.
func TestSlidersInAReport(t *testing.T) {
	sent, _, status := record(t, true)
	draw := func(v []float64) (Figure, error) {
		return plots.Grid{Panels: [][]plots.Panel{{{Picture: image.NewRGBA(image.Rect(0, 0, 4, 4))}}}}, nil
	}
	for _, value := range []string{"1", "on"} {
		t.Setenv("GAZE_STATIC", value)
		*sent = nil
		if Sliders(draw, Slider{"n", 1, 5, 3}); len(*sent) != 1 || *status != 0 {
			t.Errorf("%q: %d pictures, exit %d", value, len(*sent), *status)
		}
	}
	display.inNotebook = func() bool { return false }
	t.Setenv("GAZE_STATIC", "maybe")
	if Sliders(draw, Slider{"n", 1, 5, 3}); *status == 0 {
		t.Error("neither on nor off, and it passes")
	}
}
