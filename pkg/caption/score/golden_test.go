package score

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// golden reads a file that tools/golden/score.py has written.
func golden(t testing.TB, name string, to any) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(to); err != nil {
		t.Fatal(err)
	}
}

// near fails unless two scores agree to 1e-9.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func TestTokensEqualTheOriginals(t *testing.T) {
	var g struct{ Lines, Tokens []string }
	golden(t, "tokens.json.gz", &g)
	if len(g.Lines) < 4000 {
		t.Fatalf("%d lines only", len(g.Lines))
	}
	for i, got := range Tokenize(g.Lines) {
		if got != g.Tokens[i] {
			t.Errorf("line %d %q is\n%q, want\n%q", i, g.Lines[i], got, g.Tokens[i])
		}
	}
}

type scoreCase struct {
	Name   string
	Refs   [][]string
	Hyps   []string
	Corpus [7]float64
	Each   [][7]float64
}

// tokenized brings a case's captions into the form that metrics take.
func (c scoreCase) tokenized() (refs [][]string, hyps []string) {
	var all []string
	for _, r := range c.Refs {
		all = append(all, r...)
	}
	all = Tokenize(all)
	for _, r := range c.Refs {
		refs = append(refs, all[:len(r)])
		all = all[len(r):]
	}
	return refs, Tokenize(c.Hyps)
}

var metrics = [7]string{"BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr", "CIDEr unclipped"}

func TestScoresEqualTheOriginals(t *testing.T) {
	var cases []scoreCase
	golden(t, "scores.json.gz", &cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			refs, hyps := c.tokenized()
			bleu, eachBLEU := BLEU(refs, hyps)
			rouge, eachROUGE := ROUGEL(refs, hyps)
			cider, eachCIDEr := CIDEr(refs, hyps)
			plain, eachPlain := CIDErUnclipped(refs, hyps)
			for m, got := range []float64{bleu[0], bleu[1], bleu[2], bleu[3], rouge, cider, plain} {
				near(t, metrics[m], got, c.Corpus[m])
			}
			if len(c.Each) != len(hyps) {
				t.Fatalf("%d scores for %d pictures", len(c.Each), len(hyps))
			}
			for i, want := range c.Each {
				b := eachBLEU[i]
				for m, got := range []float64{b[0], b[1], b[2], b[3], eachROUGE[i], eachCIDEr[i], eachPlain[i]} {
					near(t, metrics[m]+" of "+hyps[i], got, want[m])
				}
			}
		})
	}
}
