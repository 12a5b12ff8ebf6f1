package notebook

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gaze/internal/environ"
	"gaze/internal/report"
	"gaze/internal/widgets/wire"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/explain/explorer"
	"gaze/pkg/transform"
)

// Explore shows photographs (files; none: those of [Photographs]) to move over: where each
// patch looks in every layer and head of the model of [Model], and maps of what speaks for
// the likeliest classes by every cheap method. All of it is in the output, at most 2 MB a
// photograph, and works in an exported page, without a network. While the cell's program
// lives, as with [Interact], other classes are computed when they are chosen.
func Explore(pictures ...string) { ExploreModel(Model(), pictures...) }

// ExploreModel is [Explore] with another model.
func ExploreModel(w *Weights, pictures ...string) {
	if len(pictures) == 0 {
		pictures = Photographs()
	}
	x, err := newExploring(w, pictures)
	Check(err)
	if err != nil {
		return
	}
	defer func() {
		if !x.lives {
			x.close()
		}
	}()
	Check(x.show())
}

// ShowExplorer shows pictures that were made by other means, such as [explorer.OfCaption].
func ShowExplorer(pictures ...explorer.Picture) {
	frame, err := explorer.Frame(explorer.Options{}, pictures...)
	Check(err)
	if err == nil {
		Show(HTML(frame))
	}
}

const (
	// mostExplored is how many photographs an explorer has at most: each takes up to 2 MB.
	mostExplored = 6
	// likeliest is how many classes' maps are in the page.
	likeliest = 3
	// cheap is the greatest cost of the methods in it, in forward passes.
	cheap = 3
)

// exploring is what one explorer shows and can be asked for.
type exploring struct {
	weights *Weights
	methods []*explain.Method   // cheap ones that the model allows; attention is shown apart
	names   []string            // of the pictures
	tensors []*transform.Tensor // the pictures, preprocessed
	lives   bool                // a reader can ask for more

	busy      sync.Mutex         // held while a map is made
	explainer *explain.Explainer // opened when it is needed
	known     map[made]answered
	turn      atomic.Int64 // counts what was asked for
}

func newExploring(w *Weights, pictures []string) (*exploring, error) {
	if len(pictures) > mostExplored {
		return nil, fmt.Errorf("notebook.Explore: %d photographs are too many for one output: give at most %d", len(pictures), mostExplored)
	}
	p, err := pipelineFor(w, "")
	if err != nil {
		return nil, err
	}
	x := &exploring{weights: w, known: map[made]answered{}}
	for _, m := range explain.Methods() {
		if m.Name != "attention" && m.Cost(w.Config, explain.Settings{}) <= cheap && (!m.OfClass || w.Config.Classes > 1) {
			x.methods = append(x.methods, m)
		}
	}
	for _, path := range pictures {
		im, _, err := data.DecodeFor(path, p) // damage is noted with the maps
		if err != nil {
			return nil, err
		}
		t, err := p.Tensor(im)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		x.names, x.tensors = append(x.names, path), append(x.tensors, t)
	}
	return x, nil
}

// show shows the explorer, and below it the lists by which it asks for more.
func (x *exploring) show() error {
	pictures, err := x.pictures()
	if err != nil {
		return err
	}
	o := explorer.Options{Title: "Explorer: " + x.weights.Title}
	x.lives = x.canAsk()
	if x.lives {
		o.Live = x.live()
	}
	frame, err := explorer.Frame(o, pictures...)
	if err != nil {
		return err
	}
	Show(HTML(frame))
	if x.lives {
		interact(x.answer(o.Live), x.controls(o.Live))
	}
	return nil
}

// pictures are the photographs with their maps and attention.
func (x *exploring) pictures() ([]explorer.Picture, error) {
	all, err := explainAll(x.weights, explain.Question{Methods: x.methodNames(), Top: min(likeliest, x.classes())}, x.names)
	if err != nil {
		return nil, err
	}
	if len(all) != len(x.names) {
		return nil, fmt.Errorf("notebook.Explore: %d of %d photographs can't be explained", len(x.names)-len(all), len(x.names))
	}
	var pictures []explorer.Picture
	for i := range x.names {
		p, err := x.picture(i, all[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.names[i], err)
		}
		pictures = append(pictures, p)
	}
	return pictures, nil
}

// picture is a photograph with its maps and its attention.
func (x *exploring) picture(i int, maps *explain.Comparison) (explorer.Picture, error) {
	p, err := explorer.Of(maps)
	if err != nil {
		return p, err
	}
	if from, ok := credits.Load(x.names[i]); ok {
		p.Credit = from.(string)
	}
	runner, mine, err := runnerFor(x.weights.Model)
	if err != nil {
		return p, err
	}
	if mine {
		defer runner.Close()
	}
	warnings, err := p.Attend(runner, x.tensors[i])
	for _, text := range warnings {
		note("note: " + text)
	}
	return p, err
}

// classes is how many classes there are to explain.
func (x *exploring) classes() int {
	if x.weights.Config.Classes < 2 {
		return 0
	}
	return x.weights.Config.Classes
}

// made is a map that a reader has asked for, or may ask for next.
type made struct {
	picture int
	method  string
	class   int
}

// answered is what is known about it.
type answered struct {
	named explorer.Named
	group explorer.Group
}

// explain makes a map of a picture by a method for a class, one at a time, and keeps it.
func (x *exploring) explain(m made) (answered, error) {
	x.busy.Lock()
	defer x.busy.Unlock()
	if a, ok := x.known[m]; ok {
		return a, nil
	}
	e, err := x.open()
	if err != nil {
		return answered{}, err
	}
	got, err := e.Explain(m.method, []*transform.Tensor{x.tensors[m.picture]}, explain.Options{Classes: []int{m.class}})
	if err != nil {
		return answered{}, err
	}
	entry := explain.Entry{Method: got.Method, Class: got.Classes[0], Against: -1, Map: got.Maps[0]}
	c := &explain.Comparison{Labels: x.weights.Labels, Logits: got.Logits[0], Notes: report.LeagueRanks()}
	a := answered{explorer.Map(c, entry), explorer.ClassGroup(c, entry)}
	x.known[m] = a
	return a, nil
}

const (
	// ahead is how many classes are explained ahead of the reader, and pause is after how
	// long without a question, so that quick ones don't wait for them.
	ahead = 50
	pause = 300 * time.Millisecond
)

// lookAhead makes maps of the classes around one that was asked for, since another one is
// likely to follow, until something else is asked for. turn is the number of the question.
func (x *exploring) lookAhead(m made, turn int64) {
	n := x.classes()
	for step := 1; step <= min(ahead, n-1); step++ {
		class := (m.class + (step+1)/2*(1-step%2*2) + n) % n
		if x.turn.Load() != turn {
			return
		}
		if _, err := x.explain(made{m.picture, m.method, class}); err != nil {
			return // it fails again when it is asked for
		}
	}
}

// open returns the explainer.
func (x *exploring) open() (*explain.Explainer, error) {
	if x.explainer != nil {
		return x.explainer, nil
	}
	b, err := backend.Default()
	if err != nil {
		return nil, err
	}
	x.explainer, err = explain.NewExplainer(b, x.weights.Model)
	return x.explainer, err
}

func (x *exploring) close() {
	if x.explainer != nil {
		x.explainer.Close()
	}
}

func (x *exploring) methodNames() string {
	var names []string
	for _, m := range x.methods {
		names = append(names, m.Name)
	}
	return strings.Join(names, ",")
}

// canAsk says whether a reader may be able to ask for other classes.
func (x *exploring) canAsk() bool {
	static := Must(environ.Switch("GAZE_STATIC", false))
	return !static && x.classes() > likeliest && os.Getenv(kernelSocket) != "" && display.inNotebook()
}

// live is what can be asked for: each method of classes, for each class.
func (x *exploring) live() *explorer.Live {
	l := &explorer.Live{ID: rand.Text()}
	for _, m := range x.methods {
		if m.OfClass {
			l.Methods = append(l.Methods, explorer.Method{Key: m.Name, Name: m.Title, OfGroup: true})
		}
	}
	naming := explain.Comparison{Labels: x.weights.Labels}
	for class := range x.classes() {
		l.Groups = append(l.Groups, naming.ClassName(class))
	}
	return l
}

// controls are the lists by which the page asks. They are seen where its script can't
// reach them.
func (x *exploring) controls(l *explorer.Live) []wire.Control {
	var names, titles []string
	for _, name := range x.names {
		names = append(names, filepath.Base(name))
	}
	for _, m := range l.Methods {
		titles = append(titles, m.Name)
	}
	return []wire.Control{
		{Kind: wire.Select, Name: "photograph", Options: names},
		{Kind: wire.Select, Name: "method", Options: titles},
		{Kind: wire.Select, Name: "another class", Options: append([]string{"–"}, l.Groups...)},
	}
}

// answer computes what the page asks for. What can't be computed is an answer, too.
func (x *exploring) answer(l *explorer.Live) drawer {
	return func(values []float64) (any, error) {
		picture, method, class := int(values[0]), l.Methods[int(values[1])], int(values[2])-1
		if class < 0 {
			go x.warm()
			text, err := explorer.Answer(l.ID, picture, "", explorer.Group{}, nil, nil)
			return HTML(text), err
		}
		turn := x.turn.Add(1)
		asked := made{picture, method.Key, class}
		a, failed := x.explain(asked)
		if failed != nil {
			text, err := explorer.Answer(l.ID, picture, method.Key, explorer.Group{Name: l.Groups[class]}, nil, failed)
			return HTML(text), err
		}
		time.AfterFunc(pause, func() { x.lookAhead(asked, turn) })
		text, err := explorer.Answer(l.ID, picture, method.Key, a.group, &a.named, nil)
		return HTML(text), err
	}
}

// warm makes the first answers quick where all maps came from the cache: it opens the
// explainer, and runs each method's program once. A reader who asks meanwhile waits for one
// program at most.
func (x *exploring) warm() {
	for _, m := range x.methods {
		if m.OfClass {
			x.explain(made{0, m.Name, explain.Predicted}) // what fails, fails again when it is asked for
		}
	}
}
