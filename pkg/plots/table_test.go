package plots

import (
	"math"
	"strings"
	"testing"
)

func results() Table {
	return Table{
		Caption: "Accuracy <test>",
		Columns: []Column{
			{Name: "Model"}, {Name: "Top-1 & 5", Format: "%.2f", Best: BestHighest},
			{Name: "Loss", Format: "%.1f", Best: BestLowest, Align: AlignCenter}, {Name: "Steps"},
		},
		Rows: [][]any{
			{"ViT-B/16 | \"x\"", 0.843, 1.04, 100},
			{"<b>DINO\nv2</b>", 0.871, float32(1.01), int64(-2000)},
			{"none", math.NaN(), nil},
		},
		Highlight: []int{1},
	}
}

func TestTableHTML(t *testing.T) {
	got := results().HTML()
	_, elements := wellFormed(t, got)
	if elements["tr"] != 4 || elements["td"] != 12 || elements["th"] != 4 || elements["b"] != 0 || elements["caption"] != 1 {
		t.Errorf("elements %v", elements)
	}
	for _, want := range []string{
		"Accuracy &lt;test&gt;", "&lt;b&gt;DINO v2&lt;/b&gt;", "Top-1 &amp; 5", "font-weight:700\">0.87<", "−2000",
		"background:rgba(86,180,233,0.20)", `text-align:right;padding:3px 12px;border:none;border-top:none">0.84<`, "text-align:center",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "font-weight:700\">0.84<") || strings.Contains(got, "<script") {
		t.Errorf("too much in\n%s", got)
	}
	// Both losses are shown as 1.0: neither is better.
	if n := strings.Count(got, `font-weight:700">1.0<`); n != 2 {
		t.Errorf("%d best losses", n)
	}
}

func TestTableText(t *testing.T) {
	want := strings.TrimPrefix(`
Accuracy <test>
Model             Top-1 & 5  Loss  Steps
────────────────  ─────────  ────  ─────
ViT-B/16 | "x"        0.84   1.0*    100
* <b>DINO v2</b>      0.87*  1.0*  −2000
none                     –    –        –
`, "\n")
	if got := results().String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTableMarkdown(t *testing.T) {
	want := "**Accuracy <test>**\n\n" +
		"| Model                | Top-1 & 5 |  Loss   | Steps |\n"
	got := results().Markdown()
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, part := range []string{`ViT-B/16 \| "x"`, "&lt;b>DINO v2&lt;/b>", "**0.87**", "| --------: | :-----: | ----: |"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
}

func TestTableOfNothing(t *testing.T) {
	var empty Table
	wellFormed(t, empty.HTML())
	if s := empty.String(); strings.TrimSpace(s) != "" {
		t.Errorf("%q", s)
	}
	numbers := Table{Columns: []Column{{Name: "n", Best: BestHighest}}, Rows: [][]any{{uint8(1)}, {uint32(2)}, {uint64(3)}, {int32(-4)}, {math.Inf(1)}, {}}}
	if s := numbers.String(); !strings.Contains(s, "+Inf*") || !strings.Contains(s, "−4") {
		t.Error(s)
	}
}

func TestTableWithoutHeads(t *testing.T) {
	facts := Table{Columns: []Column{{}, {}}, Rows: [][]any{{"layout", "timm"}, {"difference", "-1.2 to +0.7"}}}
	_, elements := wellFormed(t, facts.HTML())
	if elements["thead"] != 0 || elements["th"] != 2 || elements["td"] != 2 {
		t.Errorf("elements %v", elements)
	}
	if got, want := facts.String(), "layout      timm\ndifference  −1.2 to +0.7\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(facts.Markdown(), "---") {
		t.Error("Markdown needs a head")
	}
}

// Intervals stay on one line, other text may be broken.
func TestTableBreaksNoIntervals(t *testing.T) {
	for text, whole := range map[string]bool{
		"0.65 to 0.84": true, "44.6 (39.6 to 49.7)": true, "-1.2 to +0.7": true, "84.6 ± 3.4": true, "12": false, "98.10 %": true, "97.1 to 99.2 %": true,
		"a good rate": false, "": false, "12 pictures": false, "Adam 1e-6": false,
	} {
		table := Table{Columns: []Column{{Name: "x"}, {Name: "y"}}, Rows: [][]any{{"name", text}}}
		if got := strings.Contains(table.HTML(), "nowrap"); got != whole {
			t.Errorf("%q is kept whole: %v", text, got)
		}
	}
}

func TestSigns(t *testing.T) {
	for in, want := range map[string]string{
		"-1.2 (-3 to +0.4)": "−1.2 (−3 to +0.4)", "1e-6": "1e-6", "p = 2.98e-06": "p = 2.98e-6", "3e+08 pixels": "3e+8 pixels", "run1e-05": "run1e-05", "1e-05.jpg": "1e-05.jpg", "1e05": "1e05", "at 2e-05.": "at 2e-5.", "ViT-S/14": "ViT-S/14", "2-3": "2-3", "± -.5": "± −.5", "- 5 items": "- 5 items", "--seed": "--seed", "": "",
	} {
		if got := Signs(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
