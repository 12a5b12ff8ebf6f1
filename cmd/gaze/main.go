// Command gaze shows what a Vision Transformer sees: a checkpoint's position
// embeddings, the [class] token's attention over photographs, its predictions.
// It also trains, evaluates and captions. It parses flags and writes files; the
// work is done by the packages under pkg.
//
// Results go to files or standard output, progress and warnings to standard
// error. Exit status: 0 success, 1 failure (with a one-line reason), 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"

	"gaze/internal/cachedir"
	"gaze/internal/environ"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt kills the program at once
	code := runWith(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is runWith with empty standard input.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runWith(ctx, args, strings.NewReader(""), stdout, stderr)
}

// runWith executes one command line and returns its exit status.
func runWith(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		for i, line := range strings.Split(err.Error(), "\n") { // a pipeline error marks the spot on a second line
			if i == 0 {
				line = "gaze: " + line
			}
			fmt.Fprintln(stderr, printable(line))
		}
		fmt.Fprintln(stderr, usage.hint)
		return 2
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "gaze: interrupted")
		return 1
	}
	fmt.Fprintf(stderr, "gaze: %s\n", oneLine(err))
	return 1
}

// oneLine puts an error on one line, as scripts expect, and replaces control
// characters: a file name can contain terminal escape sequences.
func oneLine(err error) string { return onOneLine(err.Error()) }

func onOneLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	return printable(strings.Join(lines, "; "))
}

// printable replaces control characters, which a terminal would act on.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// usageError is an error in the command line: exit status 2.
type usageError struct {
	err  error
	hint string
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// misuse marks err as wrong usage of cmd.
func misuse(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return usageError{err: err, hint: fmt.Sprintf("Run '%s --help' for its flags and an example.", cmd.CommandPath())}
}

// newRoot builds a new command tree on each call, so that tests can run many commands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "gaze",
		Short: "See what a vision transformer sees",
		Long: "gaze shows what a Vision Transformer sees: its position embeddings, the [class]\n" +
			"token's attention over your photographs, its predictions. It also trains one on your own\n" +
			"pictures and measures how good it is.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs, // so that an unknown command reaches RunE
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return misuse(cmd, unknownCommand(cmd, args[0]))
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			environ.WarnOnce(cmd.ErrOrStderr())
			_, err := environ.FolderToMake(cachedir.Env) // checked here because most commands carry on without a cache
			return err
		},
		SuggestionsMinimumDistance: 2,
		Version:                    version(),
	}
	root.SetFlagErrorFunc(misuse)
	root.AddCommand(
		newDevices(), newModels(), newPull(), newModel(),
		newPosembed(), newAttend(), newExplain(), newClassify(), newReport(), newScore(),
		newTrain(), newLR(), newEvaluate(),
		newCaption(), newBatch(), newPets(), newScenes(), newTransform(), newAugment(),
	)
	for _, cmd := range root.Commands() {
		guardArguments(cmd)
	}
	return root
}

// unknownCommand names the unknown command and suggests similar ones.
func unknownCommand(root *cobra.Command, name string) error {
	text := fmt.Sprintf("unknown command %q", name)
	if like := root.SuggestionsFor(name); len(like) > 0 {
		text += fmt.Sprintf(" (did you mean %s?)", strings.Join(like, " or "))
	}
	return errors.New(text)
}

// guardArguments reports a wrong number of arguments, or a missing required flag,
// as wrong usage (exit status 2).
func guardArguments(cmd *cobra.Command) {
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check != nil {
			if err := check(cmd, args); err != nil {
				return misuse(cmd, err)
			}
		}
		return misuse(cmd, cmd.ValidateRequiredFlags())
	}
}
