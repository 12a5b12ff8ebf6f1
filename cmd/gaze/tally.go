package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"gaze/internal/outputs"
	"gaze/pkg/data"
	"gaze/pkg/hub"
)

// tally counts how a batch goes, shows it on a terminal, and sums it up.
type tally struct {
	*batch
	line         *liveLine
	start        time.Time
	total        int
	done, failed int
	first        string // picture that failed
	reasons      grouped
}

// begin starts the count. What is written to the command's streams from now on
// stands above the live line.
func (b *batch) begin() *tally {
	t := &tally{batch: b, start: time.Now(), total: len(b.listing.Pictures) + len(b.listing.Failed)}
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

// show draws how far the batch is.
func (t *tally) show() { t.line.show(progress(t.done, t.failed, t.total, time.Since(t.start))) }

// progress says how far a batch is, how fast it goes and how long it will take.
func progress(done, failed, total int, took time.Duration) string {
	past := done + failed
	text := fmt.Sprintf("%d of %d pictures", past, total)
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	if past == 0 || took <= 0 {
		return text
	}
	left := time.Duration(float64(took) / float64(past) * float64(total-past))
	return text + fmt.Sprintf(", %s, %s left", rate(past, took), left.Round(time.Second))
}

// rate is how fast pictures are done.
func rate(pictures int, took time.Duration) string {
	return fmt.Sprintf("%.3g pictures/s", float64(pictures)/max(took.Seconds(), 1e-9))
}

// fail names a picture that couldn't be done.
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
		return fmt.Errorf("no picture of %d could be done (the first: %s)", t.failed, t.first)
	}
	return fmt.Errorf("%d of %d pictures failed (the first: %s); the others are done", t.failed, t.total, t.first)
}

// end takes the live line away and says how it went.
func (t *tally) end(p *outputs.Plan) {
	t.line.clear()
	if t.line.on {
		t.cmd.SetErr(nil)
		t.cmd.SetOut(nil)
	}
	if t.quiet {
		return
	}
	for _, line := range t.summary(p, time.Since(t.start)) {
		fmt.Fprintf(t.cmd.ErrOrStderr(), "gaze: %s\n", line)
	}
}

// summary is how it went: what was done, what failed and was skipped, and why.
func (t *tally) summary(p *outputs.Plan, took time.Duration) []string {
	var lines []string
	if t.total > 1 {
		line := fmt.Sprintf("%d of %d pictures done in %.3g s", t.done, t.total, took.Seconds())
		if t.done > 0 {
			line += ", " + rate(t.done, took)
		}
		if rest := t.total - t.done - t.failed; rest > 0 {
			line = fmt.Sprintf("stopped: %s; %d not begun, what is done stays", line, rest)
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

// skipped says which files in the folders weren't taken for pictures, and which
// folders weren't searched.
func skipped(listing *data.Listing, p *outputs.Plan) []string {
	var kinds grouped
	for _, s := range listing.Skipped {
		if p != nil && p.Planned(s.Path) || filepath.Base(s.Path) == hub.RecordName { // Gaze's own
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
		lines = append(lines, "not searched: "+onOneLine(folder)+", where the results go")
	}
	return lines
}

// grouped are files by what is said of them, in the order of the first.
type grouped struct {
	groups []*group
	others int // files of reasons beyond the first few
}

// group is files of which the same is said.
type group struct {
	reason string
	first  []string // of the files
	count  int
}

// Bounds of a summary: reasons, and names for each.
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

// names lists the files, of many the first.
func (g *group) names() string {
	text := strings.Join(g.first, ", ")
	if more := g.count - len(g.first); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
