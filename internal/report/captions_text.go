package report

import (
	"fmt"
	"strings"

	"gaze/pkg/caption/score"
	"gaze/pkg/evaluate/captions"
)

// DiscussCaptions is the text on the tests of a captioner, in Markdown: what it
// learnt and what was difficult. one is [captions.OneReference] of the held-out set;
// runs may be empty.
func DiscussCaptions(test, heldOut *captions.Report, one score.Scores, cause *captions.OcclusionReport, runs []captions.Run) string {
	var b strings.Builder
	b.WriteString("**What was learnt.**\n\n")
	b.WriteString(quality(heldOut, one))
	if text := taught(heldOut, runs); text != "" {
		b.WriteString(text)
	}
	b.WriteString(articles(heldOut))
	fmt.Fprintf(&b, "- It needs what it attends to: with an object's cells masked in every layer it still names %.0f %% of %d objects, "+
		"with the same shape masked elsewhere %.0f %%.\n", 100*cause.All.Named.Value, cause.All.Objects, 100*cause.All.Elsewhere.Value)
	b.WriteString("\n**What was difficult.**\n\n")
	fmt.Fprintf(&b, "- Combinations that were never shown cost %.2f of CIDEr: %.2f instead of %.2f on new pictures of known ones.\n",
		test.Scores.CIDEr-heldOut.Scores.CIDEr, heldOut.Scores.CIDEr, test.Scores.CIDEr)
	b.WriteString(least(heldOut))
	b.WriteString(words(cause))
	if last, ok := heldOut.Layer(-1, captions.Nouns); ok {
		fmt.Fprintf(&b, "- A map belongs to the step that *predicts* its word. The step after, which reads the word, lies on the noun in only %.0f %%: "+
			"shifting maps by one, an easy mistake, shows something else.\n", 100*last.HitReading.Value)
	}
	return b.String()
}

// quality tells how good the captions are.
func quality(r *captions.Report, one score.Scores) string {
	return fmt.Sprintf("- The captions of %d pictures of held-out combinations have a CIDEr of %.2f and a BLEU-4 of %.3f. One of the pictures' own "+
		"references has %.2f and %.3f against the other four: always saying the likeliest thing scores higher than being as varied as the references. "+
		"%.0f %% equal a reference word for word, %.1f %% give the right number, %.1f %% the right subject.\n",
		r.Pictures, r.Scores.CIDEr, r.Scores.BLEU4, one.CIDEr, one.BLEU4,
		100*r.Identical.Value, 100*r.CountRight.Value, 100*r.SubjectRight.Value)
}

// taught is the pointing game of the last layer, and what it is without target maps.
func taught(r *captions.Report, runs []captions.Run) string {
	last, ok := r.Layer(-1, captions.AllWords)
	if !ok {
		return ""
	}
	text := fmt.Sprintf("- The last layer's map lies on what a noun or colour names in %.1f %% of %d words; another picture's map for the same word does in %.1f %%, chance in %.1f %%.",
		100*last.Hit.Value, last.Words, 100*last.HitShuffled.Value, 100*last.HitChance)
	for _, run := range runs {
		if run.Teach == 0 {
			if other, ok := run.HeldOut.Layer(-1, captions.AllWords); ok {
				text += fmt.Sprintf(" This was **taught**: masks were target maps in training. Trained without them, the maps hit in %.1f %%, with a CIDEr of %.2f.",
					100*other.Hit.Value, run.HeldOut.Scores.CIDEr)
			}
			break
		}
	}
	return text + "\n"
}

// articles tells how similar an article's map is to its noun's.
func articles(r *captions.Report) string {
	if len(r.Articles) == 0 {
		return ""
	}
	a := r.Articles[len(r.Articles)-1]
	if a.Articles == 0 {
		return ""
	}
	return fmt.Sprintf("- An article attends to where its noun will: their maps have a cosine of %.2f, an article's and other nouns' %.2f (%d articles).\n",
		a.Own.Value, a.Others.Value, a.Articles)
}

// least tells which count is hardest.
func least(r *captions.Report) string {
	worst := captions.Count{Right: r.CountRight}
	for _, c := range r.Counts {
		if c.Pictures >= 10 && c.Right.Value < worst.Right.Value {
			worst = c
		}
	}
	if worst.Count == 0 {
		return ""
	}
	return fmt.Sprintf("- Counting is hardest at %d: %.1f %% of %d pictures (%.0f to %.0f %%).\n",
		worst.Count, 100*worst.Right.Value, worst.Pictures, 100*worst.Right.Low, 100*worst.Right.High)
}

// words tells which objects are often named with their cells masked.
func words(cause *captions.OcclusionReport) string {
	var known []string
	for _, w := range cause.Words {
		if w.Objects >= 8 && w.Named.Value >= 0.3 {
			known = append(known, fmt.Sprintf("%s %.0f %%", w.Name, 100*w.Named.Value))
		}
	}
	if len(known) == 0 {
		return ""
	}
	return "- Some objects are named with their cells masked, from the rest of the picture and the words before: " + strings.Join(known, ", ") + ".\n"
}
