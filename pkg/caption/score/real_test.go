package score

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gaze/internal/realdata"
)

func load(t *testing.T, name string, to any) {
	t.Helper()
	data, err := os.ReadFile(realdata.Path(t, "captions", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatal(err)
	}
}

// expected compares published figures, rounded as they are.
func expected(t *testing.T, refs [][]string, hyps []string, want map[string]any, tolerance float64) {
	t.Helper()
	bleu, _ := BLEU(refs, hyps)
	rouge, _ := ROUGEL(refs, hyps)
	cider, _ := CIDEr(refs, hyps)
	for name, got := range map[string]float64{
		"Bleu_1": bleu[0], "Bleu_2": bleu[1], "Bleu_3": bleu[2], "Bleu_4": bleu[3], "ROUGE_L": rouge, "CIDEr": cider,
	} {
		if w, ok := want[name].(float64); !ok || math.Abs(got-w) > tolerance {
			t.Errorf("%s of %q is %.8f, published %v", name, hyps, got, want[name])
		}
	}
}

func TestNLGEvalsFigures(t *testing.T) {
	var g struct {
		Corpus struct {
			Hyp      []string
			Refs     [][]string
			Expected map[string]any
		}
		Single []struct {
			Hyp      string
			Refs     []string
			Expected map[string]any
		}
	}
	load(t, "nlgeval_expected.json", &g)
	// Its list of references is one per position: the first of every sentence, then the second.
	refs := make([][]string, len(g.Corpus.Hyp))
	copy(refs, g.Corpus.Refs)
	expected(t, refs, g.Corpus.Hyp, g.Corpus.Expected, 1e-5)
	for _, s := range g.Single {
		expected(t, [][]string{s.Refs}, []string{s.Hyp}, s.Expected, 1e-5)
	}
}

// COCO's own tokens of five pictures' references are ours.
func TestCOCOsTokens(t *testing.T) {
	var g struct {
		Images []struct {
			Sentences []struct {
				Raw    string
				Tokens []string
			}
		}
	}
	load(t, "coco_karpathy_5images.json", &g)
	var refs [][]string
	var first []string
	for _, im := range g.Images {
		var raw []string
		for _, s := range im.Sentences {
			raw = append(raw, s.Raw)
		}
		refs = append(refs, Tokenize(raw))
		first = append(first, Tokenize(raw[:1])...)
	}
	if len(refs) != 5 || len(refs[0]) != 5 {
		t.Fatalf("%d pictures", len(refs))
	}
	_, each := ROUGEL(refs, first)
	for i, s := range each {
		near(t, "ROUGE-L of a reference "+first[i], s, 1)
	}
}

func TestThousandResults(t *testing.T) {
	hyps, err := ReadResults(realdata.Path(t, "captions", "captions_val2014_fakecap_results.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(hyps) != 1000 {
		t.Fatalf("%d results", len(hyps))
	}
	refs := &References{Path: "themselves", Captions: map[string][]string{}}
	for _, h := range hyps {
		refs.Images = append(refs.Images, h.Image)
		refs.Captions[h.Image] = []string{h.Text}
	}
	r, err := Evaluate(refs, hyps)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "CIDEr of captions against themselves", r.Corpus.CIDErUnclipped, r.Corpus.CIDEr)
	near(t, "ROUGE-L of captions against themselves", r.Corpus.ROUGEL, 1)
	if math.Abs(r.Corpus.BLEU4-1) > 1e-6 {
		t.Errorf("BLEU-4 is %g", r.Corpus.BLEU4)
	}
}

// clipscore publishes the figures of its two pictures' good and bad captions.
func TestClipscoresFigures(t *testing.T) {
	var published map[string]json.RawMessage
	load(t, "clipscore_expected.json", &published)
	read := func(name string, to any) {
		data, err := os.ReadFile(realdata.Path(t, "images", "clipscore_mit", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, to); err != nil {
			t.Fatal(err)
		}
	}
	var refs map[string][]string
	read("refs.json", &refs)
	for _, name := range []string{"good", "bad"} {
		var hyps map[string]string
		read(name+"_captions.json", &hyps)
		var want map[string]any
		if err := json.Unmarshal(published[name], &want); err != nil {
			t.Fatal(err)
		}
		lists := [][]string{Tokenize(refs["image1"]), Tokenize(refs["image2"])}
		expected(t, lists, Tokenize([]string{hyps["image1"], hyps["image2"]}), want, 1e-6)
	}
}
