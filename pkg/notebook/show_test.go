package notebook

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// record replaces the display by lists, in or outside a notebook.
func record(t *testing.T, inNotebook bool) (sent *[]*protocol.DisplayData, printed *bytes.Buffer, status *int) {
	t.Helper()
	old, oldExit := display, exit
	t.Cleanup(func() { display, exit = old, oldExit })
	sent, printed, status = new([]*protocol.DisplayData), new(bytes.Buffer), new(int)
	display.inNotebook = func() bool { return inNotebook }
	display.send = func(d *protocol.DisplayData) { *sent = append(*sent, d) }
	display.terminal = printed
	exit = func(code int) { *status = code }
	return sent, printed, status
}

type figure struct{ err error }

func (f figure) Image(scale float64) (image.Image, error) {
	return image.NewGray(image.Rect(0, 0, int(10*scale), int(5*scale))), f.err
}

type table struct{}

func (table) HTML() string   { return "<table></table>" }
func (table) String() string { return "plain table" }

func TestShowInNotebook(t *testing.T) {
	sent, printed, status := record(t, true)
	Show(figure{}, image.NewGray(image.Rect(0, 0, 7, 3)), table{}, Text("*hi*"), HTML("<b>x</b>"), 42)
	Textf("%d per cent", 7)
	if *status != 0 || len(*sent) != 6 {
		t.Fatalf("exit %d after %d displays, want 6", *status, len(*sent))
	}
	for i, want := range []struct {
		mime  protocol.MIMEType
		width int
	}{
		{protocol.MIMEImagePNG, 10}, {protocol.MIMEImagePNG, 7}, {protocol.MIMETextHTML, 0},
		{protocol.MIMETextMarkdown, 0}, {protocol.MIMETextHTML, 0}, {protocol.MIMETextMarkdown, 0},
	} {
		d := (*sent)[i]
		if _, ok := d.Data[want.mime]; !ok {
			t.Errorf("display %d is %v, want %s", i, d.Data, want.mime)
		}
		if want.width > 0 {
			size := d.Metadata[string(want.mime)].(map[string]int)
			if size["width"] != want.width {
				t.Errorf("display %d has size %v, want width %d", i, size, want.width)
			}
		}
	}
	img, err := png.Decode(bytes.NewReader((*sent)[0].Data[protocol.MIMEImagePNG].([]byte)))
	if err != nil || img.Bounds().Dx() != 20 {
		t.Errorf("a figure 10 wide is %v pixels wide on a dense screen (%v)", img.Bounds().Dx(), err)
	}
	if got := (*sent)[5].Data[protocol.MIMETextMarkdown]; got != "7 per cent" {
		t.Errorf("Textf sent %q", got)
	}
	if strings.TrimSpace(printed.String()) != "42" {
		t.Errorf("printed %q", printed)
	}
}

func TestShowInTerminal(t *testing.T) {
	sent, printed, _ := record(t, false)
	Show(figure{}, table{}, Text("hi"), HTML("<b>x</b>"))
	if len(*sent) != 0 {
		t.Errorf("sent %d displays outside a notebook", len(*sent))
	}
	if want := "[picture of 10x5]\nplain table\nhi\n[HTML]\n"; printed.String() != want {
		t.Errorf("printed %q, want %q", printed, want)
	}
}

func TestErrorsEndTheCell(t *testing.T) {
	_, _, status := record(t, false)
	Show(figure{err: errors.New("no such colour")})
	if *status != 1 {
		t.Errorf("exit status %d after a figure that fails, want 1", *status)
	}
	*status = 0
	if got := Must(3, nil); got != 3 || *status != 0 {
		t.Errorf("Must(3, nil) = %d, exit %d", got, *status)
	}
	Must(0, errors.New("nothing there"))
	if *status != 1 {
		t.Errorf("exit status %d after Must with an error, want 1", *status)
	}
}
