package explain

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"gaze/internal/goldenpicture"
	"gaze/pkg/caption"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// spoken is a caption made by hand: 2 layers of 2 heads over 2×3 cells of 8 pixels
// on a picture that the network saw as 12×20 pixels. Piece i of layer l, head h
// looks at cell (i+l+h) mod 6 with weight 0.9, the rest on the others.
func spoken(t testing.TB, pieces ...string) *Captioned {
	t.Helper()
	r := caption.Result{Text: "a caption", Grid: [2]int{2, 3}, Input: [2]int{12, 20}}
	for i, text := range pieces {
		id := 10 + i
		if text == "[SEP]" {
			id = 2
		}
		r.Tokens = append(r.Tokens, caption.Token{ID: id, Text: text, LogProb: -0.1 * float64(i+1)})
		var layers [][][]float32
		for l := range 2 {
			var heads [][]float32
			for h := range 2 {
				row := slices.Repeat([]float32{0.02}, 6)
				row[(i+l+h)%6] = 0.9
				heads = append(heads, row)
			}
			layers = append(layers, heads)
		}
		r.Attention = append(r.Attention, layers)
	}
	im := &transform.Image{Pix: slices.Repeat([]uint8{90, 140, 200}, 24*40), Width: 40, Height: 24, Channels: 3}
	cfg := caption.Small(100)
	c, err := NewCaptioned("picture.jpg", im, r, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCaptionWords(t *testing.T) {
	c := spoken(t, "a", "ski", "##s", "##lope", "on", "[SEP]")
	var got []string
	for _, w := range c.Words {
		got = append(got, w.Text)
	}
	if want := []string{"a", "skislope", "on", End}; !slices.Equal(got, want) {
		t.Fatalf("words %q, want %q", got, want)
	}
	w := c.Words[1]
	if !slices.Equal(w.Pieces, []int{1, 2, 3}) || math.Abs(w.Probability()-math.Exp(-0.9)) > 1e-12 {
		t.Errorf("the word of three pieces: %+v", w)
	}
	m, err := c.Map(1, -1, OneHead(0)) // cells 2, 3 and 4, averaged
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range m.Values {
		want := 0.02
		if i >= 2 && i <= 4 {
			want = (0.9 + 2*0.02) / 3
		}
		if math.Abs(float64(v)-want) > 1e-6 {
			t.Errorf("cell %d of the merged word has %v, want %v", i, v, want)
		}
	}
	m, err = c.Map(0, 0, MeanHeads)
	if err != nil || math.Abs(float64(m.Values[0])-0.46) > 1e-6 || math.Abs(float64(m.Values[1])-0.46) > 1e-6 {
		t.Errorf("the mean of two heads: %v, error %v", m.Values, err)
	}
	for _, bad := range [][2]int{{0, 2}, {9, 0}} {
		if _, err := c.Map(bad[0], bad[1], MeanHeads); err == nil {
			t.Errorf("word %d of layer %d has a map", bad[0], bad[1])
		}
	}
	if _, err := c.Map(0, 0, OneHead(2)); err == nil {
		t.Error("a head that isn't there has a map")
	}
}

// TestCaptionOfMaps draws a method's maps in the place of attention.
func TestCaptionOfMaps(t *testing.T) {
	c := spoken(t, "a", "ski", "##s", "[SEP]")
	chefer, err := FindWordMethod("chefer")
	if err != nil {
		t.Fatal(err)
	}
	maps := &WordMaps{Method: chefer}
	for i := range 4 {
		values := make([]float32, 6)
		values[i] = 1
		maps.Tokens, maps.Maps = append(maps.Tokens, i), append(maps.Maps, Map{Rows: 2, Cols: 3, Values: values})
	}
	style := CaptionStyle{Layer: -1, Heads: MeanHeads, OwnScale: true, Maps: maps}
	m, err := c.Styled(1, style)
	if err != nil || !slices.Equal(m.Values, []float32{0, 0.5, 0.5, 0, 0, 0}) || maps.Maps[1].Values[1] != 1 {
		t.Errorf("the map of a word of two pieces: %v, error %v", m.Values, err)
	}
	f, err := c.Figure(style)
	if err != nil {
		t.Fatal(err)
	}
	if g := f.(plots.Grid); !strings.Contains(g.Subtitle, "Chefer et al.") || strings.Contains(g.Subtitle, "weight") {
		t.Errorf("the subtitle is %q", g.Subtitle)
	}
	maps.Maps[0].Rows, maps.Maps[0].Cols = 3, 2
	if _, err := c.Figure(style); err == nil || !strings.Contains(err.Error(), "another picture's") {
		t.Errorf("maps of another grid: %v", err)
	}
	maps.Tokens, maps.Maps = maps.Tokens[1:], maps.Maps[1:]
	if _, err := c.Figure(style); err == nil || !strings.Contains(err.Error(), "explain all pieces") {
		t.Errorf("maps of some pieces: %v", err)
	}
}

// TestOnPicture checks that cells extending beyond the picture stay in place: 16×24
// pixels of cells over an input of 12×20.
func TestOnPicture(t *testing.T) {
	c := spoken(t, "a", "[SEP]")
	m, _ := NewMap(2, 3, []float32{0, 0, 0, 0, 0, 1})
	values, err := c.OnPicture(m)
	if err != nil {
		t.Fatal(err)
	}
	if len(values) != 12 || len(values[0]) != 20 {
		t.Fatalf("%d×%d values for an input of 12×20", len(values), len(values[0]))
	}
	// the lower right cell's centre lies at row 12, column 20: on the very corner
	if v := values[11][19]; v < 0.85 {
		t.Errorf("beside the last cell's centre the map is %v", v)
	}
	if v := values[3][3]; v != 0 {
		t.Errorf("far from the cell the map is %v", v)
	}
	c.Result.Input = [2]int{40, 40}
	if _, err := c.OnPicture(m); err == nil {
		t.Error("cells cover an input larger than they are")
	}
}

func TestNewCaptionedRefuses(t *testing.T) {
	good := spoken(t, "a", "[SEP]")
	bare := good.Result
	bare.Attention = nil
	for name, r := range map[string]caption.Result{"no pieces": {}, "no attention": bare} {
		if _, err := NewCaptioned("p", good.Image, r, caption.Small(100)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCaptionNumbers(t *testing.T) {
	c := spoken(t, "a", "dog", "near", "the", "red", "ball", "[SEP]")
	mask := &transform.Image{Pix: make([]uint8, 24*40), Width: 40, Height: 24, Channels: 1}
	for y := range 16 { // cell 1: columns 16 to 32, rows 0 to 16 of the picture
		for x := 16; x < 32; x++ {
			mask.Pix[y*40+x] = 255
		}
	}
	c.Masks = []Mask{{[]string{"puppy", "dog"}, mask}}
	n, err := c.Numbers(0, OneHead(0))
	if err != nil {
		t.Fatal(err)
	}
	dog := n.Words[1]
	if dog.OnMask == nil || math.Abs(*dog.OnMask-0.9) > 1e-6 || math.Abs(*dog.Area-16*16/960.0) > 1e-9 {
		t.Errorf("the dog's map: %+v", dog)
	}
	if n.Words[0].OnMask != nil {
		t.Error("an article has a mask")
	}
	want := -0.9*math.Log2(0.9) - 5*0.02*math.Log2(0.02)
	if math.Abs(dog.Entropy-want) > 1e-6 || math.Abs(n.MostBits-math.Log2(6)) > 1e-12 {
		t.Errorf("entropy %v, want %v of %v", dog.Entropy, want, n.MostBits)
	}
	like := (2*0.9*0.02 + 4*0.02*0.02) / (0.81 + 5*0.0004)
	if math.Abs(n.Similarity[0][1]-like) > 1e-6 || math.Abs(n.Similarity[2][2]-1) > 1e-9 || math.Abs(n.Similarity[0][6]-1) > 1e-6 {
		t.Errorf("similarities %v", n.Similarity)
	}
	if math.Abs(n.Diversity-(1-like)) > 1e-6 {
		t.Errorf("diversity %v, want %v", n.Diversity, 1-like)
	}
	if got, want := c.Nouns(), []int{1, -1, -1, 5, -1, -1, -1}; !slices.Equal(got, want) {
		t.Errorf("nouns of articles %v, want %v", got, want)
	}
	if data, err := json.Marshal(n); err != nil || !strings.Contains(string(data), `"on_mask":0.89`) {
		t.Errorf("as JSON %s, error %v", data, err)
	}
	if table := n.Table(); len(table.Columns) != 5 || len(table.Rows) != 7 {
		t.Errorf("a table of %d columns, %d rows", len(table.Columns), len(table.Rows))
	}
	draws(t, "similarity", n.SimilarityFigure(), nil)
	a := n.Articles
	if a == nil || a.Count != 2 || a.Others == nil || math.Abs(a.Own-(n.Similarity[0][1]+n.Similarity[3][5])/2) > 1e-12 ||
		math.Abs(*a.Others-(n.Similarity[0][5]+n.Similarity[3][1])/2) > 1e-12 {
		t.Errorf("articles and their nouns: %+v", a)
	}
	if one, err := spoken(t, "a", "dog", "[SEP]").Numbers(0, MeanHeads); err != nil || one.Articles.Count != 1 || one.Articles.Others != nil {
		t.Errorf("with one article: %+v, %v", one.Articles, err)
	}
	if none, err := spoken(t, "dogs", "[SEP]").Numbers(0, MeanHeads); err != nil || none.Articles != nil || none.Articles.String() != "" {
		t.Errorf("without articles: %+v, %v", none.Articles, err)
	}
}

func TestCaptionMasks(t *testing.T) {
	square := func(width, height, x0, x1 int) *transform.Image {
		m := &transform.Image{Pix: make([]uint8, width*height), Width: width, Height: height, Channels: 1}
		for i := range m.Pix {
			if x := i % width; x >= x0 && x < x1 {
				m.Pix[i] = 255
			}
		}
		return m
	}
	area := func(c *Captioned, masks ...Mask) (float64, error) {
		c.Masks = masks
		n, err := c.Numbers(0, MeanHeads)
		if err != nil || n.Words[0].Area == nil {
			return math.NaN(), err
		}
		return *n.Words[0].Area, nil
	}
	c := spoken(t, "dog", "[SEP]")
	left, right := Mask{[]string{"dog"}, square(40, 24, 0, 10)}, Mask{[]string{"cat", "dog"}, square(40, 24, 5, 20)}
	if got, err := area(c, left, right); err != nil || math.Abs(got-0.5) > 1e-9 {
		t.Errorf("two masks of a dog cover %v, want a half (%v)", got, err)
	}
	if left.Image.Pix[15] != 0 {
		t.Error("a mask was written to")
	}
	for _, bad := range []*transform.Image{nil, square(24, 40, 0, 10), {Pix: make([]uint8, 3*40*24), Width: 40, Height: 24, Channels: 3}} {
		if _, err := area(c, Mask{[]string{"dog"}, bad}); err == nil || !strings.Contains(err.Error(), "mask of \"dog\"") {
			t.Errorf("a bad mask: %v", err)
		}
	}
	large := &transform.Image{Pix: make([]uint8, 3*3000*1800), Width: 3000, Height: 1800, Channels: 3}
	c, err := NewCaptioned("large.jpg", large, c.Result, caption.Small(100))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{3000, c.Image.Width} {
		if got, err := area(c, Mask{[]string{"dog"}, square(size, size*1800/3000, 0, size/4)}); err != nil || math.Abs(got-0.25) > 2e-3 {
			t.Errorf("a mask of %d pixels on a picture of 3000 covers %v, want a quarter (%v)", size, got, err)
		}
	}
	if _, err := area(c, Mask{[]string{"dog"}, square(1500, 900, 0, 10)}); err == nil || !strings.Contains(err.Error(), "3000×1800") {
		t.Errorf("a mask of half the size: %v", err)
	}
}

// Figures of three and of 25 words, of wide and of tall pictures.
func TestCaptionGoldenPictures(t *testing.T) {
	long := strings.Fields("a very long caption that goes on and on about a man who stands near the end of some street with his dog and two cats")
	for _, test := range []struct {
		name          string
		pieces        []string
		width, height int
	}{
		{"caption_short", []string{"two", "ski", "##s", "[SEP]"}, 40, 24},
		{"caption_long", append(long, "[SEP]"), 40, 24},
		{"caption_wide", strings.Fields("a dog runs on a wide green field [SEP]"), 120, 24},
		{"caption_tall", strings.Fields("a dog runs on a tall green hill [SEP]"), 24, 96},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := spoken(t, test.pieces...)
			c.Result.Text = strings.ReplaceAll(strings.Join(test.pieces[:len(test.pieces)-1], " "), " ##", "")
			c.Image = &transform.Image{Pix: make([]uint8, 3*test.width*test.height), Width: test.width, Height: test.height, Channels: 3}
			for i := range c.Image.Pix { // red grows to the right, green downwards
				x, y := i/3%test.width, i/3/test.width
				c.Image.Pix[i] = [3]uint8{uint8(255 * x / test.width), uint8(255 * y / test.height), 120}[i%3]
			}
			f, err := c.Figure(DefaultCaptionStyle())
			if err != nil {
				t.Fatal(err)
			}
			img, err := f.Image(0.5)
			if err != nil {
				t.Fatal(err)
			}
			goldenpicture.Compare(t, test.name, img)
		})
	}
}

func TestCaptionFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("draws large figures")
	}
	long := strings.Fields("a very long caption that goes on and on about a man who stands near the end of some street with his dog and")
	for _, pieces := range [][]string{{"a", "dog", "[SEP]"}, {"two", "ski", "##s", "[SEP]"}, append(long, "[SEP]")} {
		c := spoken(t, pieces...)
		c.Result.Text = strings.Join(pieces[:len(pieces)-1], " ")
		for _, own := range []bool{false, true} {
			s := DefaultCaptionStyle()
			s.OwnScale = own
			f, err := c.Figure(s)
			draws(t, c.Result.Text, f, err)
			g := f.(plots.Grid)
			if n := len(slices.Concat(g.Panels...)); n != len(c.Words)+1 || g.Panels[0][0].Title != Start || g.Panels[0][0].Values != nil {
				t.Errorf("%d panels for %d words, the first %q", n, len(c.Words), g.Panels[0][0].Title)
			}
			if merged := strings.Contains(g.Subtitle, "averaged over word pieces: skis"); merged != slices.Contains(pieces, "##s") {
				t.Errorf("%q: subtitle %q", pieces, g.Subtitle)
			}
		}
		layers, err := c.LayerAtlas(MeanHeads)
		draws(t, "layers", layers, err)
		heads, err := c.HeadAtlas(-1)
		draws(t, "heads", heads, err)
	}
	c := spoken(t, "a", "[SEP]")
	if _, err := c.Figure(CaptionStyle{Layer: 5, Heads: MeanHeads}); err == nil {
		t.Error("a layer that isn't there is drawn")
	}
	if _, err := c.HeadAtlas(7); err == nil {
		t.Error("heads of a layer that isn't there are drawn")
	}
}

func TestCaptionColumns(t *testing.T) {
	cases := []struct {
		panels int
		aspect float64
		least  int
		most   int
	}{{4, 1, 2, 4}, {10, 1, 4, 5}, {26, 1, 5, 7}, {10, 2.5, 2, 4}, {10, 0.4, 5, 8}, {1, 1, 1, 1}}
	for _, c := range cases {
		if got := captionColumns(c.panels, c.aspect); got < c.least || got > c.most {
			t.Errorf("%d panels of aspect %g in %d columns, want %d to %d", c.panels, c.aspect, got, c.least, c.most)
		}
	}
}
