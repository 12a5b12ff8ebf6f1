package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/pkg/breeds"
)

// breedsDescription is the output of `gaze model` for a classifier of breeds.
type breedsDescription struct {
	Path string `json:"path"`
	breeds.Config
	Verified *verified `json:"verified,omitempty"`
}

// showBreeds describes a classifier of breeds, whose head is the given file.
func showBreeds(cmd *cobra.Command, head string, asJSON bool, v *verified) error {
	c, _, err := breeds.ReadConfig(head)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(cmd, breedsDescription{head, c, v})
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"file", head},
		{"architecture", fmt.Sprintf("a linear layer over %s, and %s: the sum of their logits, over each picture and its mirror image", c.Network, c.ViT)},
		{"classes", fmt.Sprintf("%d: %s, …, %s", len(c.Breeds), c.Breeds[0], c.Breeds[len(c.Breeds)-1])},
		{"temperature", fmt.Sprintf("%.3g", c.Temperature)},
		{"no pet", fmt.Sprintf("where ImageNet's dogs and cats together are less likely than %.3g", c.PetThreshold)},
		{"pipelines", fmt.Sprintf("%s: %s", c.Network, c.NetworkPipeline[0])},
		{"", fmt.Sprintf("%s: %s", c.ViT, c.ViTPipeline[0])},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	if v != nil {
		fmt.Fprintf(w, "verified\t%s\n", v.sentence())
	}
	return w.Flush()
}
