package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gaze/internal/environ"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/evaluate/maps"
)

// mapsRecord is what recipes/maps wrote for the models of the report, without the scores
// of single pictures.
//
//go:embed maps_record.json
var mapsRecord []byte

// RecordedMaps are the scores of [class] attention that ship: for each model one report
// on val, which is to be quoted, and one on train.
func RecordedMaps() ([]*maps.Report, error) {
	var texts []json.RawMessage
	if err := json.Unmarshal(mapsRecord, &texts); err != nil {
		return nil, fmt.Errorf("report: the record of maps: %w", err)
	}
	var out []*maps.Report
	for _, text := range texts {
		r, err := maps.Read(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("report: the record of maps: %w", err)
		}
		out = append(out, r)
	}
	return out, nil
}

// FindTruth opens what is known about the pixels of the photographs: of the data set that
// GAZE_PETS names or, if it isn't set, of the shared data beside the clone at root. It
// returns nil if there is no such data set. A damaged one is an error.
func FindTruth(root string) (*data.Truth, error) {
	folder, err := environ.Existing(EnvPets)
	if err != nil {
		return nil, err
	}
	if folder == "" && root != "" {
		folder = sharedPets(root)
	}
	if folder == "" {
		return nil, nil
	}
	if _, err := os.Stat(filepath.Join(folder, "index.csv")); err != nil {
		return nil, nil // photographs, or another data set
	}
	return data.OpenTruth(folder)
}

// sharedPets is the folder of the pets in the shared data beside the clone.
func sharedPets(root string) string { return filepath.Join(root, "..", "shared", "data", "pets") }

// DiscussMaps puts the scores of the mean of heads in the last layer into words. What it
// says about heads and bodies depends on the numbers alone.
func DiscussMaps(reports ...*maps.Report) string {
	var parts []string
	for _, r := range reports {
		for _, p := range r.Parts {
			if text := discussPart(r, p); text != "" {
				parts = append(parts, text)
			}
		}
	}
	if parts == nil {
		return "There are no scores to discuss."
	}
	return strings.Join(parts, "\n\n")
}

// discussPart is the text about one kind of truth: a title and a point for each question.
func discussPart(r *maps.Report, p *maps.Part) string {
	last, gauss := p.Last(), p.Row(maps.Gaussian)
	if last == nil || gauss == nil {
		return ""
	}
	thing, area := "the pet", "it"
	if p.Truth == maps.Head {
		thing, area = "the box around the head", "the box"
	}
	text := fmt.Sprintf("**%s, %s, %d photographs of %d breeds**\n\n- In the last layer, averaged over heads, %s of the attention on patches lies on %s, and %s covers %s of the picture (without a trimap's border): ",
		r.Model, r.Set, p.Pictures, p.Classes, last.Energy.Percent(), thing, area, p.Area.Percent())
	text += fmt.Sprintf("a difference of %+.1f points (%+.1f to %+.1f), %s.", 100*last.Over.Value, 100*last.Over.Low, 100*last.Over.High, reading(p.Truth, last.Over))
	if even := p.Row(maps.Evenly); even != nil && p.OverEvenly != nil {
		d := *p.OverEvenly
		text += fmt.Sprintf("\n- A map that lies evenly on the pet would have %s there. The difference is %+.1f points (%+.1f to %+.1f): %s.",
			even.Energy.Percent(), 100*d.Value, 100*d.Low, 100*d.High, preference(d))
	}
	text += fmt.Sprintf("\n- The largest patch is on it in %s of the photographs; the middle of the picture alone would do that in %s, and a Gaussian around it has %s of its energy there, so the energy tells %s than where photographers put their pets.",
		last.Pointing.Percent(), gauss.Pointing.Percent(), gauss.Energy.Percent(), moreOrLess(last.Energy, gauss.Energy))
	return text + betterLayer(p, last)
}

// betterLayer names the layer whose attention lies on the truth most, if it isn't the last
// and the intervals are apart.
func betterLayer(p *maps.Part, last *maps.Row) string {
	best := *last
	for _, row := range p.Means() {
		if row.Energy.Value > best.Energy.Value {
			best = row
		}
	}
	if best.Energy.Low <= last.Energy.High {
		return ""
	}
	return fmt.Sprintf("\n- Of the layers, layer %d's lies there most, %s (chosen on these photographs): look at that one.", best.Layer, best.Energy.Percent())
}

// reading is what the energy over area says about the report's reading of its maps, "the
// areas around the faces are more important".
func reading(truth string, over evaluate.Interval) string {
	what, said := "on the pet", "The report's reading, that the model looks at the animal"
	if truth == maps.Head {
		what, said = "around the face", "The report's reading, that the areas around the faces are more important"
	}
	switch {
	case over.Low > 0:
		return fmt.Sprintf("which is more than an even map would put %s. %s, **holds for this model**", what, said)
	case over.High < 0:
		return fmt.Sprintf("which is less than an even map would put %s. %s, **doesn't hold for this model; the opposite does**", what, said)
	}
	return fmt.Sprintf("which can't be told from an even map's. %s, **isn't shown for this model**", said)
}

// preference says whether attention prefers the head to the rest of the pet: d is its energy minus that of a map which lies evenly on the pet.
func preference(d evaluate.Interval) string {
	switch {
	case d.Low > 0:
		return "the attention prefers the head to the rest of the animal, too"
	case d.High < 0:
		return "the attention doesn't prefer the head to the rest of the animal: that it is on the animal says as much"
	}
	return "whether the attention prefers the head to the rest of the animal can't be told"
}

// moreOrLess compares with the Gaussian; overlapping intervals aren't told apart.
func moreOrLess(a, b evaluate.Interval) string {
	switch {
	case a.Low > b.High:
		return "more"
	case a.High < b.Low:
		return "less"
	}
	return "no more"
}
