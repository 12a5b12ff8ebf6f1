package evaluate

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestTrainingAccuracy: what is right of pictures that were trained on is never
// called accuracy, be it in JSON, in tables or in figures.
func TestTrainingAccuracy(t *testing.T) {
	p := &Predictions{
		Classes: []string{"cat", `"accuracy":`, "<dog> & co", "d", "e", "f"}, Names: []string{"a", "b", `say "accuracy": yes`},
		Labels: []int{0, 1, 2}, Logits: []float32{1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0},
	}
	r, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	count := func() (accuracy, training int) {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back struct{ Classes []string }
		if err := json.Unmarshal(text, &back); err != nil || back.Classes[1] != `"accuracy":` || back.Classes[2] != "<dog> & co" {
			t.Errorf("%q (%v)", back.Classes, err)
		}
		var keys func(v any)
		keys = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for k, inner := range v {
					if k == "accuracy" {
						accuracy++
					} else if k == "training_accuracy" {
						training++
					}
					keys(inner)
				}
			case []any:
				for _, inner := range v {
					keys(inner)
				}
			}
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		keys(v)
		return accuracy, training
	}
	words := func() string {
		return strings.ReplaceAll(strings.ToLower(strings.Join([]string{
			r.String(), r.Table().String(), r.ClassTable().String(), r.ConfusionFigure().Title, r.ConfusionFigure().Subtitle,
			r.ClassFigure().Title, r.ReliabilityFigure().Series[0].Name, r.ReliabilityFigure().Subtitle,
		}, "\n")), `"accuracy"`, "") // the class
	}
	accuracies, training := count()
	if accuracies < 8 || training != 0 || strings.Contains(words(), "training") {
		t.Errorf("%d accuracies, %d of training: %s", accuracies, training, words())
	}
	r.Training = true
	if a, b := count(); a != 0 || b != accuracies {
		t.Errorf("%d accuracies, %d of training, of %d", a, b, accuracies)
	}
	if text := words(); strings.Count(text, "accuracy") != strings.Count(text, "training accuracy") || strings.Count(text, "training accuracy") < 4 {
		t.Errorf("not all is called training accuracy: %s", text)
	}
}
