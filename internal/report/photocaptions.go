package report

import (
	"encoding/json"
	"fmt"
	"strings"

	"gaze/pkg/evaluate"
)

// PhotosRecord is the part of record.json beside a captioner of photographs that the
// report tells: what it learned from, and its scores on the photographs of val
// (recipes/photos-captioner writes it).
type PhotosRecord struct {
	Backbone  string        `json:"backbone"`
	Pictures  int           `json:"pictures"` // learned from
	Captions  int           `json:"captions"`
	Baselines []PhotosScore `json:"baselines"`
	Seeds     []PhotosSeed  `json:"seeds"`
}

// PhotosSeed is a seed's captioner: how it scores as it is used, and with a grey picture in
// place of each photograph. The first seed's is the one that ships.
type PhotosSeed struct {
	Seed   uint64       `json:"seed"`
	Scores *PhotosScore `json:"scores"`
	Blind  *PhotosScore `json:"blind"`
}

// PhotosScore is how captions score, with 95 % intervals.
type PhotosScore struct {
	Name     string            `json:"name"`
	Pictures int               `json:"pictures"`
	CIDEr    evaluate.Interval `json:"CIDEr"`
	BLEU4    evaluate.Interval `json:"Bleu_4"`
	ROUGEL   evaluate.Interval `json:"ROUGE_L"`
	Repeats  evaluate.Interval `json:"repeats"` // share of sentences that repeat themselves
}

// ParsePhotosRecord reads the record of a captioner of photographs. The record of another
// captioner, or one without scores, is an error.
func ParsePhotosRecord(text []byte) (*PhotosRecord, error) {
	var r PhotosRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("this isn't the record of a captioner of photographs: %w", err)
	}
	if len(r.Seeds) == 0 {
		return nil, fmt.Errorf("this isn't the record of a captioner of photographs: it has no seeds with scores")
	}
	for _, s := range r.Seeds {
		if s.Scores == nil || s.Blind == nil {
			return nil, fmt.Errorf("the record of a captioner of photographs: seed %d has no scores", s.Seed)
		}
	}
	return &r, nil
}

// ExpectCaptions says, in Markdown, what to expect of a captioner of photographs, from its
// record.
func ExpectCaptions(r *PhotosRecord) string {
	first := r.Seeds[0].Scores
	var b strings.Builder
	repeats := "none of its sentences repeats itself"
	if r := 100 * first.Repeats.Value; r > 0 {
		repeats = fmt.Sprintf("%.1f %% of its sentences repeat themselves", r)
	}
	fmt.Fprintf(&b, "**What to expect**, from the captioner's record. It learned from %d photographs with %d captions. On %d others, compared with people's captions: "+
		"CIDEr **%.2f** (95 %% interval %.2f to %.2f), BLEU-4 %.3f (%.3f to %.3f), ROUGE-L %.3f (%.3f to %.3f); %s.",
		r.Pictures, r.Captions, first.Pictures, first.CIDEr.Value, first.CIDEr.Low, first.CIDEr.High,
		first.BLEU4.Value, first.BLEU4.Low, first.BLEU4.High, first.ROUGEL.Value, first.ROUGEL.Low, first.ROUGEL.High, repeats)
	if n := len(r.Seeds); n > 1 {
		low, high := seedRange(r.Seeds)
		span := fmt.Sprintf("%.2f to %.2f", low, high)
		if l, h := fmt.Sprintf("%.2f", low), fmt.Sprintf("%.2f", high); l == h {
			span = l + " with each"
		}
		fmt.Fprintf(&b, " Trained with %d seeds, CIDEr is %s.", n, span)
	}
	b.WriteString("\n\n| on the same photographs | CIDEr | 95\u00a0%\u00a0interval |\n|---|--:|---|\n")
	row := func(name string, s PhotosScore) {
		// The blanks don't break, or a narrow page would break every interval.
		fmt.Fprintf(&b, "| %s | %.2f | %.2f\u00a0to\u00a0%.2f |\n", name, s.CIDEr.Value, s.CIDEr.Low, s.CIDEr.High)
	}
	row("the captioner", *first)
	for _, s := range r.Baselines {
		row(s.Name, s)
	}
	row("the captioner, shown a grey picture", *r.Seeds[0].Blind)
	return b.String() + "\n" + apart(r)
}

// seedRange is the lowest and the highest CIDEr of the seeds.
func seedRange(seeds []PhotosSeed) (low, high float64) {
	low, high = seeds[0].Scores.CIDEr.Value, seeds[0].Scores.CIDEr.Value
	for _, s := range seeds {
		low, high = min(low, s.Scores.CIDEr.Value), max(high, s.Scores.CIDEr.Value)
	}
	return low, high
}

// apart says whether the captioner is better than what doesn't look or doesn't write.
func apart(r *PhotosRecord) string {
	mine := r.Seeds[0].Scores.CIDEr
	var overlap []string
	for _, s := range append(r.Baselines[:len(r.Baselines):len(r.Baselines)], *r.Seeds[0].Blind) {
		if s.CIDEr.High >= mine.Low {
			overlap = append(overlap, s.Name)
		}
	}
	if len(overlap) > 0 {
		return "Its interval isn't apart from that of: " + strings.Join(overlap, ", ") + ".\n"
	}
	return "Its interval is above all others: it looks, and it doesn't only repeat what it read.\n"
}
