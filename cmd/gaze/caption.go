package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// attentionMethod is the method whose maps the captioner itself returns.
const attentionMethod = "attention"

// captionFlags are the flags of `gaze caption`.
type captionFlags struct {
	model, vocab, out, head, scale, method string
	layer                                  int
	json, svg, atlas                       bool
	options                                caption.Options
	batchFlags
}

func newCaption() *cobra.Command {
	var flags captionFlags
	cmd := &cobra.Command{
		Use:   "caption [--model FILE] [-o DIR] PATH...",
		Short: "Caption pictures and show where the decoder looked for each word",
		Long: "Caption pictures, and show where the decoder looked when it predicted each word. The\n" +
			"default is " + hub.PhotosCaptioner + ", which knows photographs; " + hub.LaptopCaptioner + " knows the drawings\n" +
			"of 'gaze scenes' only. A captioner's file may say how it is best asked (a beam,\n" +
			"neighbours); flags say otherwise.\n\n" +
			"With -o, DIR/<stem>.png has the photograph and a panel for every word. --json adds DIR/<stem>.json\n" +
			"with\n\n" +
			"  caption    the text\n" +
			"  pieces     id, text and logprob (natural logarithm) of each word piece, [SEP] included\n" +
			"  grid       rows and columns of cells\n" +
			"  attention  for each piece, the weights of the step that predicted it, row by row\n" +
			"  method     and maps, likewise, if --method isn't attention\n\n" +
			"For each picture a line with file, tab and caption goes to standard output.\n\n" + batchHelp,
		Example: "  gaze caption photo.jpg\n" +
			"  gaze caption -o captions photos/\n" +
			"  gaze pull bert-base-uncased    # the vocabulary of CATR's captioners\n" +
			"  gaze caption --model weight493084032.pth -o captions photos/\n" +
			"  gaze caption --model weight493084032.pth --beam 5 --layer -2 --json -o captions photo.jpg",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args) },
	}
	f := cmd.Flags()
	checkpointFlag(cmd, &flags.model)
	weightsFlag(cmd)
	f.Lookup("model").Usage = "captioner: a file (CATR's .pth, or one that 'make captioner' wrote), or a name that 'gaze models' lists"
	flags.model = hub.PhotosCaptioner
	f.Lookup("model").DefValue = hub.PhotosCaptioner
	f.StringVar(&flags.vocab, "vocab", "", "vocabulary file with one word piece per line, like BERT's vocab.txt (default: the model's own, vocab.txt beside it, or bert-base-uncased from the cache)")
	f.StringVarP(&flags.out, "output", "o", "", "folder for the results (default: none, captions are only printed)")
	f.StringVar(&flags.method, "method", "attention", "maps: attention of a layer, or what explains the word: rollout, gradcam, chefer or chefer-decoder")
	f.IntVar(&flags.layer, "layer", -1, "decoder layer, counted from 0; -1 is the last")
	f.StringVar(&flags.head, "head", "mean", "mean or max over the heads, or a head's number counted from 0")
	f.StringVar(&flags.scale, "scale", "word", "colour scale: word (each map from its smallest to its largest weight) or figure (one scale for all maps)")
	f.BoolVar(&flags.json, "json", false, "also write DIR/<stem>.json")
	f.BoolVar(&flags.svg, "svg", false, "draw DIR/<stem>.svg instead of .png")
	f.BoolVar(&flags.atlas, "atlas", false, "also draw DIR/<stem>-layers.png and DIR/<stem>-heads.png: every layer, and every head of the layer")
	flags.add(cmd)
	o := &flags.options
	f.IntVar(&o.Beam, "beam", 1, "beam width of the search; 1 is greedy (default: as the captioner's file recommends, else 1)")
	f.Float64Var(&o.LengthPenalty, "length-penalty", 1, "beam search: a caption's log-probability is divided by its length to this power; 0 favours short captions")
	f.IntVar(&o.Neighbours, "neighbours", 0, "number of the most alike photographs that a captioner learned from whose captions choose among those of the beam; 0 takes the likeliest (default: as the captioner's file recommends, else 0)")
	f.IntVar(&o.MaxTokens, "max-tokens", 0, "largest number of word pieces in a caption (default: the model's limit)")
	f.IntVar(&o.TopK, "top-k", 0, "sample from this number of likeliest pieces")
	f.Float64Var(&o.TopP, "top-p", 0, "sample from the fewest pieces that together have this probability")
	f.Float64Var(&o.Temperature, "temperature", 0, "sample with the logits divided by this")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of the sampling")
	return cmd
}

// check validates the flags that need no model, and returns the figures' style.
func (c *captionFlags) check() (explain.CaptionStyle, error) {
	style := explain.CaptionStyle{Layer: c.layer, OwnScale: c.scale == "word"}
	if c.scale != "word" && c.scale != "figure" {
		return style, fmt.Errorf("--scale: %q is neither word nor figure", c.scale)
	}
	if c.options.Beam < 1 {
		return style, fmt.Errorf("--beam %d: it must be at least 1", c.options.Beam)
	}
	heads, err := explain.ParseHeads(c.head)
	if err != nil {
		return style, fmt.Errorf("--head: %w", err)
	}
	style.Heads = heads
	if _, err := explain.FindWordMethod(c.method); err != nil {
		return style, fmt.Errorf("--method: %w", err)
	}
	if c.out == "" && (c.json || c.svg || c.atlas || c.method != attentionMethod) {
		return style, errors.New("--json, --svg, --atlas and --method say what is written into a folder: name it with -o DIR")
	}
	return style, nil
}

// ask completes the search with what the captioner's file recommends, where the flags don't
// say otherwise.
func (c *captionFlags) ask(cmd *cobra.Command, cfg caption.Config) {
	best, set := cfg.Recommended(), cmd.Flags().Changed
	sampled := set("top-k") || set("top-p") || set("temperature")
	if best.Beam > 1 && !set("beam") && !sampled {
		c.options.Beam = best.Beam
	}
	if best.Beam > 1 && !set("length-penalty") {
		c.options.LengthPenalty = best.LengthPenalty
	}
	if c.options.Beam > 1 && !set("neighbours") {
		c.options.Neighbours = best.Neighbours
	}
}

// introduce says which captioner is at work, where it matters: the default one, and the one
// that knows no photographs.
func (c *captionFlags) introduce(cmd *cobra.Command) {
	name := hub.ShortName(c.model)
	known, ok := hub.Lookup(name)
	switch {
	case ok && name == hub.LaptopCaptioner:
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: note: %s knows drawings (those of 'gaze scenes') only: what it says of a photograph is made up; %s knows photographs\n", name, hub.PhotosCaptioner)
	case ok && !cmd.Flags().Changed("model"):
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: captions by %s, a %s\n", name, known.Title)
	}
}

func (c *captionFlags) run(cmd *cobra.Command, args []string) error {
	style, err := c.check()
	if err != nil {
		return misuse(cmd, err)
	}
	path, err := hub.Resolve(c.model)
	if err != nil {
		return err
	}
	m, err := caption.Open(path, chosen(cmd).Weights, c.vocab, hub.VocabFile(path))
	if err != nil {
		return err
	}
	if m, err = m.Complete(func(name string) (string, error) { return fetched(cmd, name) }); err != nil {
		return err
	}
	defer m.Close()
	warn(cmd, m.Warnings)
	c.introduce(cmd)
	c.ask(cmd, m.Config)
	if _, err := explain.Index(c.layer, m.Config.DecoderLayers, "decoder layer"); err != nil {
		return misuse(cmd, fmt.Errorf("--layer: %w", err))
	}
	if err := style.Heads.Check(m.Config.Heads); err != nil {
		return misuse(cmd, fmt.Errorf("--head: %w", err))
	}
	if err := c.options.Check(m.Config); err != nil {
		return misuse(cmd, err)
	}
	b, err := backend.Default()
	if err != nil {
		return err
	}
	captioner, err := caption.NewCaptioner(b, m, nil)
	if err != nil {
		return err
	}
	defer captioner.Close()
	var words *explain.WordExplainer
	if c.method != attentionMethod {
		if words, err = explain.NewWordExplainer(b, m); err != nil {
			return err
		}
		defer words.Close()
	}
	pictures, err := c.find(cmd, args, c.out)
	if err != nil {
		return err
	}
	plan := newPlan(cmd, c.force)
	plan.Reads(c.words()...)
	if c.out != "" {
		if err := pictures.plan(plan, c.out, c.endings()...); err != nil {
			return err
		}
	}
	return c.captionAll(pictures, plan, captioner, words, style)
}

// captionAll captions the pictures, and writes and prints what was asked for. words is nil
// if maps are the captioner's attention.
func (c *captionFlags) captionAll(pictures *batch, plan *outputs.Plan, captioner *caption.Captioner, words *explain.WordExplainer, style explain.CaptionStyle) error {
	cfg := captioner.Config()
	return process(pictures, plan, nil, pictureWork[captioning, captioning, captioning]{
		prepare: func(_ data.Found, im *transform.Image) (captioning, error) {
			input, err := cfg.Preprocess(im)
			if err != nil {
				return captioning{}, err
			}
			k := captioning{input: input}
			if c.out != "" {
				k.image = explain.Shown(im)
			}
			return k, nil
		},
		run: func(batch []captioning) ([]captioning, error) {
			k, err := c.caption(captioner, words, batch[0], style.Heads)
			return []captioning{k}, err
		},
		finish: func(picture data.Found, _, k captioning) (captioning, error) {
			if c.out == "" {
				return k, nil
			}
			e, err := explain.NewCaptioned(filepath.Base(picture.Path), k.image, k.result, cfg)
			if err != nil {
				return k, err
			}
			e.Model = hub.ShortName(c.model)
			style := style
			style.Maps = k.maps
			k.files, err = c.files(e, style, func(ending string) string { return output(c.out, picture, ending) })
			return k, err
		},
		deliver: func(picture data.Found, k captioning) error {
			if err := writeAll(plan, k.files); err != nil {
				return err
			}
			_, err := fmt.Fprintf(pictures.cmd.OutOrStdout(), "%s\t%s\n", picture.Path, k.result.Text)
			return err
		},
	})
}

// captioning is a picture, then also its caption, and the files that are made of it.
type captioning struct {
	input  *transform.Tensor
	image  *transform.Image // only for figures
	result caption.Result
	maps   *explain.WordMaps
	files  []newFile
}

// caption captions one picture, and makes the maps of its words if they aren't attention.
// Pictures together would change the last bits of the probabilities.
func (c *captionFlags) caption(captioner *caption.Captioner, words *explain.WordExplainer, k captioning, heads explain.Heads) (captioning, error) {
	results, err := captioner.CaptionTensors([]*transform.Tensor{k.input}, c.options)
	if err != nil {
		return k, err
	}
	k.result = results[0]
	if words != nil {
		var ids []int
		for _, t := range k.result.Tokens {
			ids = append(ids, t.ID)
		}
		k.maps, err = words.Explain(c.method, k.input, ids, explain.WordOptions{Settings: explain.Settings{Heads: heads}})
	}
	return k, err
}

// words lists the files of the captioner and its vocabulary.
func (c *captionFlags) words() []string {
	files := append(checkpointFiles(c.model), c.vocab)
	if cached, ok := hub.Path("bert-base-uncased"); ok {
		files = append(files, cached)
	}
	return files
}

// figures is the file name ending of figures.
func (c *captionFlags) figures() string {
	if c.svg {
		return ".svg"
	}
	return ".png"
}

// endings lists the name endings of each picture's output files.
func (c *captionFlags) endings() []string {
	list := []string{c.figures()}
	if c.json {
		list = append(list, ".json")
	}
	if c.atlas {
		list = append(list, "-layers"+c.figures(), "-heads"+c.figures())
	}
	return list
}

// files makes a picture's output files.
func (c *captionFlags) files(e *explain.Captioned, style explain.CaptionStyle, name func(ending string) string) ([]newFile, error) {
	figure, err := e.Figure(style)
	if err != nil {
		return nil, err
	}
	var files []newFile
	add := func(ending string, data []byte, err error) error {
		files = append(files, newFile{name(ending), data})
		return err
	}
	if c.json {
		data, err := captionAsJSON(e, style)
		if err := add(".json", data, err); err != nil {
			return nil, err
		}
	}
	draw := func(ending string, f plots.Figure) error {
		data, err := encodeFigure(name(ending), f)
		return add(ending, data, err)
	}
	if c.atlas {
		layers, err := e.LayerAtlas(style.Heads)
		if err != nil {
			return nil, err
		}
		heads, err := e.HeadAtlas(style.Layer)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(draw("-layers"+c.figures(), layers), draw("-heads"+c.figures(), heads)); err != nil {
			return nil, err
		}
	}
	if err := draw(c.figures(), figure); err != nil {
		return nil, err
	}
	return files, nil
}

// captionJSON is the content of DIR/<stem>.json.
type captionJSON struct {
	Caption   string      `json:"caption"`
	Pieces    []pieceJSON `json:"pieces"`
	Grid      [2]int      `json:"grid"`
	Attention [][]float32 `json:"attention"`
	Method    string      `json:"method,omitempty"`
	Maps      [][]float32 `json:"maps,omitempty"`
}

type pieceJSON struct {
	ID      int     `json:"id"`
	Text    string  `json:"text"`
	LogProb float64 `json:"logprob"`
}

func captionAsJSON(e *explain.Captioned, style explain.CaptionStyle) ([]byte, error) {
	out := captionJSON{Caption: e.Result.Text, Grid: e.Result.Grid}
	for i, piece := range e.Result.Tokens {
		out.Pieces = append(out.Pieces, pieceJSON(piece))
		m, err := e.PieceMap(i, style.Layer, style.Heads)
		if err != nil {
			return nil, err
		}
		out.Attention = append(out.Attention, m.Values)
		if style.Maps != nil {
			out.Method = style.Maps.Method.Name
			out.Maps = append(out.Maps, style.Maps.Maps[i].Values)
		}
	}
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false) // word pieces such as <start> stay readable
	err := encoder.Encode(out)
	return buf.Bytes(), err
}
