package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gaze/pkg/caption/score"
	"gaze/pkg/data"
)

func newScore() *cobra.Command {
	var refsFile, hypsFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "score --refs refs.json --hyps hyps.json",
		Short: "Score captions against references: BLEU, ROUGE-L, CIDEr",
		Long: "Score captions against references: BLEU-1 to BLEU-4, ROUGE-L and CIDEr, equal to\n" +
			"pycocoevalcap's with its tokenization, and without Java. CIDEr is the score that\n" +
			"pycocoevalcap and the COCO server report, which by its formula is CIDEr-D; the paper's\n" +
			"CIDEr, without clipping and length penalty, is listed beside it. CIDEr depends on all\n" +
			"pictures of a run: scores of different sets can't be compared, and a single picture\n" +
			"scores 0.\n\n" +
			"--refs is a COCO captions file: \"annotations\" with image_id and caption, several per\n" +
			"picture; or Karpathy's; or a CSV or .jsonl with file_name and text, where a picture's id is\n" +
			"its file_name unless there is a column id; or a folder with such a table, metadata.csv or\n" +
			"metadata.jsonl. The pictures needn't be there. --hyps is a list of {image_id, caption}, one per picture. An image_id is an\n" +
			"integer or a string, and --json writes it as it is in --refs. Pictures without a result\n" +
			"are left out and counted on standard error.\n\n" +
			"METEOR and SPICE are not included: both are Java programs that need large resources\n" +
			"(paraphrase tables; WordNet and a parser's model), and reimplementations wouldn't give\n" +
			"scores comparable with published ones.",
		Example: "  gaze score --refs captions_val2014.json --hyps results.json\n" +
			"  gaze score --refs captions_val2014.json --hyps results.json --json > scores.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := readReferences(cmd, refsFile)
			if err != nil {
				return err
			}
			hyps, err := score.ReadResults(hypsFile)
			if err != nil {
				return err
			}
			r, err := score.Evaluate(refs, hyps)
			if err != nil {
				return fmt.Errorf("%s: %w", hypsFile, err)
			}
			if r.Unscored > 0 {
				warn(cmd, []string{fmt.Sprintf("%s: pictures without a result in %s, left out: %d", refsFile, hypsFile, r.Unscored)})
			}
			if asJSON {
				return writeJSON(cmd, r)
			}
			return writeScores(cmd.OutOrStdout(), r)
		},
	}
	f := cmd.Flags()
	f.StringVar(&refsFile, "refs", "", "references: a COCO captions file, a table, or a folder with a metadata.csv")
	f.StringVar(&hypsFile, "hyps", "", "captions to score, a COCO results file")
	f.BoolVar(&asJSON, "json", false, "write JSON, with the scores of each picture")
	require(cmd, "refs", "hyps")
	return cmd
}

// readReferences reads the captions of a COCO file, or of a table or a folder with one.
func readReferences(cmd *cobra.Command, path string) (*score.References, error) {
	if !data.IsCaptionTable(path) {
		return score.ReadReferences(path)
	}
	set, err := data.ReadCaptionTable(path)
	if err != nil {
		return nil, err
	}
	warn(cmd, set.Notes)
	refs := &score.References{Path: path, Captions: map[string][]string{}}
	for _, p := range set.Pictures {
		refs.Images = append(refs.Images, p.ID)
		refs.Captions[p.ID] = p.Captions
	}
	return refs, nil
}

// writeScores writes the scores as a table.
func writeScores(out io.Writer, r *score.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "pictures\t%d\nreferences\t%d\n", r.Pictures, r.References)
	s := r.Corpus
	for _, row := range []struct {
		name  string
		value float64
	}{
		{"BLEU-1", s.BLEU1}, {"BLEU-2", s.BLEU2}, {"BLEU-3", s.BLEU3}, {"BLEU-4", s.BLEU4},
		{"ROUGE-L", s.ROUGEL}, {"CIDEr", s.CIDEr}, {"CIDEr, unclipped", s.CIDErUnclipped},
	} {
		fmt.Fprintf(w, "%s\t%.4f\n", row.name, row.value)
	}
	return w.Flush()
}
