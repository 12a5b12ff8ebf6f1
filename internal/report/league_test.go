package report

import (
	"strings"
	"testing"

	"gaze/pkg/evaluate/maps/league"
	"gaze/pkg/explain"
)

// TestLeagueShips: the record that ships is of this program's methods, and small enough; every
// method of attention or of a class has a rank.
func TestLeagueShips(t *testing.T) {
	r, err := League()
	if err != nil {
		t.Fatal(err)
	}
	if len(leagueRecord) > league.MostBytes {
		t.Errorf("the record has %d bytes", len(leagueRecord))
	}
	part := r.Part(LeaguePart)
	if part == nil || len(part.Models) != 3 || len(part.Columns) < 14 {
		t.Fatalf("the part %q: %+v", LeaguePart, part)
	}
	ranks := LeagueRanks()
	for _, m := range explain.Methods() {
		if !strings.HasPrefix(ranks[m.Name], "rank ") || strings.Contains(ranks[m.Name], ",") {
			t.Errorf("%s: %q", m.Name, ranks[m.Name])
		}
		if rank, _, _ := strings.Cut(ranks[m.Name], " with"); !strings.HasPrefix(LeagueAdvice(m.Name), rank) {
			t.Errorf("%s: advice %q", m.Name, LeagueAdvice(m.Name))
		}
	}
	for _, row := range part.Rows {
		if row.Method == "" {
			continue
		}
		if _, err := explain.FindMethod(row.Method); err != nil {
			t.Errorf("row %s: %v", row.Name, err)
		}
	}
	if text := LeagueHeadline(); !strings.HasSuffix(text, ".") || len(text) < 80 {
		t.Errorf("the headline: %q", text)
	}
}

// TestWordsShip: raw attention is among the ways, and there is an interval for every other.
func TestWordsShip(t *testing.T) {
	all, err := LeagueOfWords()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no captioner")
	}
	for _, r := range all {
		if table := r.Table("all"); len(table.Rows) < 4 {
			t.Errorf("%s: %d rows", r.Model, len(table.Rows))
		}
	}
}
