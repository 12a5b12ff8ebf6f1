package report

import (
	"fmt"
	"strings"

	"gaze/pkg/caption/score"
	"gaze/pkg/evaluate/captions"
)

// DiscussCaptions is the text about a captioner's tests, in Markdown: what it learnt and
// what was difficult. one is [captions.OneReference] of the held-out set; runs may be
// empty.
func DiscussCaptions(test, heldOut *captions.Report, one score.Scores, cause *captions.OcclusionReport, runs []captions.Run) string {
	var b strings.Builder
	b.WriteString("**What was learnt.**\n\n")
	b.WriteString(quality(heldOut, one))
	if text := targetMaps(heldOut, runs); text != "" {
		b.WriteString(text)
	}
	b.WriteString(articles(heldOut))
	fmt.Fprintf(&b, "- It needs the cells it attends to: with an object's cells masked in every layer it still names %.0f %% of %d objects, "+
		"with the same shape masked elsewhere %.0f %%.\n", 100*cause.All.Named.Value, cause.All.Objects, 100*cause.All.Elsewhere.Value)
	b.WriteString("\n**What was difficult.**\n\n")
	fmt.Fprintf(&b, "- Combinations that weren't in the training data cost %.2f of CIDEr: %.2f instead of %.2f on new pictures of known ones.\n",
		test.Scores.CIDEr-heldOut.Scores.CIDEr, heldOut.Scores.CIDEr, test.Scores.CIDEr)
	b.WriteString(least(heldOut))
	b.WriteString(words(cause))
	if last, ok := heldOut.Layer(-1, captions.Nouns); ok {
		fmt.Fprintf(&b, "- A map belongs to the step that *predicts* its word. The map of the next step, which reads the word, hits the noun in only %.0f %%: "+
			"shifting the maps by one step, an easy mistake, gives wrong results.\n", 100*last.HitReading.Value)
	}
	return b.String()
}

// quality describes the captions' scores.
func quality(r *captions.Report, one score.Scores) string {
	return fmt.Sprintf("- The captions of %d pictures of held-out combinations have a CIDEr of %.2f and a BLEU-4 of %.3f. One of the pictures' own "+
		"references has %.2f and %.3f against the other four: captions that always choose the likeliest words score higher than captions as varied as the references. "+
		"%.0f %% equal a reference word for word, %.1f %% give the right number, %.1f %% the right subject.\n",
		r.Pictures, r.Scores.CIDEr, r.Scores.BLEU4, one.CIDEr, one.BLEU4,
		100*r.Identical.Value, 100*r.CountRight.Value, 100*r.SubjectRight.Value)
}

// targetMaps describes the pointing game of the last layer, with and without target
// maps in training.
func targetMaps(r *captions.Report, runs []captions.Run) string {
	last, ok := r.Layer(-1, captions.AllWords)
	if !ok {
		return ""
	}
	text := fmt.Sprintf("- The last layer's map hits the thing that a noun or colour names in %.1f %% of %d words; another picture's map for the same word does in %.1f %%, chance in %.1f %%.",
		100*last.Hit.Value, last.Words, 100*last.HitShuffled.Value, 100*last.HitChance)
	for _, run := range runs {
		if run.Teach == 0 {
			if other, ok := run.HeldOut.Layer(-1, captions.AllWords); ok {
				text += fmt.Sprintf(" The model was **trained for this**, with the masks as target maps. Without target maps, the maps hit in %.1f %%, with a CIDEr of %.2f.",
					100*other.Hit.Value, run.HeldOut.Scores.CIDEr)
			}
			break
		}
	}
	return text + "\n"
}

// articles describes how similar an article's map is to its noun's.
func articles(r *captions.Report) string {
	if len(r.Articles) == 0 {
		return ""
	}
	a := r.Articles[len(r.Articles)-1]
	if a.Articles == 0 {
		return ""
	}
	return fmt.Sprintf("- An article attends to the place of its noun: their maps have a cosine similarity of %.2f, an article's and other nouns' maps %.2f (%d articles).\n",
		a.Own.Value, a.Others.Value, a.Articles)
}

// least names the count with the lowest accuracy.
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

// words lists the objects that are often named with their cells masked.
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
	return "- Some objects are still named with their cells masked, from the rest of the picture and the preceding words: " + strings.Join(known, ", ") + ".\n"
}
