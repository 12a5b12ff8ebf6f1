package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/pkg/caption"
	"gaze/pkg/hub"
)

// captionerDescription is the output of `gaze model` for a captioner.
type captionerDescription struct {
	Path       string         `json:"path"`
	Layout     caption.Layout `json:"layout"`
	Parameters int            `json:"parameters"`
	Config     caption.Config `json:"config"`
	Grid       [2]int         `json:"grid"`      // rows and columns of cells for a square picture
	OwnWords   bool           `json:"own_words"` // whether the vocabulary came with the weights
	Verified   *verified      `json:"verified,omitempty"`
}

// loadCaptioner opens a checkpoint as a captioner, if it is one.
func loadCaptioner(fileOrName, set string) (*caption.Model, bool) {
	path, err := hub.Resolve(fileOrName)
	if err != nil {
		return nil, false
	}
	m, err := caption.LoadSet(path, set)
	return m, err == nil
}

// showCaptioner describes a captioner.
func showCaptioner(cmd *cobra.Command, m *caption.Model, asJSON bool, v *verified) error {
	if v != nil {
		if err := m.CheckFinite(); err != nil {
			return err
		}
		v.Finite = true
	}
	c := m.Config
	d := captionerDescription{Path: m.Path, Layout: m.Layout, Config: c, Grid: c.Grid(c.LongestSide, c.LongestSide), OwnWords: m.Vocab != nil, Verified: v}
	for _, p := range c.Parameters() {
		n := 1
		for _, size := range p.Shape {
			n *= size
		}
		d.Parameters += n
	}
	if asJSON {
		return writeJSON(cmd, d)
	}
	words := "in a separate file: 'gaze caption --vocab FILE', or 'gaze pull bert-base-uncased'"
	if d.OwnWords {
		words = "with the weights"
	}
	pictures, network := fmt.Sprintf("longer side %d", c.LongestSide), "backbone "+c.Backbone.Kind
	if side := c.Backbone.Side; side > 0 {
		pictures = fmt.Sprintf("resized to %d×%d", side, side)
	}
	if c.BackboneFrom != "" {
		network += " of " + c.BackboneFrom + ", which is a checkpoint of its own"
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"file", d.Path},
		{"layout", string(d.Layout)},
		{"architecture", fmt.Sprintf("captioner, %.1f million parameters, %s", float64(d.Parameters)/1e6, network)},
		{"layers", fmt.Sprintf("%d encoder, %d decoder, %d wide, %d heads", c.EncoderLayers, c.DecoderLayers, c.Dim, c.Heads)},
		{"pictures", fmt.Sprintf("%s, cells of %d pixels, a grid of %d×%d if square", pictures, c.Backbone.Stride(), d.Grid[0], d.Grid[1])},
		{"words", fmt.Sprintf("%d word pieces, %s; captions of up to %d", c.Vocab, words, c.MaxPositions)},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	if v != nil {
		fmt.Fprintf(w, "verified\t%s\n", v.sentence())
	}
	return w.Flush()
}
