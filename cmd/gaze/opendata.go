package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/data"
)

// openDataset lists a data set and prints notes on how its layout was read.
func openDataset(cmd *cobra.Command, path string) (*data.Splits, error) {
	splits, err := data.OpenDataset(path)
	if err != nil {
		return nil, err
	}
	for _, note := range splits.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s\n", note)
	}
	return splits, nil
}
