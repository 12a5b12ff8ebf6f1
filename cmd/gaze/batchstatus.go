package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	corpus "gaze/pkg/batch"
)

func newBatchStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status JOB",
		Short: "Say how far a job is",
		Long: "Say how far a job is. Only the receipts of finished shards are read, so that it works while any\n" +
			"engine runs the job, also on other machines.",
		Example: "  gaze batch status job",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := openJob(cmd, args[0])
			if err != nil {
				return err
			}
			s, err := j.Status(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd, s)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), statusLine(s))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON to standard output")
	return cmd
}

// statusLine is a job's status for people.
func statusLine(s corpus.Status) string {
	text := fmt.Sprintf("%d of %d pictures, %d bad; %d of %d shards", s.Rows, s.Inputs, s.Bad, s.Done, s.Shards)
	switch {
	case s.Complete:
		text += "; complete"
	case s.PicturesPerSecond > 0 && s.Done < s.Shards:
		left := time.Duration(s.SecondsLeft * float64(time.Second))
		text += fmt.Sprintf("; %s, %s left", perSecond(s.PicturesPerSecond), left.Round(time.Second))
	}
	return text
}

func newBatchVerify() *cobra.Command {
	var asJSON, repair bool
	cmd := &cobra.Command{
		Use:   "verify JOB",
		Short: "Check that every picture is in the parts exactly once",
		Long: "Read all parts of a job and check them: their bytes are those of their receipts, and every\n" +
			"picture has exactly one row, in order. A complete job whose manifest is missing gets it. The\n" +
			"exit status is 1 if anything is wrong or not done yet.",
		Example: "  gaze batch verify job\n" +
			"  gaze batch verify job --repair && gaze batch run job",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := openJob(cmd, args[0])
			if err != nil {
				return err
			}
			v, err := j.Verify(cmd.Context(), repair)
			if err != nil {
				return err
			}
			if v.Whole() && !v.Complete {
				if _, err := j.Finish(cmd.Context()); err != nil {
					return err
				}
				v.Complete = true
			}
			if asJSON {
				err = writeJSON(cmd, v)
			} else {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), statusLine(v.Status))
			}
			if err != nil {
				return err
			}
			return verdict(cmd, v, repair)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "write JSON to standard output")
	f.BoolVar(&repair, "repair", false, "remove parts that are wrong, with their receipts, so that 'gaze batch run' makes them again")
	return cmd
}

// maxShown is how many wrong parts are named.
const maxShown = 20

// verdict names what is wrong.
func verdict(cmd *cobra.Command, v corpus.Verified, repaired bool) error {
	left := 0
	for i, p := range v.Problems {
		if i < maxShown {
			fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s: %s\n", onOneLine(p.Name), onOneLine(p.Problem))
		}
		if p.Shard < 0 || !repaired {
			left++
		}
	}
	switch {
	case left > 0 && left == len(v.Problems):
		return fmt.Errorf("%d files are wrong", left)
	case left > 0:
		return fmt.Errorf("%d files are wrong; %d parts were removed: run the job again", left, len(v.Problems)-left)
	case repaired && len(v.Problems) > 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %d parts were removed: run the job again\n", len(v.Problems))
		return nil
	case len(v.Missing) > 0:
		return fmt.Errorf("%d of %d shards aren't done yet", len(v.Missing), v.Shards)
	}
	return nil
}
