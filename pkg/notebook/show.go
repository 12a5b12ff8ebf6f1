// Package notebook shows results in cells of notebooks that run with the GoNB kernel:
// pictures, figures, tables, text, sliders and the progress of training. It knows how to
// send these to the front end, and outside a notebook it prints what a terminal can show,
// so that a cell's code also runs with `go run`. It knows the environment's variables and
// the report's texts, which cells can't import. It caches results between cells, but
// computes nothing itself: models, training and figures are in the other packages.
package notebook

import (
	"fmt"
	"image"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"gaze/internal/trace"
	"gaze/internal/webpicture"
	"gaze/pkg/plots"
)

// Text is Markdown, shown as such in a notebook, with minus signs before negative numbers;
// an empty one shows nothing.
type Text string

// HTML is shown unchanged in a notebook. It must be self-contained (no scripts or
// pictures from elsewhere), so that an export opens offline.
type HTML string

// Figure is a picture that can draw itself with scale pixels per CSS pixel, such as the
// figures of pkg/plots.
type Figure interface {
	Image(scale float64) (image.Image, error)
}

// Tabular is a table that a notebook shows as HTML and a terminal as text.
type Tabular interface {
	HTML() string
	String() string
}

// sharpness is the resolution of figures in pixels per CSS pixel, so that they are sharp
// on high-resolution screens and in a zoomed export.
const sharpness = 2

// display is the destination of output; tests replace it.
var display = struct {
	inNotebook func() bool
	send       func(*protocol.DisplayData)
	terminal   io.Writer
}{func() bool { return gonbui.IsNotebook }, gonbui.SendData, os.Stdout}

// Show shows each item below the cell, in order: a [Figure] (with photographs in it as a
// JPEG file), an image.Image (one picture pixel per CSS pixel, exact colours), a [Tabular] table, [Text], [HTML], and
// anything else as fmt.Println would print it. An error while drawing ends the
// cell's program with exit status 1, as [Check] does. Show returns when the
// front end has received everything.
func Show(items ...any) {
	for _, item := range items {
		Check(show(item))
	}
	if display.inNotebook() {
		gonbui.Sync()
	}
}

func show(item any) error {
	switch v := item.(type) {
	case error:
		return v
	case Figure:
		trace.Ended("computed")
		img, err := v.Image(sharpness)
		trace.Ended("drew the picture")
		if err != nil {
			return err
		}
		return picture(img, sharpness)
	case image.Image:
		return picture(v, 1)
	case Tabular:
		markup(protocol.MIMETextHTML, v.HTML(), v.String())
	case Text:
		if v == "" {
			return nil
		}
		text := typeset(string(v))
		markup(protocol.MIMETextMarkdown, text, text)
	case HTML:
		markup(protocol.MIMETextHTML, string(v), "[HTML]")
	default:
		fmt.Fprintln(display.terminal, v)
	}
	return nil
}

// Textf shows Markdown formatted by fmt.Sprintf. Use it for sentences whose numbers come
// from results.
func Textf(format string, args ...any) { Show(Text(fmt.Sprintf(format, args...))) }

// inCode matches what a text shows letter by letter: code, and addresses of links.
var inCode = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`|\\]\\([^)]*\\)|https?://\\S+")

// typeset gives a text the minus signs of charts and tables, except in its code and links.
func typeset(text string) string {
	var b strings.Builder
	at := 0
	for _, span := range inCode.FindAllStringIndex(text, -1) {
		b.WriteString(plots.Signs(text[at:span[0]]) + text[span[0]:span[1]])
		at = span[1]
	}
	return b.String() + plots.Signs(text[at:])
}

// markup sends text to a notebook, in which front ends that can't show its type show the
// plain one, or prints plain on a terminal.
func markup(mime protocol.MIMEType, text, plain string) {
	if !display.inNotebook() {
		fmt.Fprintln(display.terminal, plain)
		return
	}
	display.send(&protocol.DisplayData{Data: map[protocol.MIMEType]any{mime: text, protocol.MIMETextPlain: plain}})
}

// picture sends a picture with its size in CSS pixels.
func picture(img image.Image, scale float64) error {
	if !display.inNotebook() {
		size := sizeIn(img, scale)
		fmt.Fprintf(display.terminal, "[picture of %dx%d]\n", size.X, size.Y)
		return nil
	}
	data, err := pictureData(img, scale)
	trace.Ended("encoded the picture")
	if err != nil {
		return err
	}
	display.send(data)
	return nil
}

// sizeIn is a picture's size in CSS pixels.
func sizeIn(img image.Image, scale float64) image.Point {
	size := img.Bounds().Size()
	return image.Pt(int(float64(size.X)/scale+0.5), int(float64(size.Y)/scale+0.5))
}

// pictureData returns a picture with its size in CSS pixels. A figure, with more than one
// pixel per CSS pixel, is encoded in few bytes as [webpicture.Encode] does, a picture
// pixel by pixel with its exact colours. A chart of 1355×914 pixels takes 20 ms and 40 kB, a
// figure with thirteen photographs (1768×1238) 63 ms and 311 kB; as PNG files of 24 bits
// they took 34 ms and 147 kB, and 147 ms and 2228 kB.
func pictureData(img image.Image, scale float64) (*protocol.DisplayData, error) {
	encode := webpicture.Exact
	if scale > 1 {
		encode = webpicture.Encode
	}
	data, mime, err := encode(img)
	if err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	size := sizeIn(img, scale)
	return &protocol.DisplayData{
		Data:     map[protocol.MIMEType]any{protocol.MIMEType(mime): data},
		Metadata: map[string]any{mime: map[string]int{"width": size.X, "height": size.Y}},
	}, nil
}

// exit ends the program; tests replace it.
var exit = os.Exit

// Check ends the cell with err on stderr and exit status 1 if err isn't nil. The kernel
// then reports the cell as failed, with err as the reason.
func Check(err error) {
	if err == nil {
		return
	}
	if display.inNotebook() {
		gonbui.Sync() // send everything that was shown before
	}
	fmt.Fprintf(os.Stderr, "error: %v\n", err)
	exit(1)
}

// Must returns v, or ends the cell as [Check] does.
func Must[T any](v T, err error) T {
	Check(err)
	return v
}
