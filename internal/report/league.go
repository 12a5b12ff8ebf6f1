package report

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"gaze/pkg/evaluate/captions"
	"gaze/pkg/evaluate/maps/league"
	"gaze/pkg/explain"
)

// leagueRecord and wordsRecord are what 'make league' wrote.
//
//go:embed records/league.json
var leagueRecord []byte

//go:embed records/captions.json
var wordsRecord []byte

// League is the league of maps that ships.
var League = sync.OnceValues(func() (*league.Record, error) {
	r, err := league.ReadRecord(leagueRecord)
	if err != nil {
		return nil, fmt.Errorf("report: the record that ships: %w", err)
	}
	return r, nil
})

// LeagueOfWords is the comparison of maps of words that ships, one for each captioner and kind
// of pictures.
func LeagueOfWords() ([]*captions.Relevance, error) {
	r, err := captions.ParseRelevance(wordsRecord)
	if err != nil {
		return nil, fmt.Errorf("report: the record of words that ships: %w", err)
	}
	return r, nil
}

// LeaguePart is the part of the league by which methods are ranked where one number is
// shown: the drawn pets, of which the truth is known.
const LeaguePart = "drawn"

// LeagueRanks are the ranks of methods in the league, by their names, as "rank 2 of 22", with
// the settings that the league chose where they aren't the defaults.
func LeagueRanks() map[string]string {
	out := map[string]string{}
	part := leaguePart()
	if part == nil {
		return out
	}
	for _, m := range explain.Methods() {
		text, _, _ := strings.Cut(part.Advice(m.Name), ",")
		if text == "" {
			continue
		}
		if row := part.Row(m.Name); row >= 0 && part.Rows[row].Settings != "" {
			text += " with " + strings.ToLower(part.Rows[row].Settings)
		}
		out[m.Name] = text
	}
	return out
}

// LeagueAdvice is a method's rank, and in which families of metrics it is among the best
// third; "" if it isn't ranked.
func LeagueAdvice(method string) string {
	part := leaguePart()
	if part == nil {
		return ""
	}
	return part.Advice(method)
}

// LeagueHeadline says in a sentence or two which methods the league recommends.
func LeagueHeadline() string {
	r, err := League()
	if err != nil {
		return ""
	}
	return r.Headline(league.Questions())
}

func leaguePart() *league.Part {
	r, err := League()
	if err != nil {
		return nil
	}
	return r.Part(LeaguePart)
}
