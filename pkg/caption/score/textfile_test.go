package score

import (
	"testing"

	"gaze/internal/textfile/textfiletest"
)

// TestReadAsSaved reads captions however an editor has saved them.
func TestReadAsSaved(t *testing.T) {
	for name, data := range textfiletest.Saved("[\n {\"image_id\": 7, \"caption\": \"a dog, un pékinois\"}\n]\n") {
		list, err := ReadResults(file(t, "hyps.json", string(data)))
		if err != nil || len(list) != 1 || list[0].Text != "a dog, un pékinois" {
			t.Errorf("%s: %v (%v)", name, list, err)
		}
	}
	for name, data := range textfiletest.Saved(goodRefs + "\n") {
		if refs, err := ReadReferences(file(t, "refs.json", string(data))); err != nil || len(refs.Captions["9"]) != 1 {
			t.Errorf("%s: %v (%v)", name, refs, err)
		}
	}
}
