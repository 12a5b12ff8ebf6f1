package score

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
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

// realTexts returns the captions of pycocoevalcap's results, and the references
// of COCO's five pictures.
func realTexts(t *testing.T) (results []string, coco [][]string) {
	t.Helper()
	list, err := ReadResults(realdata.Path(t, "captions", "captions_val2014_fakecap_results.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		results = append(results, c.Text)
	}
	var g struct {
		Images []struct{ Sentences []struct{ Raw string } }
	}
	load(t, "coco_karpathy_5images.json", &g)
	for _, im := range g.Images {
		var raw []string
		for _, s := range im.Sentences {
			raw = append(raw, s.Raw)
		}
		coco = append(coco, raw)
	}
	return results, coco
}

func TestRealCaptions(t *testing.T) {
	results, coco := realTexts(t)
	data, err := os.ReadFile("testdata/real.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Tokens        string `json:"tokens_sha256"`
		Threes, First [7]float64
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	tokens := Tokenize(append(slices.Clone(results), slices.Concat(coco...)...))
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(tokens, "\n")))); got != want.Tokens {
		t.Errorf("tokens are %s, want %s", got, want.Tokens)
	}
	threes, first := scoreCase{}, scoreCase{}
	for i := 0; i+2 < len(results); i += 3 {
		threes.Refs = append(threes.Refs, results[i:i+2])
		threes.Hyps = append(threes.Hyps, results[i+2])
	}
	for _, raw := range coco {
		first.Refs = append(first.Refs, raw[1:])
		first.Hyps = append(first.Hyps, raw[0])
	}
	for _, c := range []struct {
		scoreCase
		want [7]float64
	}{{threes, want.Threes}, {first, want.First}} {
		refs, hyps := c.tokenized()
		bleu, _ := BLEU(refs, hyps)
		rouge, _ := ROUGEL(refs, hyps)
		cider, _ := CIDEr(refs, hyps)
		plain, _ := CIDErUnclipped(refs, hyps)
		for m, got := range []float64{bleu[0], bleu[1], bleu[2], bleu[3], rouge, cider, plain} {
			near(t, metrics[m], got, c.want[m])
		}
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
