package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"gaze/internal/meter"
	"gaze/internal/outputs"
	"gaze/pkg/data"
	"gaze/pkg/hub"
)

// tally counts a batch's pictures, shows progress on a terminal, and prints a summary.
type tally struct {
	*batch
	line         *liveLine
	meter        *meter.Meter
	total        int
	done, failed int
	first        string // the first picture that failed
	reasons      grouped
}

// begin starts the count. From now on, output to the command's streams appears above
// the live line.
func (b *batch) begin() *tally {
	t := &tally{batch: b, total: len(b.listing.Pictures) + len(b.listing.Failed)}
	t.meter = meter.New(float64(t.total))
	out, log := b.cmd.OutOrStdout(), b.cmd.ErrOrStderr()
	t.line = newLiveLine(log, !b.quiet && t.total > 1)
	if t.line.on {
		b.cmd.SetErr(t.line.above(log))
		if isTerminal(out) {
			b.cmd.SetOut(t.line.above(out))
		}
	}
	return t
}

// show says once how long the batch takes, and draws its progress.
func (t *tally) show() {
	t.meter.At(float64(t.done + t.failed))
	if !t.quiet {
		announce(t.cmd.ErrOrStderr(), t.meter, t.total)
	}
	t.line.show(progress(t.done, t.failed, t.total, t.meter))
}

// announce says how long work on pictures takes, when that has just become known.
func announce(w io.Writer, m *meter.Meter, pictures int) {
	if text := m.Forecast(); text != "" {
		fmt.Fprintf(w, "gaze: %s for %d pictures\n", text, pictures)
	}
}

// progress describes how far a batch is, its speed and the time left.
func progress(done, failed, total int, m *meter.Meter) string {
	text := fmt.Sprintf("%d of %d pictures", done+failed, total)
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	if rate := m.Rate(); rate > 0 {
		text += fmt.Sprintf(", %s, %s left", perSecond(rate), m.Left().Round(time.Second))
	}
	return text
}

func perSecond(rate float64) string { return fmt.Sprintf("%.3g pictures/s", rate) }

// rate is the number of pictures per unit of time.
func rate(pictures int, took time.Duration) string {
	return perSecond(float64(pictures) / max(took.Seconds(), 1e-9))
}

// count counts a picture that is done, or failed with an error. It returns an error if the
// batch can't go on.
func (t *tally) count(ctx context.Context, path string, err error) error {
	switch {
	case err == nil:
		t.done++
	case ctx.Err() != nil:
		return ctx.Err()
	case unwritable(err):
		return &batchStopped{fmt.Errorf("%w (%d of %d pictures done; the others would fail too)", err, t.done, t.total)}
	default:
		t.fail(path, err)
	}
	t.show()
	return nil
}

// fail counts and names a picture that failed.
func (t *tally) fail(path string, err error) {
	text := about(path, err)
	fmt.Fprintf(t.cmd.ErrOrStderr(), "gaze: %s\n", text)
	t.failed++
	if t.first == "" {
		t.first = path
	}
	t.reasons.add(strings.TrimPrefix(text, onOneLine(path)+": "), path)
}

// failure is the error of a batch in which pictures failed.
func (t *tally) failure() error {
	switch {
	case t.failed == 0:
		return nil
	case t.failed == t.total:
		return fmt.Errorf("no picture could be processed: %d of %d failed (the first: %s)", t.failed, t.total, t.first)
	}
	return fmt.Errorf("%d of %d pictures failed (the first: %s); the others are done", t.failed, t.total, t.first)
}

// end erases the live line and prints the summary.
func (t *tally) end(p *outputs.Plan) {
	t.line.clear()
	if t.line.on {
		t.cmd.SetErr(nil)
		t.cmd.SetOut(nil)
	}
	if t.quiet {
		return
	}
	for _, line := range t.summary(p, t.meter.Took()) {
		fmt.Fprintf(t.cmd.ErrOrStderr(), "gaze: %s\n", line)
	}
}

// summary lists the numbers of pictures done, failed and skipped, with reasons.
func (t *tally) summary(p *outputs.Plan, took time.Duration) []string {
	var lines []string
	if t.total > 1 {
		line := fmt.Sprintf("%d of %d pictures done in %.3g s", t.done, t.total, took.Seconds())
		if t.done > 0 {
			line += ", " + rate(t.done, took)
		}
		if rest := t.total - t.done - t.failed; rest > 0 {
			line = fmt.Sprintf("stopped: %s; %d not started; finished results are kept", line, rest)
		}
		lines = append(lines, line)
		for _, g := range t.reasons.groups {
			lines = append(lines, fmt.Sprintf("failed: %s: %s", g.names(), g.reason))
		}
		if n := t.reasons.others; n > 0 {
			lines = append(lines, fmt.Sprintf("failed: %d more, for other reasons", n))
		}
	}
	return append(lines, skipped(t.listing, p)...)
}

// skipped lists the files in the folders that aren't pictures, and the folders that
// weren't searched.
func skipped(listing *data.Listing, p *outputs.Plan) []string {
	var kinds grouped
	for _, s := range listing.Skipped {
		if p != nil && p.Planned(s.Path) || filepath.Base(s.Path) == hub.RecordName { // Gaze's own file
			continue
		}
		kinds.add(s.Why, s.Path)
	}
	var lines []string
	for _, g := range kinds.groups {
		what := "files that aren't pictures"
		switch {
		case g.reason != "":
			what = "files (" + g.reason + ")"
		case g.count == 1:
			what = "file that isn't a picture"
		}
		if g.count == 1 {
			what = strings.Replace(what, "files (", "file (", 1)
		}
		lines = append(lines, fmt.Sprintf("skipped %d %s: %s", g.count, what, g.names()))
	}
	if n := kinds.others; n > 0 {
		lines = append(lines, fmt.Sprintf("skipped %d more, for other reasons", n))
	}
	for _, folder := range listing.Left {
		lines = append(lines, "not searched: "+onOneLine(folder)+", the output folder")
	}
	return lines
}

// grouped are files grouped by reason, in order of first appearance.
type grouped struct {
	groups []*group
	others int // files with reasons beyond the first few
}

// group is the files with one reason.
type group struct {
	reason string
	first  []string // the first files' names
	count  int
}

// Limits of a summary: the number of reasons, and of names for each.
const (
	maxReasons = 8
	maxNames   = 3
)

func (g *grouped) add(reason, path string) {
	for _, known := range g.groups {
		if known.reason == reason {
			known.add(path)
			return
		}
	}
	if len(g.groups) == maxReasons {
		g.others++
		return
	}
	g.groups = append(g.groups, &group{reason: reason})
	g.groups[len(g.groups)-1].add(path)
}

func (g *group) add(path string) {
	if g.count++; len(g.first) < maxNames {
		g.first = append(g.first, onOneLine(filepath.Base(path)))
	}
}

// names lists the first files and counts the rest.
func (g *group) names() string {
	text := strings.Join(g.first, ", ")
	if more := g.count - len(g.first); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
