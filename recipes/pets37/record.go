package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/pkg/breeds"
	"gaze/pkg/convnet"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/study"
)

// record is what is known about the models that were made.
type record struct {
	Data     string       `json:"data"`
	Training int          `json:"training_pictures"`
	Val      int          `json:"val_pictures"`
	Classes  []string     `json:"classes"`
	Seed     uint64       `json:"seed"`
	Device   string       `json:"device"`
	Hybrid   hybridRecord `json:"pets37_vit"`
	Head     headRecord   `json:"head"`
	Pets     petsRecord   `json:"looks_like_a_pet"`
	Together combined     `json:"pets37"`
}

type hybridRecord struct {
	Settings    string     `json:"settings"`
	Epochs      int        `json:"epochs"`
	Views       int        `json:"random_crops"`
	Coarse      score      `json:"val_as_trained"` // cells of 32 pixels
	Fine        score      `json:"val"`            // as it ships: cells of 16 pixels
	Temperature float64    `json:"temperature"`
	Calibrated  calibrated `json:"calibrated"`
}

type headRecord struct {
	Settings    string     `json:"settings"`
	Score       score      `json:"val"`
	Temperature float64    `json:"temperature"`
	Calibrated  calibrated `json:"calibrated"`
}

// petsRecord is when a picture looks like a pet: where EfficientNet-Lite2 gives ImageNet's
// breeds of dogs and cats together at least the threshold.
type petsRecord struct {
	Threshold float64 `json:"threshold"`
	// Rejected are the shares of pictures that look like none: of the pets of train, on
	// which the threshold was chosen, of val, and of pictures of other things.
	Train  evaluate.Interval `json:"train_rejected"`
	Val    evaluate.Interval `json:"val_rejected"`
	Others evaluate.Interval `json:"others_rejected"`
	Of     string            `json:"others"` // what the others are
}

type combined struct {
	Score       score             `json:"val"`
	Accuracy    evaluate.Interval `json:"accuracy"` // with mirrored pictures, as it answers
	Temperature float64           `json:"temperature"`
	Calibrated  calibrated        `json:"calibrated"`
}

func newRecord(r *recipe) record {
	return record{
		Data: "Oxford-IIIT Pet (Parkhi et al. 2012), CC BY-SA 4.0", Training: r.set.Train.Len(), Val: r.set.Validation.Len(),
		Classes: r.names(), Seed: r.seed, Device: study.DescribeDevice(r.device.Description()),
	}
}

func (r record) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, append(text, '\n'))
}

// names are the breeds by class: of the set's index, where it has one.
func (r *recipe) names() []string {
	names := slices.Clone(r.set.Classes)
	truth, err := data.OpenTruth(r.data)
	if err != nil {
		say(fmt.Sprintf("classes are called by their numbers: %v", err))
		return names
	}
	for _, known := range truth.Pictures {
		if known.Class < len(names) && known.Breed != "" {
			names[known.Class] = spelled(known.Breed)
		}
	}
	return names
}

// spelled writes "american_bulldog" as "American Bulldog".
func spelled(name string) string {
	words := strings.Fields(strings.ReplaceAll(name, "_", " "))
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// together combines both, the sum of their calibrated logits, and writes how.
func (r *recipe) together(hybrid, head answers) error {
	both := hybrid.plus(head)
	t := both.mean().temperature()
	r.record.Together = combined{
		Score: both.over(t).score(), Accuracy: both.mean().accuracy(), Temperature: t, Calibrated: both.mean().crossCalibrated(),
	}
	say(fmt.Sprintf("pets37: %.2f %%, ECE %.3f", 100*r.record.Together.Accuracy.Value, r.record.Together.Calibrated.ECE))
	return breeds.Config{
		Kind: breeds.Kind, Breeds: r.record.Classes,
		Network: headNetwork, NetworkPipeline: headPipelines(), ViT: vitName, ViTPipeline: [2]string{centred, mirrored},
		ViTScale: 1, Temperature: t, AttentionLayer: looksIn, PetThreshold: r.record.Pets.Threshold,
	}.Write(filepath.Join(r.out, "pets37"))
}

// rejects is the share of training pictures that the threshold takes for no pets.
const rejects = 0.01

// pets chooses the threshold and measures it.
func (r *recipe) pets(ctx context.Context, runner *convnet.Runner, training, val seen) error {
	masses := petMass(training)
	sorted := slices.Sorted(slices.Values(masses))
	threshold := sorted[int(rejects*float64(len(sorted)))]
	below := func(list []float64) evaluate.Interval {
		n := 0
		for _, v := range list {
			if v < threshold {
				n++
			}
		}
		return evaluate.Wilson(n, len(list))
	}
	r.record.Pets = petsRecord{Threshold: threshold, Train: below(masses), Val: below(petMass(val))}
	if r.others == "" {
		return nil
	}
	set, err := r.otherPictures()
	if err != nil {
		return err
	}
	seen, err := r.look(ctx, runner, set, "others")
	if err != nil {
		return err
	}
	r.record.Pets.Others = below(petMass(seen))
	r.record.Pets.Of = fmt.Sprintf("%d photographs whose captions name no cat or dog", set.Len())
	say(fmt.Sprintf("taken for no pets: %.2f %% of val, %.2f %% of %d others", 100*r.record.Pets.Val.Value, 100*r.record.Pets.Others.Value, set.Len()))
	return nil
}

// petMass is breeds.PetMass of the mean of each picture's and its mirror image's logits.
func petMass(s seen) []float64 {
	a, b := s.imageNet[0], s.imageNet[1]
	var out []float64
	mean := make([]float32, a.Dim)
	for i := range a.Labels {
		for k := range mean {
			mean[k] = (a.Values[i*a.Dim+k] + b.Values[i*a.Dim+k]) / 2
		}
		out = append(out, breeds.PetMass(mean))
	}
	return out
}

// named finds a cat or a dog in a caption.
var named = regexp.MustCompile(`(?i)\b(cats?|kittens?|dogs?|pupp(y|ies))\b`)

// otherPictures are those of a captioned set whose captions name no cat or dog.
func (r *recipe) otherPictures() (*data.Dataset, error) {
	set, err := data.OpenCaptions(filepath.Join(r.others, "captions.json"), filepath.Join(r.others, "photos"))
	if err != nil {
		return nil, err
	}
	out := &data.Dataset{Root: set.Root, Classes: []string{"other"}}
	for _, p := range set.Pictures {
		if !slices.ContainsFunc(p.Captions, named.MatchString) {
			out.Items = append(out.Items, data.Item{Path: p.Path, ID: -1})
		}
	}
	return out, nil
}
