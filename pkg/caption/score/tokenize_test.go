package score

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestTokenize(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"A man, riding a bike.", "a man riding a bike"},
		{"You cannot; they're gonna.", "you can not they 're gon na"},
		{"The dogs' bowl isn't full (yet)", "the dogs bowl is n't full -lrb- yet -rrb-"},
		{"about 1 1/2 pizzas", "about 1\u00a01/2 pizzas"},
		{"£5, 3¢ or €4", "# 5 3 cents or $ 4"},
		{"a😀b", "a b"},
		{"what?! no!!", "what ?! no !!"},
		{"two\nlines\r\nand\u2028more", "two lines and more"},
		{"not \xff valid", "not valid"},
		{"vitamin B", "vitamin b"},
		{"&quot;a&QUOT;", "a &quot;"}, // an entity in capitals is read but not known
	} {
		if got := Tokenize([]string{c.in})[0]; got != c.want {
			t.Errorf("%q is %q, want %q", c.in, got, c.want)
		}
	}
	if got := Tokenize(nil); got != nil {
		t.Errorf("nothing is %q", got)
	}
}

// The beginning of a caption decides what the end of the one before is.
func TestTokenizeKnowsTheNextCaption(t *testing.T) {
	for _, c := range []struct{ next, want string }{
		{"a man", "a piece of art"},
		{"3 men", "a piece of art."},
	} {
		if got := Tokenize([]string{"a piece of art.", c.next})[0]; got != c.want {
			t.Errorf("before %q it is %q, want %q", c.next, got, c.want)
		}
	}
}

func TestTokenizeConcurrently(t *testing.T) {
	texts := []string{"It's 5 p.m. in the U.S.", "www.example.com/x is a site", "1,000 sheep"}
	want := Tokenize(texts)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if got := Tokenize(texts); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
	wait.Wait()
}

func TestLowerIsJavas(t *testing.T) {
	for in, want := range map[string]string{
		"\u0130stanbul": "i\u0307stanbul", "ΟΔΟΣ": "οδος", "ΟΔΟΣ.": "οδος.", "Σ": "σ", "ΑΣΑ": "ασα", "ΟΣ-ΑΣ": "οσ-ας", "ΟΣ-5": "ος-5",
	} {
		if got := lower(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestUnknownPieceIsFound(t *testing.T) {
	for name, f := range map[string]func(){
		"piece":   func() { expand("{nothing}", nil) },
		"pattern": func() { newAutomaton([]string{"("}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a wrong %s passes", name)
				}
			}()
			f()
		}()
	}
}

// Any text has as many lines of tokens as captions, without punctuation, empty
// tokens or capitals of ASCII.
func FuzzTokenize(f *testing.F) {
	var g struct{ Lines []string }
	golden(f, "tokens.json.gz", &g)
	for i := 0; i < len(g.Lines); i += 50 {
		f.Add(g.Lines[i], g.Lines[i/2])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got := Tokenize([]string{a, b, a})
		if len(got) != 3 {
			t.Fatalf("%d captions", len(got))
		}
		for _, line := range got {
			if line == "" {
				continue
			}
			for _, token := range strings.Split(line, " ") {
				if punctuation[token] || strings.ContainsAny(token, "ABCXYZ\n") {
					t.Errorf("token %q in %q", token, line)
				}
			}
		}
		if again := Tokenize([]string{a, b, a}); !slices.Equal(again, got) {
			t.Errorf("%q, then %q", got, again)
		}
	})
}

func BenchmarkTokenize(b *testing.B) {
	captions := slices.Repeat([]string{"A man in a red shirt and a red hat is on a motorcycle on a hill side."}, 1000)
	for b.Loop() {
		Tokenize(captions)
	}
}
