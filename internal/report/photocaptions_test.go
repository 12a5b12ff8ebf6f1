package report

import (
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/caption"
	"gaze/pkg/evaluate"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/transform"
)

// TestCaptionPictures: the pictures to caption are your own, else the report's, else those
// that ship.
func TestCaptionPictures(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv(EnvImages, "")
	five := []string{"bike.jpg", "girl.jpg", "sheep.jpg", "ski.jpg", "umbrella.jpg"}
	beside := func(names []string) (clone string) {
		var paths []string
		for _, n := range names {
			paths = append(paths, "shared/data/local_only/p2_images/"+n)
		}
		return filepath.Join(files(t, append(paths, "clone/go.mod")...), "clone")
	}
	ships := "giraffe.jpg pizza.jpg skier.jpg surfer.jpg train.jpg"
	for name, test := range map[string]struct{ root, own, want, from, credit string }{
		"no clone":      {want: ships, from: "COCO val2017", credit: "CC BY"},
		"a clone alone": {root: beside(nil), want: ships, from: "COCO val2017", credit: "CC BY"},
		"four of five":  {root: beside(five[:4]), want: ships, from: "COCO val2017", credit: "CC BY"},
		"the report's":  {root: beside(five), want: strings.Join(five, " "), from: "the report's own", credit: "don't publish"},
		"your own":      {root: beside(five), own: files(t, "b.jpg", "a.png"), want: "a.png b.jpg", from: EnvImages},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(EnvImages, test.own)
			set, err := CaptionPictures(test.root)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, p := range set.Pictures {
				names = append(names, p.Name)
				if (p.Credit == "") != (test.credit == "") || !strings.Contains(p.Credit, test.credit) {
					t.Errorf("%s: credit %q", p.Name, p.Credit)
				}
			}
			if strings.Join(names, " ") != test.want || !strings.Contains(set.From, test.from) {
				t.Errorf("%q from %q", names, set.From)
			}
		})
	}
}

func TestExpectCaptions(t *testing.T) {
	interval := func(v float64) evaluate.Interval { return evaluate.Interval{Value: v, Low: v - 0.05, High: v + 0.05} }
	scored := func(name string, v float64) *PhotosScore {
		return &PhotosScore{Name: name, Pictures: 200, CIDEr: interval(v), BLEU4: interval(0.2), ROUGEL: interval(0.45), Repeats: interval(0.01)}
	}
	r := &PhotosRecord{
		Pictures: 1484, Captions: 7420, Baselines: []PhotosScore{*scored("nearest", 0.31)},
		Seeds: []PhotosSeed{{1, scored("seed 1", 0.64), scored("blind", 0.08)}, {2, scored("seed 2", 0.61), scored("blind", 0.09)}},
	}
	text := ExpectCaptions(r)
	for _, want := range []string{"1484 photographs with 7420 captions", "On 200 others", "CIDEr **0.64**", "0.59 to 0.69", "2 seeds, CIDEr is 0.61 to 0.64", "| nearest | 0.31 |", "grey picture | 0.08", "above all others", "1.0 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q:\n%s", want, text)
		}
	}
	r.Baselines[0].CIDEr.High = 0.6
	if text := ExpectCaptions(r); !strings.Contains(text, "isn't apart from that of: nearest") {
		t.Errorf("of overlapping intervals:\n%s", text)
	}
}

func TestParsePhotosRecord(t *testing.T) {
	drawn, err := hub.CaptionerRecord(hub.LaptopCaptioner)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"nothing": "", "not JSON": "{", "no seeds": `{"pictures": 3}`, "no scores": `{"seeds": [{"seed": 1}]}`, "of drawings": string(drawn)} {
		if _, err := ParsePhotosRecord([]byte(text)); err == nil || !strings.Contains(err.Error(), "captioner of photographs") {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := `{"pictures": 3, "seeds": [{"seed": 1, "scores": {"CIDEr": {"value": 0.5, "low": 0.4, "high": 0.6}}, "blind": {"name": "grey"}}]}`
	if r, err := ParsePhotosRecord([]byte(good)); err != nil || r.Seeds[0].Scores.CIDEr.High != 0.6 || r.Pictures != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzParsePhotosRecord(f *testing.F) {
	f.Add([]byte(`{"seeds": [{"seed": 1, "scores": {"CIDEr": {"value": 0.5}}, "blind": {}}], "baselines": [{}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := ParsePhotosRecord(text); err == nil && ExpectCaptions(r) == "" {
			t.Error("a record of which nothing is told")
		}
	})
}

// captioned is "a dog on the grass" with one-hot maps over 3×3 cells.
func captioned(t *testing.T, cells ...int) *explain.Captioned {
	t.Helper()
	var r caption.Result
	r.Text, r.Grid, r.Input = "a dog on the grass", [2]int{3, 3}, [2]int{6, 6}
	for i, w := range []string{"a", "dog", "on", "the", "grass", "[SEP]"} {
		m := make([]float32, 9)
		m[cells[i]] = 1
		r.Tokens = append(r.Tokens, caption.Token{ID: 5 + i, Text: w, LogProb: -0.1 * float64(i)})
		r.Attention = append(r.Attention, [][][]float32{{m}})
	}
	cfg := caption.Config{EndID: 10}
	cfg.Backbone.Kind = "patches"
	c, err := explain.NewCaptioned("dog.jpg", &transform.Image{Width: 2, Height: 2, Channels: 3, Pix: make([]uint8, 12)}, r, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnalyseCaption(t *testing.T) {
	refs := []string{"A dog on grass.", "The puppy stands on a lawn."}
	text, err := AnalyseCaption(captioned(t, 0, 0, 4, 8, 8, 1), refs)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"**a dog on the grass**", "surest of *a* (100 %) and least sure of *grass* (67 %)", "as if at 1 of 9 cells",
		"*dog* at the top left, *grass* at the bottom right", "own noun's 1.00, with other nouns' 0.00", "Each of its words is in what 2 people wrote",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q:\n%s", want, text)
		}
	}
	text, err = AnalyseCaption(captioned(t, 4, 4, 4, 4, 4, 4), refs[1:])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"*dog* in the middle", "they hardly depend on the word", "None of 1 people wrote *dog*, *grass*"} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q:\n%s", want, text)
		}
	}
	if text, err = AnalyseCaption(captioned(t, 4, 4, 4, 4, 4, 4), nil); err != nil || strings.Contains(text, "wrote") {
		t.Errorf("%v; without references:\n%s", err, text)
	}
}

func TestCaptionAgreement(t *testing.T) {
	set := CaptionSet{Pictures: []Picture{{Name: "dog.jpg", References: []string{"a dog on the grass", "A dog on the grass.", "a cat"}}}}
	all := []*explain.Captioned{captioned(t, 0, 0, 0, 0, 0, 0)}
	table := CaptionAgreement(set, all)
	// The caption equals a reference whichever is left out; of the three, two equal another.
	if row := table.Rows[0]; table.Caption != "" || len(row) != 5 || row[3] != 1.0 || row[4].(float64) < 2.0/3 || row[4].(float64) >= 1 {
		t.Errorf("the row is %v", row)
	}
	set.Pictures[0].References = nil
	if table := CaptionAgreement(set, all); len(table.Columns) != 2 || len(table.Rows[0]) != 2 || !strings.Contains(table.Caption, "isn't known") {
		t.Errorf("without references: %v", table)
	}
}

// TestShippedPhotosRecord: the record beside the captioner that ships can be told.
func TestShippedPhotosRecord(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	if _, ok := hub.Lookup(hub.PhotosCaptioner); !ok {
		t.Skipf("this program lists no %s", hub.PhotosCaptioner)
	}
	text, err := hub.CaptionerRecord(hub.PhotosCaptioner)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParsePhotosRecord(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Baselines) < 2 || r.Pictures == 0 || r.Captions == 0 || len(r.Seeds) < 3 {
		t.Errorf("%d baselines, %d photographs, %d captions, %d seeds: the report tells of 2, some, some and 3", len(r.Baselines), r.Pictures, r.Captions, len(r.Seeds))
	}
}
