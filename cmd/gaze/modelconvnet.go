package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/pkg/convnet"
)

// convnetDescription is the output of `gaze model` for a convolutional network.
type convnetDescription struct {
	Path         string         `json:"path"`
	Layout       convnet.Layout `json:"layout"`
	Architecture string         `json:"architecture"`
	Parameters   int            `json:"parameters"`
	Config       convnet.Config `json:"config"`
	Channels     int            `json:"channels"` // of a cell
	Stride       int            `json:"stride"`   // pixels from cell to cell
	Classes      int            `json:"classes"`
	Labels       []string       `json:"labels,omitempty"`
	Pipeline     string         `json:"pipeline"`
	Warnings     []string       `json:"warnings,omitempty"`
	Verified     *verified      `json:"verified,omitempty"`
}

// showConvnet describes a convolutional network.
func showConvnet(cmd *cobra.Command, m *convnet.Model, asJSON bool, v *verified) error {
	if err := m.CheckFinite(); err != nil {
		return err
	}
	if v != nil {
		v.Finite = true
	}
	d := convnetDescription{
		Path: m.Path, Layout: m.Layout, Architecture: m.Name, Parameters: m.ParameterCount(), Config: m.Config,
		Channels: m.Config.Channels(), Stride: m.Config.Stride(), Classes: m.Classes, Labels: m.Labels,
		Pipeline: m.Pipeline(), Warnings: m.Warnings, Verified: v,
	}
	if asJSON {
		return writeJSON(cmd, d)
	}
	classes := "none: the checkpoint has no classifier"
	switch {
	case len(d.Labels) > 0:
		classes = fmt.Sprintf("%d: %s, …, %s", d.Classes, d.Labels[0], d.Labels[len(d.Labels)-1])
	case d.Classes > 0:
		classes = fmt.Sprintf("%d, without names", d.Classes)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"file", d.Path},
		{"layout", string(d.Layout)},
		{"architecture", fmt.Sprintf("%s, a convolutional network, %.1f million parameters", d.Architecture, float64(d.Parameters)/1e6)},
		{"features", fmt.Sprintf("cells of %d pixels, %d channels each; pictures of any size", d.Stride, d.Channels)},
		{"classes", classes},
		{"pipeline", d.Pipeline},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	if v != nil {
		fmt.Fprintf(w, "verified\t%s\n", v.sentence())
	}
	return w.Flush()
}
