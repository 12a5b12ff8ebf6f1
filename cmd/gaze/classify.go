package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/internal/textfile"
	"gaze/pkg/breeds"
	"gaze/pkg/data"
	"gaze/pkg/hub"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

// classifyFlags are the flags of `gaze classify`.
type classifyFlags struct {
	model, pipeline, names, out, logits string
	numbers, asJSON                     bool
	top                                 int
	batchFlags
}

func newClassify() *cobra.Command {
	var flags classifyFlags
	cmd := &cobra.Command{
		Use:   "classify [--model FILE] [-o pred.csv] PATH...",
		Short: "Classify pictures",
		Long: "Classify pictures and write a CSV with the header filename,label and a row per picture,\n" +
			"sorted by name. It goes to the file -o, or else to standard output; on a terminal it is a\n" +
			"table instead.\n\n" +
			"The label is the class's name, from --names or else from the checkpoint (those of 'gaze\n" +
			"train' have names). Without names, and with --numbers, it is the class's number, counted\n" +
			"from 0. --top K adds the columns label1,p1 to labelK,pK: the K likeliest classes and their\n" +
			"probabilities (softmax of the logits), likeliest first, or all classes if there are fewer.\n" +
			"--json writes the same to standard output as a list of objects with filename, class (the\n" +
			"number), label and probability, and with --top a list top of class, label and probability.\n\n" +
			"Without --model it is pets37, which knows the 37 breeds of the Oxford-IIIT Pet set and says\n" +
			"when a picture looks like no cat or dog. Otherwise it is a Vision Transformer or an\n" +
			"EfficientNet-Lite. An -o that ends in .png or .svg draws a figure: each photograph with its\n" +
			"likeliest classes, and where pets37 looked; the answers then go to standard output.\n\n" +
			"With --recursive the filename is the path relative to the folder given.\n\n" + batchHelp,
		Example: "  gaze classify photo.jpg\n" +
			"  gaze classify -o breeds.png photo.jpg another.jpg\n" +
			"  gaze classify --model vit-base-patch16-224 --top 5 photo.jpg\n" +
			"  gaze classify --model vit-base-patch16-224 -o pred.csv --logits logits.npy photos/\n" +
			"  gaze classify --model efficientnet-lite0 --top 5 photo.jpg\n" +
			"  gaze classify --model run --numbers -o pred.csv photos/",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args) },
	}
	f := cmd.Flags()
	modelFlag(cmd, &flags.model)
	f.StringVar(&flags.pipeline, "pipeline", "", "how pictures are prepared (default: the checkpoint's own pipeline; 'gaze model FILE' shows it)")
	f.StringVar(&flags.names, "names", "", "file with one class name per line (default: the checkpoint's own names)")
	f.BoolVar(&flags.numbers, "numbers", false, "write class numbers even if names are known")
	f.IntVar(&flags.top, "top", 0, "also write this number of likeliest classes with their probabilities")
	f.StringVarP(&flags.out, "output", "o", "", "the CSV to write, or a figure (.png, .svg); - is standard output (default: standard output)")
	f.StringVar(&flags.logits, "logits", "", "write the logits as float32 [pictures, classes]")
	f.BoolVar(&flags.asJSON, "json", false, "write JSON to standard output")
	flags.add(cmd)
	return cmd
}

// check reports flags that contradict each other.
func (c *classifyFlags) check(cmd *cobra.Command) error {
	switch {
	case c.numbers && c.names != "":
		return errors.New("--numbers and --names: choose one")
	case cmd.Flags().Changed("output") && c.out == "":
		return errors.New("--output is empty")
	case cmd.Flags().Changed("model") && c.model == "":
		return errors.New("--model is empty: leave it out for " + hub.Pets37)
	case checkFigureName(c.out, otherPictures...) == nil && !outputs.IsStream(c.out):
		return checkFigureName(c.out, figureEndings...)
	case cmd.Flags().Changed("top") && c.top < 1:
		return fmt.Errorf("--top %d: it must be at least 1", c.top)
	case c.out == "-" && c.asJSON:
		return errors.New("-o - and --json both write to standard output: choose one")
	}
	return nil
}

// figureEndings are those of figures.
var figureEndings = []string{".png", ".svg"}

// otherPictures are endings of pictures that aren't written: a CSV of such a name would be
// taken for one.
var otherPictures = []string{".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".pdf", ".eps"}

// figure says whether -o names a figure, beside which the answers go to standard output.
func (c *classifyFlags) figure() bool {
	return checkFigureName(c.out, figureEndings...) == nil && c.out != "-" && !outputs.IsStream(c.out)
}

// addTo adds a picture to the figure.
func (c *classifyFlags) addTo(f *classFigure, im *transform.Image, seen impression, labels []string, a answer) error {
	top, err := newAnswer(a.Filename, seen.logits, labels, figureTop)
	if err != nil {
		return err
	}
	return f.add(im, seen, top)
}

// file is the CSV's path, "" for standard output.
func (c *classifyFlags) file() string {
	if c.out == "-" || c.figure() {
		return ""
	}
	return c.out
}

func (c *classifyFlags) run(cmd *cobra.Command, args []string) error {
	if err := c.check(cmd); err != nil {
		return misuse(cmd, err)
	}
	if err := checkFolders(c.file(), c.logits); err != nil {
		return err
	}
	if c.figure() {
		if err := checkFolders(c.out); err != nil {
			return err
		}
	}
	b, err := c.find(cmd, args, "") // before a model is fetched, which can take minutes
	if err != nil {
		return err
	}
	if err := c.checkFigure(b); err != nil {
		return misuse(cmd, err)
	}
	if c.model == "" {
		if err := c.usual(cmd); err != nil {
			return err
		}
	}
	s, err := openClassifier(cmd, c.model, c.pipeline)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.checkHead(); err != nil {
		return err
	}
	labels, err := c.labels(s)
	if err != nil {
		return err
	}
	plan, err := c.plan(b, s)
	if err != nil {
		return err
	}
	return c.classify(b, plan, s, labels)
}

// checkFigure reports a figure that couldn't be read, or that the next run would take for a
// photograph.
func (c *classifyFlags) checkFigure(b *batch) error {
	if !c.figure() {
		return nil
	}
	if n := len(b.listing.Pictures); n > maxFigureRows {
		return fmt.Errorf("-o %s: a figure of %d pictures can't be read: up to %d, or name a .csv", c.out, n, maxFigureRows)
	}
	if isSVG(c.out) {
		return nil
	}
	return b.checkFolder(c.out, filepath.Dir(c.out))
}

// usual chooses pets37, whatever files there are of that name, and on a terminal the table
// that people want of it.
func (c *classifyFlags) usual(cmd *cobra.Command) error {
	shipped, err := hub.Pull(cmd.Context(), hub.Pets37, hub.Options{})
	if err != nil {
		return err
	}
	c.model = shipped.Path
	if !cmd.Flags().Changed("top") && c.file() == "" && isTerminal(cmd.OutOrStdout()) {
		c.top = figureTop
	}
	return nil
}

// title is the model's name in a figure.
func (c *classifyFlags) title() string {
	if filepath.Base(c.model) == breeds.HeadFile { // a folder that its name describes
		return filepath.Base(filepath.Dir(c.model))
	}
	return hub.ShortName(c.model)
}

// labels returns the class names, or nil to use numbers.
func (c *classifyFlags) labels(m classifier) ([]string, error) {
	switch {
	case c.numbers:
		return nil, nil
	case c.names != "":
		return readNames(c.names, m.classes())
	case len(m.labels()) == m.classes():
		return m.labels(), nil
	}
	return nil, nil
}

// partial is the file that gets the finished rows if the command is interrupted.
func (c *classifyFlags) partial() string {
	if c.file() == "" || outputs.IsStream(c.file()) {
		return ""
	}
	return c.file() + ".partial"
}

// plan registers the files that are written and read.
func (c *classifyFlags) plan(b *batch, s classifier) (*outputs.Plan, error) {
	p := newPlan(b.cmd, c.force)
	p.Reads(checkpointFiles(c.model)...)
	if both, ok := s.(*breedSession); ok {
		for _, model := range both.models {
			p.Reads(checkpointFiles(model)...)
		}
	}
	p.Reads(c.names)
	b.reads(p)
	planFile(p, c.file(), "-o")
	if c.figure() {
		planFile(p, c.out, "-o")
	}
	planFile(p, c.logits, "--logits")
	p.Writes(c.partial(), "-o")
	if err := checkPlan(b.cmd, p, anotherFile); err != nil {
		return nil, err
	}
	b.warnOfEqualNames()
	return p, nil
}

// warnOfEqualNames warns that several rows have the same filename.
func (b *batch) warnOfEqualNames() {
	for i, picture := range b.listing.Pictures {
		if i > 0 && picture.Name == b.listing.Pictures[i-1].Name {
			warn(b.cmd, []string{fmt.Sprintf("several pictures are called %s: --recursive also writes their folders", onOneLine(picture.Name))})
			return
		}
	}
}

// classify runs the model on the pictures and writes its predictions.
func (c *classifyFlags) classify(b *batch, plan *outputs.Plan, s classifier, labels []string) error {
	var logits []float32
	var figure *classFigure
	if c.figure() {
		figure = newClassFigure(c.title())
	}
	results := c.answerWriter(b, s, labels)
	failed := process(b, plan, s.steps(), pictureWork[looking, impression, looking]{
		prepare: func(_ data.Found, im *transform.Image) (looking, error) {
			ready, err := s.ready(im)
			l := looking{ready: ready}
			if figure != nil {
				l.image = im
			}
			return l, err
		},
		size:   func(l looking) any { return l.ready.size() },
		atOnce: s.atOnce(len(b.listing.Pictures)),
		run: func(pictures []looking) ([]impression, error) {
			var list []readied
			for _, p := range pictures {
				list = append(list, p.ready)
			}
			return s.look(list)
		},
		finish: func(_ data.Found, l looking, seen impression) (looking, error) {
			l.seen = seen
			return l, nil
		},
		deliver: func(picture data.Found, l looking) error {
			warn(b.cmd, l.seen.warnings)
			a, err := newAnswer(picture.Name, l.seen.logits, labels, c.top)
			if err != nil {
				return err
			}
			b.remark(&a, l.seen)
			if c.logits != "" {
				logits = append(logits, l.seen.logits...)
			}
			if figure != nil {
				if err := c.addTo(figure, l.image, l.seen, labels, a); err != nil {
					return err
				}
			}
			return results.add(a)
		},
	})
	if results.answers == 0 || stopped(failed) {
		return failed
	}
	if b.cmd.Context().Err() != nil {
		return errors.Join(c.keep(b, plan, results), failed)
	}
	if err := c.write(plan, results); err != nil {
		return err
	}
	if figure != nil {
		if err := writeFigure(plan, c.out, figure.figure()); err != nil {
			return err
		}
	}
	if c.logits != "" {
		t := weights.NewTensor("logits", []int{results.answers, s.classes()}, logits)
		if err := writeNPY(plan, c.logits, t); err != nil {
			return err
		}
	}
	return failed
}

// looking is a picture that a classifier looks at.
type looking struct {
	ready readied
	image *transform.Image // only for a figure
	seen  impression
}

// remark prints what else there is to say of an answer, and notes it there.
func (b *batch) remark(a *answer, seen impression) {
	if a.Pet = seen.pet; seen.noPet {
		fmt.Fprintf(b.cmd.ErrOrStderr(), "gaze: %s: looks like no cat or dog (%s), so its breed means nothing\n", onOneLine(a.Filename), percent(*seen.pet))
	}
}

// write writes the CSV file, if there is one, and finishes the JSON.
func (c *classifyFlags) write(plan *outputs.Plan, r *answerWriter) error {
	if c.file() != "" {
		text, err := r.csv()
		if err != nil {
			return err
		}
		if err := plan.WriteBytes(c.file(), text); err != nil {
			return err
		}
	}
	if path := c.partial(); path != "" {
		if err := plan.Remove(path); err != nil {
			return err
		}
	}
	return r.close()
}

// keep writes the rows of an interrupted batch to a separate file: under the usual
// name an incomplete CSV would look complete.
func (c *classifyFlags) keep(b *batch, plan *outputs.Plan, r *answerWriter) error {
	path := c.partial()
	if path == "" {
		return r.close()
	}
	text, err := r.csv()
	if err != nil {
		return err
	}
	if err := plan.WriteBytes(path, text); err != nil {
		return err
	}
	fmt.Fprintf(b.cmd.ErrOrStderr(), "gaze: the rows of the pictures done so far are in %s\n", onOneLine(path))
	return nil
}

// readNames reads one class name per line and checks their number.
func readNames(path string, classes int) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	lines, err := textfile.ReadNames(path)
	if err != nil {
		return nil, err
	}
	if len(lines) != classes {
		return nil, fmt.Errorf("%s has %d names, but the model has %d classes", path, len(lines), classes)
	}
	return lines, nil
}

// argmax returns the index of the largest value; ties go to the first.
func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
