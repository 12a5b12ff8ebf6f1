package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/internal/textfile"
	"gaze/pkg/data"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
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
		Use:   "classify --model FILE [-o pred.csv] PATH...",
		Short: "Classify pictures",
		Long: "Classify pictures and write a csv with the header filename,label and a row per picture,\n" +
			"in the order of their names: to the file -o, else to standard output, and as a table if\n" +
			"that is a terminal.\n\n" +
			"The label is the class's name: from --names, else from the checkpoint, as those of 'gaze\n" +
			"train' have it. Where there are no names, and with --numbers, it is the class's number,\n" +
			"counted from 0. --top K adds the columns label1,p1 to labelK,pK: the K likeliest classes\n" +
			"and their probabilities (softmax of the logits), the likeliest first; all classes if there\n" +
			"are fewer. --json writes the same to standard output as a list of objects with filename,\n" +
			"class (the number), label, probability, and with --top a list top of class, label and\n" +
			"probability.\n\n" +
			"With --recursive the filename is the path as seen from the folder that was named.\n\n" + batchHelp,
		Example: "  gaze classify --model vit-base-patch16-224 --top 5 photo.jpg\n" +
			"  gaze classify --model vit-base-patch16-224 -o pred.csv --logits logits.npy photos/\n" +
			"  gaze classify --model run --numbers -o pred.csv photos/",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args) },
	}
	f := cmd.Flags()
	modelFlag(cmd, &flags.model)
	f.StringVar(&flags.pipeline, "pipeline", "", "how pictures are prepared (default: as the checkpoint says; 'gaze model FILE' shows it)")
	f.StringVar(&flags.names, "names", "", "file with a class name per line (default: the checkpoint's own names)")
	f.BoolVar(&flags.numbers, "numbers", false, "write the classes' numbers, also where names are known")
	f.IntVar(&flags.top, "top", 0, "also write that many of the likeliest classes with their probabilities")
	f.StringVarP(&flags.out, "output", "o", "", "the csv to write; - is standard output (default: standard output)")
	f.StringVar(&flags.logits, "logits", "", "write the logits as float32 [pictures, classes]")
	f.BoolVar(&flags.asJSON, "json", false, "write JSON to standard output")
	flags.add(cmd)
	require(cmd, "model")
	return cmd
}

// check tells what flags don't fit together.
func (c *classifyFlags) check(cmd *cobra.Command) error {
	switch {
	case c.numbers && c.names != "":
		return errors.New("--numbers and --names: choose one")
	case cmd.Flags().Changed("output") && c.out == "":
		return errors.New("--output is empty")
	case cmd.Flags().Changed("top") && c.top < 1:
		return fmt.Errorf("--top %d: it must be at least 1", c.top)
	case c.out == "-" && c.asJSON:
		return errors.New("-o - and --json both write to standard output: choose one")
	}
	return nil
}

// file is the csv's file, "" for standard output.
func (c *classifyFlags) file() string {
	if c.out == "-" {
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
	s, err := openSession(cmd, c.model, c.pipeline)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.model.CheckHead(); err != nil {
		return err
	}
	labels, err := c.labels(s.model)
	if err != nil {
		return err
	}
	b, err := c.find(cmd, args, "")
	if err != nil {
		return err
	}
	plan, err := c.plan(b)
	if err != nil {
		return err
	}
	return c.classify(b, plan, s, labels)
}

// labels is the classes' names; nil for their numbers.
func (c *classifyFlags) labels(m *vit.Model) ([]string, error) {
	switch {
	case c.numbers:
		return nil, nil
	case c.names != "":
		return readNames(c.names, m.Config.Classes)
	case len(m.Labels) == m.Config.Classes:
		return m.Labels, nil
	}
	return nil, nil
}

// partial is where the rows go that are there when the command is interrupted.
func (c *classifyFlags) partial() string {
	if c.file() == "" || outputs.IsStream(c.file()) {
		return ""
	}
	return c.file() + ".partial"
}

// plan plans the results and notes what is read.
func (c *classifyFlags) plan(b *batch) (*outputs.Plan, error) {
	p := newPlan(b.cmd, c.force)
	p.Reads(checkpointFiles(c.model)...)
	p.Reads(c.names)
	b.reads(p)
	planFile(p, c.file(), "-o")
	planFile(p, c.logits, "--logits")
	p.Writes(c.partial(), "-o")
	if err := checkPlan(b.cmd, p, anotherFile); err != nil {
		return nil, err
	}
	b.warnOfTwins()
	return p, nil
}

// warnOfTwins tells of rows that can't be told apart.
func (b *batch) warnOfTwins() {
	for i, picture := range b.listing.Pictures {
		if i > 0 && picture.Name == b.listing.Pictures[i-1].Name {
			warn(b.cmd, []string{fmt.Sprintf("several pictures are called %s: --recursive writes their folders, too", onOneLine(picture.Name))})
			return
		}
	}
}

// classify runs the model on the pictures and writes what it says.
func (c *classifyFlags) classify(b *batch, plan *outputs.Plan, s *session, labels []string) error {
	var logits []float32
	results := c.answerWriter(b, s, labels)
	failed := b.each(plan, s.pipeline, func(picture data.Found, im *transform.Image) error {
		o, err := s.run(im, vit.Want{Logits: true})
		if err != nil {
			return err
		}
		a, err := newAnswer(picture.Name, o.Logits.Values, labels, c.top)
		if err != nil {
			return err
		}
		if c.logits != "" {
			logits = append(logits, o.Logits.Values...)
		}
		return results.add(a)
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
	if c.logits != "" {
		t := weights.NewTensor("logits", []int{results.answers, s.model.Config.Classes}, logits)
		if err := writeNPY(plan, c.logits, t); err != nil {
			return err
		}
	}
	return failed
}

// write writes the csv if it has a file, and ends what goes to standard output.
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

// keep writes the rows of an interrupted batch under a name of their own: a csv cut
// short would pass for a whole one.
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
	fmt.Fprintf(b.cmd.ErrOrStderr(), "gaze: the rows of the pictures that are done are in %s\n", onOneLine(path))
	return nil
}

// readNames reads a class name per line and checks that there are enough.
func readNames(path string, classes int) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	lines, err := textfile.ReadNames(path)
	if err != nil {
		return nil, err
	}
	if len(lines) != classes {
		return nil, fmt.Errorf("%s has %d names, the model %d classes", path, len(lines), classes)
	}
	return lines, nil
}

// argmax returns the index of the largest value, the first of equals.
func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
