package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"gaze/internal/atomicfile"
	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/transform"
)

// captionFlags are the flags of `gaze caption`.
type captionFlags struct {
	model, vocab, out, head, scale string
	layer                          int
	json, svg, atlas               bool
	options                        caption.Options
}

func newCaption() *cobra.Command {
	var flags captionFlags
	cmd := &cobra.Command{
		Use:   "caption --model FILE -o DIR PATH...",
		Short: "Caption pictures and show where each word was looked for",
		Long: "Caption pictures, and show for each word where the decoder looked when it predicted it:\n" +
			"DIR/<stem>.png is the photograph and a panel for every word; with --json DIR/<stem>.json\n" +
			"has\n\n" +
			"  caption    the text\n" +
			"  pieces     id, text and logprob (natural logarithm) of each word piece, [SEP] included\n" +
			"  grid       rows and columns of cells\n" +
			"  attention  for each piece the weights of the step that predicted it, row by row\n\n" +
			"A line for each picture, file and caption with a tab between, goes to standard output.",
		Example: "  gaze pull bert-base-uncased    # the words of CATR's captioners\n" +
			"  gaze caption --model weight493084032.pth -o captions photos/\n" +
			"  gaze caption --model weight493084032.pth --beam 5 --layer -2 --json -o captions photo.jpg",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args) },
	}
	f := cmd.Flags()
	checkpointFlag(cmd, &flags.model)
	weightsFlag(cmd)
	f.Lookup("model").Usage = "captioner: a file (CATR's .pth, or one that 'make captioner' wrote), or a name that 'gaze models' lists"
	f.StringVar(&flags.vocab, "vocab", "", "word pieces, one a line, as BERT's vocab.txt (default: the model's own, vocab.txt beside it, or bert-base-uncased from the cache)")
	f.StringVarP(&flags.out, "output", "o", "", "folder for the results")
	f.IntVar(&flags.layer, "layer", -1, "decoder layer, counted from 0; -1 is the last")
	f.StringVar(&flags.head, "head", "mean", "mean or max over the heads, or a head's number counted from 0")
	f.StringVar(&flags.scale, "scale", "word", "colours: word (each map from its least to its largest weight) or figure (one scale for all)")
	f.BoolVar(&flags.json, "json", false, "also write DIR/<stem>.json")
	f.BoolVar(&flags.svg, "svg", false, "draw DIR/<stem>.svg instead of .png")
	f.BoolVar(&flags.atlas, "atlas", false, "also draw DIR/<stem>-layers.png and DIR/<stem>-heads.png: every layer, and every head of the layer")
	o := &flags.options
	f.IntVar(&o.Beam, "beam", 1, "captions followed at once")
	f.Float64Var(&o.LengthPenalty, "length-penalty", 1, "beam search: power of the length that divides a caption's log-probability; 0 prefers short ones")
	f.IntVar(&o.MaxTokens, "max-tokens", 0, "word pieces at most (default: as many as the model can)")
	f.IntVar(&o.TopK, "top-k", 0, "draw among that many likeliest pieces")
	f.Float64Var(&o.TopP, "top-p", 0, "draw among the fewest pieces that together have this probability")
	f.Float64Var(&o.Temperature, "temperature", 0, "draw, logits divided by this")
	f.Uint64Var(&o.Seed, "seed", 0, "of the draws")
	require(cmd, "model", "output")
	return cmd
}

// check tells what flags don't fit together.
func (c *captionFlags) check() (explain.CaptionStyle, error) {
	style := explain.CaptionStyle{Layer: c.layer, OwnScale: c.scale == "word"}
	if c.scale != "word" && c.scale != "figure" {
		return style, fmt.Errorf("--scale: %q is neither word nor figure", c.scale)
	}
	if c.options.Beam < 1 {
		return style, fmt.Errorf("--beam: %d captions can't be followed", c.options.Beam)
	}
	heads, err := explain.ParseHeads(c.head)
	if err != nil {
		return style, fmt.Errorf("--head: %w", err)
	}
	style.Heads = heads
	return style, nil
}

func (c *captionFlags) run(cmd *cobra.Command, args []string) error {
	style, err := c.check()
	if err != nil {
		return misuse(cmd, err)
	}
	m, err := hub.OpenCaptionerSet(c.model, chosen(cmd).Weights, c.vocab)
	if err != nil {
		return err
	}
	defer m.Close()
	warn(cmd, m.Warnings)
	if _, err := explain.Index(c.layer, m.Config.DecoderLayers, "decoder layer"); err != nil {
		return misuse(cmd, fmt.Errorf("--layer: %w", err))
	}
	if err := style.Heads.Check(m.Config.Heads); err != nil {
		return misuse(cmd, fmt.Errorf("--head: %w", err))
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
	if err := os.MkdirAll(c.out, 0o755); err != nil {
		return err
	}
	taken := names{}
	return forEachPicture(cmd.Context(), args, cmd.ErrOrStderr(), func(path string, im *transform.Image) error {
		name, err := taken.take(path)
		if err != nil {
			return err
		}
		results, err := captioner.Caption([]*transform.Image{im}, c.options)
		if err != nil {
			return err
		}
		e, err := explain.NewCaptioned(filepath.Base(path), im, results[0], m.Config)
		if err != nil {
			return err
		}
		e.Model = hub.ShortName(c.model)
		if err := c.write(e, style, filepath.Join(c.out, name)); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", path, results[0].Text)
		return err
	})
}

// write writes what was asked for of one picture.
func (c *captionFlags) write(e *explain.Captioned, style explain.CaptionStyle, base string) error {
	ending := ".png"
	if c.svg {
		ending = ".svg"
	}
	figure, err := e.Figure(style)
	if err != nil {
		return err
	}
	if c.json {
		if err := c.writeJSON(e, style, base+".json"); err != nil {
			return err
		}
	}
	if c.atlas {
		layers, err := e.LayerAtlas(style.Heads)
		if err != nil {
			return err
		}
		heads, err := e.HeadAtlas(style.Layer)
		if err != nil {
			return err
		}
		if err := errors.Join(saveFigure(base+"-layers"+ending, layers), saveFigure(base+"-heads"+ending, heads)); err != nil {
			return err
		}
	}
	return saveFigure(base+ending, figure)
}

// captionJSON is what a program reads of a caption.
type captionJSON struct {
	Caption   string      `json:"caption"`
	Pieces    []pieceJSON `json:"pieces"`
	Grid      [2]int      `json:"grid"`
	Attention [][]float32 `json:"attention"`
}

type pieceJSON struct {
	ID      int     `json:"id"`
	Text    string  `json:"text"`
	LogProb float64 `json:"logprob"`
}

func (c *captionFlags) writeJSON(e *explain.Captioned, style explain.CaptionStyle, path string) error {
	out := captionJSON{Caption: e.Result.Text, Grid: e.Result.Grid}
	for i, p := range e.Result.Pieces {
		out.Pieces = append(out.Pieces, pieceJSON(p))
		m, err := e.PieceMap(i, style.Layer, style.Heads)
		if err != nil {
			return err
		}
		out.Attention = append(out.Attention, m.Values)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, append(text, '\n'))
}
