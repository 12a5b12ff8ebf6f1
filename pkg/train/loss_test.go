package train

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
	"gaze/pkg/vit"
)

func TestClassificationRefuses(t *testing.T) {
	logits := func(_ *model.Scope, images *Node, _ nn.Training) *Node { return images }
	for _, c := range []struct {
		classes   int
		smoothing float64
		logits    func(*model.Scope, *Node, nn.Training) *Node
		says      string
	}{
		{2, 0, nil, "no network"},
		{0, 0, logits, "no head"},
		{2, 1.5, logits, "smoothing"},
		{2, -0.1, logits, "between 0 and 1"},
	} {
		if _, err := Classification(c.classes, c.smoothing, c.logits); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want an error with %q, got %v", c.says, err)
		}
	}
}

// TestCustomLoss trains a classifier with a loss of its own that computes the cross
// entropy: to the same bits as Classification, and the evaluation agrees but for the
// precision it is computed in.
func TestCustomLoss(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	usualNet, err := ViT(g.model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	custom := *usualNet
	custom.Loss = CustomLoss(func(scope *model.Scope, images *Node, inputs []*Node) Score {
		l := vit.ForwardTraining(scope, g.model.Config, images, nn.Training{}).Logits
		loss, correct := crossEntropy(l, inputs[0], inputs[1])
		return Score{loss, correct, Scalar(l.Graph(), l.DType(), l.Shape().Dim(0))}
	})
	trainers := map[*Network]*Trainer{}
	for _, net := range []*Network{usualNet, &custom} {
		tr, err := NewTrainer(b, net, usual())
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		trainers[net] = tr
	}
	for step := range 5 {
		images, labels, _ := g.batch(step)
		inputs, err := classInputs(Batch{Labels: labels}, len(labels), 5, 0)
		if err != nil {
			t.Fatal(err)
		}
		want, err := trainers[usualNet].Step(Batch{Images: images, Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		got, err := trainers[&custom].Step(Batch{Images: images, Inputs: inputs})
		if err != nil || got != want {
			t.Fatalf("step %d: %+v (%v), Classification gives %+v", step, got, err, want)
		}
		wantEval, errA := trainers[usualNet].Evaluate(t.Context(), one{Batch{Images: images, Labels: labels}}, false)
		gotEval, errB := trainers[&custom].Evaluate(t.Context(), one{Batch{Images: images, Inputs: inputs}}, false)
		if d := gotEval.Loss - wantEval.Loss; errA != nil || errB != nil || gotEval.Correct != wantEval.Correct || gotEval.Total != wantEval.Total || !(d*d < 1e-12) {
			t.Errorf("step %d: evaluated as %+v (%v), Classification gives %+v (%v)", step, gotEval, errB, wantEval, errA)
		}
	}
	custom.Drop = []float64{0.1}
	if _, err := NewTrainer(b, &custom, usual()); err == nil || !strings.Contains(err.Error(), "stochastic depth") {
		t.Errorf("a custom loss with stochastic depth: %v", err)
	}
}

// TestTrainerKnowsNoModel: only the files that make networks of models, and those that
// fine-tune one, import a model's package.
func TestTrainerKnowsNoModel(t *testing.T) {
	may := []string{"vit.go", "captioner.go", "photocaptioner.go", "features.go", "finetune.go", "stages.go", "pool.go", "bestmodel.go"}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(may, name) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); path == "gaze/pkg/vit" || strings.HasPrefix(path, "gaze/pkg/caption") {
				t.Errorf("%s imports %s: a trainer gets its model as a Network", name, path)
			}
		}
	}
}
