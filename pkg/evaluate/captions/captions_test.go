package captions

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
	"gaze/pkg/transform"
)

// rectangle is a mask of a picture of 16×16 pixels, in which cells of 8×8 pixels
// make a grid of 2×2.
func rectangle(x0, y0, x1, y1 int) *transform.Image {
	m := transform.NewImage(16, 16, 1)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			m.Pix[y*16+x] = 255
		}
	}
	return m
}

// said is a caption of one layer and one head, a map for each piece.
func said(maps map[string][]float32, pieces ...string) caption.Result {
	r := caption.Result{Grid: [2]int{2, 2}, Input: [2]int{16, 16}}
	var text []string
	for _, p := range pieces {
		m := maps[p]
		if m == nil {
			m = []float32{0.25, 0.25, 0.25, 0.25}
		}
		r.Tokens = append(r.Tokens, caption.Token{Text: p})
		r.Attention = append(r.Attention, [][][]float32{{m}})
		if p != "[SEP]" {
			text = append(text, p)
		}
	}
	r.Text = strings.Join(text, " ")
	return r
}

var testConfig = caption.Small(20) // of which only the stride matters: 8

// madeScenes are two scenes with captions that say what they show.
func madeScenes() ([]scenes.Scene, []caption.Result) {
	dog := scenes.Scene{
		Captions: []string{"a brown dog on a bench", "a dog on a bench"}, Count: 1,
		Nouns: []scenes.Noun{
			{Word: "dog", Words: []string{"dog"}, Kind: scenes.Animal, Mask: rectangle(0, 0, 8, 8)}, // cell 0
			{Word: "bench", Words: []string{"bench"}, Kind: scenes.Thing, Mask: rectangle(8, 8, 12, 16)},
			{Word: "brown", Words: []string{"brown"}, Kind: scenes.Colour, Mask: rectangle(0, 0, 8, 8)},
		},
	}
	dogs := scenes.Scene{
		Captions: []string{"two dogs near a bench", "two dogs on a bench"}, Count: 2,
		Nouns: []scenes.Noun{
			{Word: "dogs", Words: []string{"dogs"}, Kind: scenes.Animal, Mask: rectangle(0, 8, 16, 16)},
			{Word: "bench", Words: []string{"bench"}, Kind: scenes.Thing, Mask: rectangle(0, 0, 8, 16)}, // cells 0 and 2
		},
	}
	one := said(map[string][]float32{
		"dog":   {0.7, 0.1, 0.1, 0.1}, // on cell 0: hit, share 0.7
		"brown": {0.2, 0.4, 0.2, 0.2}, // beside it: share 0.2
		"bench": {0.1, 0.1, 0.2, 0.6}, // hit; half of cell 3: share 0.3
		"on":    {0.9, 0.1, 0, 0},     // reads "dog": hit, share 0.9
		"[SEP]": {0, 1, 0, 0},         // reads "bench": no hit
	}, "a", "brown", "dog", "on", "a", "bench", "[SEP]")
	two := said(map[string][]float32{
		"dog":   {0.3, 0.1, 0.4, 0.2}, // isn't in the picture: "dogs" are
		"bench": {0.1, 0.7, 0.1, 0.1}, // no hit, share 0.2
	}, "a", "dog", "on", "a", "bench")
	return []scenes.Scene{dog, dogs}, []caption.Result{one, two}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6 || math.IsNaN(got) {
		t.Errorf("%s is %g, want %g", what, got, want)
	}
}

func TestMeasureByHand(t *testing.T) {
	list, results := madeScenes()
	r, err := Measure(list, results, testConfig)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "identical", r.Identical.Value, 0.5)
	near(t, "count right", r.CountRight.Value, 0.5)
	near(t, "subject right", r.SubjectRight.Value, 0.5)
	near(t, "mean words", r.MeanWords, 5.5)
	if len(r.Counts) != 2 || r.Counts[0].Right.Value != 1 || r.Counts[1].Count != 2 || r.Counts[1].Right.Value != 0 {
		t.Errorf("counts %+v", r.Counts)
	}
	near(t, "CIDEr", r.CIDEr.Value, r.Scores.CIDEr)
	near(t, "CIDEr's mean", (r.Said[0].CIDEr+r.Said[1].CIDEr)/2, r.Scores.CIDEr)

	cases := []struct {
		kind                                            string
		words                                           int
		hit, shuffled, reading, chance                  float64
		share, shareShuffled, shareReading, shareChance float64
	}{
		{"animal", 1, 1, 0, 1, 0.25, 0.7, 0, 0.9, 0.25},
		{"colour", 1, 0, 0, 1, 0.25, 0.2, 0, 0.7, 0.25},
		// "bench" twice: each is the other's shuffled one; the second isn't read.
		{"thing", 2, 0.5, 0, 0, 0.375, 0.25, (0.05 + 0.3) / 2, 0, (0.125 + 0.5) / 2},
		{"nouns", 3, 2.0 / 3, 0, 0.5, 1.0 / 3, (0.7 + 0.3 + 0.2) / 3, 0.175, 0.45, (0.25 + 0.125 + 0.5) / 3},
		{"all", 4, 0.5, 0, 2.0 / 3, 1.25 / 4, 1.4 / 4, 0.175, 1.6 / 3, 1.125 / 4},
	}
	for _, c := range cases {
		l, ok := r.Layer(-1, c.kind)
		if !ok || l.Words != c.words {
			t.Errorf("%s: %v, %d words, want %d", c.kind, ok, l.Words, c.words)
			continue
		}
		near(t, c.kind+" hit", l.Hit.Value, c.hit)
		near(t, c.kind+" hit shuffled", l.HitShuffled.Value, c.shuffled)
		near(t, c.kind+" hit reading", l.HitReading.Value, c.reading)
		near(t, c.kind+" hit chance", l.HitChance, c.chance)
		near(t, c.kind+" share", l.Share.Value, c.share)
		near(t, c.kind+" share shuffled", l.ShareShuffled.Value, c.shareShuffled)
		near(t, c.kind+" share reading", l.ShareReading.Value, c.shareReading)
		near(t, c.kind+" share chance", l.ShareChance, c.shareChance)
	}
	if _, ok := r.Layer(0, "person"); ok {
		t.Error("there are persons")
	}
	if _, ok := r.Layer(1, "all"); ok {
		t.Error("there is a second layer")
	}
}

// TestArticlesByHand: in the first caption "a brown dog" and "a bench", whose
// articles look everywhere alike, each with the other's noun.
func TestArticlesByHand(t *testing.T) {
	list, results := madeScenes()
	r, err := Measure(list, results, testConfig)
	if err != nil {
		t.Fatal(err)
	}
	dog, bench := 0.25/(0.5*math.Sqrt(0.52)), 0.25/(0.5*math.Sqrt(0.42))
	if len(r.Articles) != 1 || r.Articles[0].Articles != 2 {
		t.Fatalf("articles %+v", r.Articles)
	}
	near(t, "own", r.Articles[0].Own.Value, (dog+bench)/2)
	near(t, "others", r.Articles[0].Others.Value, (dog+bench)/2)
}

func TestWords(t *testing.T) {
	pieces := func(text string) caption.Result { return said(nil, strings.Fields(text)...) }
	got := wordsOf(pieces("a surf ##board [UNK] ##s [SEP]"))
	if want := []word{{"a", 0, 0}, {"surfboard", 1, 2}, {"##s", 4, 4}}; !slices.Equal(got, want) {
		t.Errorf("words %v, want %v", got, want)
	}
	for text, want := range map[string]int{
		"there are three sheep in a field": 3, "two men": 2, "an orange cat": 1, "one dog": 1, "sheep on the grass": 0, "": 0,
	} {
		if n := countOf(wordsOf(pieces(text))); n != want {
			t.Errorf("%q counts %d, want %d", text, n, want)
		}
	}
	man := scenes.Noun{Word: "man", Words: []string{"man"}, Kind: scenes.Person}
	for text, want := range map[string]bool{
		"a man walking a dog": true, "a person walking a dog": true, "a dog with a man": false, "a red bike": false,
	} {
		if subjectRight(wordsOf(pieces(text)), man) != want {
			t.Errorf("%q: the subject's being right isn't %v", text, want)
		}
	}
	for text, want := range map[string]int{
		"a brown and white cow": 0, "in the field": 1, "holding an umbrella": 1, "slice of pizza": -1, "cow": -1,
	} {
		w := wordsOf(pieces(text))
		if at := articleOf(w, len(w)-1); at != want {
			t.Errorf("the article of %q is %d, want %d", text, at, want)
		}
	}
	nouns := []scenes.Noun{{Word: "shirt", Words: []string{"shirt"}, Kind: scenes.Thing}, {Word: "green", Words: []string{"green"}, Kind: scenes.Colour}}
	w := wordsOf(pieces("man in a green shirt in a green field"))
	if nounOf(w, 3, nouns) != 1 || nounOf(w, 7, nouns) != -1 || nounOf(w, 4, nouns) != 0 || nounOf(w, 0, nouns) != -1 {
		t.Error("nouns of words are wrong")
	}
}

// TestReferencesScoreThemselves draws scenes and says a reference of each: all is
// right, and each subject is known.
func TestReferencesScoreThemselves(t *testing.T) {
	var list []scenes.Scene
	var results []caption.Result
	for i := range 60 {
		s, err := scenes.Draw(3, i, 16, scenes.Splits()[i%4])
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Captions {
			list = append(list, s)
			results = append(results, said(nil, strings.Fields(c)...))
		}
		if n := s.Nouns[0]; !slices.Contains(subjects, n.Word) {
			t.Errorf("the subject %q isn't known", n.Word)
		}
	}
	for _, w := range slices.Concat(subjects, modifiers) {
		if !slices.Contains(scenes.Words(), w) {
			t.Errorf("%q isn't a word of the scenes", w)
		}
	}
	r, err := Measure(list, results, testConfig)
	if err != nil {
		t.Fatal(err)
	}
	if r.Identical.Value != 1 || r.CountRight.Value != 1 || r.SubjectRight.Value != 1 {
		t.Errorf("references: identical %v, count %v, subject %v", r.Identical.Value, r.CountRight.Value, r.SubjectRight.Value)
	}
}

func TestCoverage(t *testing.T) {
	cases := []struct {
		name   string
		mask   *transform.Image
		input  [2]int
		stride int
		want   []float64
	}{
		{"whole cells", rectangle(0, 0, 8, 8), [2]int{16, 16}, 8, []float64{1, 0, 0, 0}},
		{"parts", rectangle(4, 4, 12, 10), [2]int{16, 16}, 8, []float64{0.25, 0.25, 0.125, 0.125}},
		{"another size", rectangle(4, 4, 12, 10), [2]int{32, 32}, 16, []float64{0.25, 0.25, 0.125, 0.125}},
		// cells of 10 and 2 of 12 pixels, 13 1/3 and 2 2/3 of 16
		{"a cell that ends with the picture", rectangle(0, 0, 16, 14), [2]int{12, 12}, 10, []float64{1, 1, (14 - 40.0/3) / (16 - 40.0/3), (14 - 40.0/3) / (16 - 40.0/3)}},
	}
	for _, c := range cases {
		got := Coverage(c.mask, c.input, c.stride)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d cells", c.name, len(got))
			continue
		}
		for i := range got {
			near(t, c.name, got[i], c.want[i])
		}
	}
}

// fake says the same of each picture.
type fake struct {
	result caption.Result
	calls  int
	err    error
}

func (f *fake) Config() caption.Config { return testConfig }

func (f *fake) Caption(images []*transform.Image, _ caption.Options) ([]caption.Result, error) {
	f.calls++
	return slices.Repeat([]caption.Result{f.result}, len(images)), f.err
}

func TestEvaluate(t *testing.T) {
	f := &fake{result: said(nil, "a", "man", "riding", "a", "bike", "[SEP]")}
	f.result.Grid, f.result.Input = [2]int{2, 2}, [2]int{16, 16}
	set := Set{Seed: 1, Split: scenes.HeldOut, First: 5, Count: 40, Size: 16}
	var reports []*Report
	for workers := range 3 {
		var seen []int
		r, err := Evaluate(context.Background(), f, set, Options{Workers: workers, Progress: func(done, total int) { seen = append(seen, done, total) }})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(seen, []int{32, 40, 40, 40}) {
			t.Errorf("progress %v", seen)
		}
		reports = append(reports, r)
	}
	if !reflect.DeepEqual(reports[0], reports[1]) || !reflect.DeepEqual(reports[0], reports[2]) {
		t.Error("the number of workers changes the report")
	}
	r := reports[0]
	if r.Pictures != 40 || r.Said[39].Index != 44 || r.Set != "pictures 5 to 44 of heldout, seed 1, 16 pixels" {
		t.Errorf("%d pictures, the last is %d, %s", r.Pictures, r.Said[39].Index, r.Set)
	}
	right := 0
	for i := range 40 {
		s, err := scenes.Draw(1, 5+i, 16, scenes.HeldOut)
		if err != nil {
			t.Fatal(err)
		}
		if s.Count == 1 {
			right++
		}
	}
	near(t, "count right", r.CountRight.Value, float64(right)/40)
}

func TestEvaluateErrors(t *testing.T) {
	good := Set{Count: 2, Size: 16}
	f := &fake{result: said(nil, "a")}
	for what, run := range map[string]func() error{
		"a set of 0": func() error { _, err := Evaluate(context.Background(), f, Set{}, Options{}); return err },
		"counted": func() error {
			_, err := Evaluate(context.Background(), f, Set{Count: 1, First: -1}, Options{})
			return err
		},
		"scenes": func() error {
			_, err := Evaluate(context.Background(), f, Set{Count: 1, Size: 3}, Options{})
			return err
		},
		"2 scenes": func() error { _, err := Measure(make([]scenes.Scene, 2), nil, testConfig); return err },
		"cells are": func() error {
			_, err := Evaluate(context.Background(), f, good, Options{Caption: caption.Options{Masked: [][]bool{}}})
			return err
		},
		"it was said": func() error {
			_, err := Evaluate(context.Background(), &fake{err: errors.New("it was said")}, good, Options{})
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Evaluate(ctx, f, good, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
