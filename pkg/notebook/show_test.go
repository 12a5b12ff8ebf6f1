package notebook

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
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

func TestTypeset(t *testing.T) {
	for in, want := range map[string]string{
		"costs -1.5 points (-2.7 to -0.2)": "costs −1.5 points (−2.7 to −0.2)",
		"`Layer: -1` and -1":               "`Layer: -1` and −1",
		"```\na(-1)\n``` (-1)":             "```\na(-1)\n``` (−1)",
		"[x](a(-1).html) -1":               "[x](a(-1).html) −1",
		"- 1 item\n- 2 items":              "- 1 item\n- 2 items",
		"rates of 1e-6":                    "rates of 1e-6",
	} {
		if got := typeset(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// Front ends that can't show a table or Markdown get text, and figures are encoded in few
// bytes, but pictures exactly.
func TestWhatIsSent(t *testing.T) {
	sent, _, _ := record(t, true)
	colours := image.NewRGBA(image.Rect(0, 0, 200, 150))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range colours.Pix {
		colours.Pix[i] = uint8(random.Uint32()) | 255*uint8(i%4/3)
	}
	Show(table{}, Text("*hi*"), colours, photo{colours})
	if got := (*sent)[0].Data[protocol.MIMETextPlain]; got != "plain table" {
		t.Errorf("the table's text is %q", got)
	}
	if got := (*sent)[1].Data[protocol.MIMETextPlain]; got != "*hi*" {
		t.Errorf("the text's text is %q", got)
	}
	got, err := png.Decode(bytes.NewReader((*sent)[2].Data[protocol.MIMEImagePNG].([]byte)))
	if err != nil || got.At(77, 33) != color.Color(colours.RGBAAt(77, 33)) {
		t.Errorf("the picture isn't exact (%v)", err)
	}
	jpeg := (*sent)[3]
	if _, ok := jpeg.Data["image/jpeg"]; !ok || jpeg.Metadata["image/jpeg"].(map[string]int)["width"] != 100 {
		t.Errorf("a figure of many colours is sent as %v", jpeg.Metadata)
	}
}

type photo struct{ img image.Image }

func (p photo) Image(float64) (image.Image, error) { return p.img, nil }
