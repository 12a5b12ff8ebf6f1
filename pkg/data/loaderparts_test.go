package data

import (
	"context"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/transform"
)

// TestLoaderParts makes each picture in one of the parts, the same as without parts.
func TestLoaderParts(t *testing.T) {
	const pictures, batch, parts = 23, 8, 3
	o := LoaderOptions{Pipeline: parse(t, randomPipeline), Batch: batch, Seed: 4, Shuffle: true}
	whole, err := NewLoader(newDrawn(pictures, 16, 14), o)
	if err != nil {
		t.Fatal(err)
	}
	want := collect(t, whole, 1, 0)
	for part := range parts {
		set := newDrawn(pictures, 16, 14)
		o.Part, o.Parts = part, parts
		l, err := NewLoader(set, o)
		if err != nil {
			t.Fatal(err)
		}
		before, made := set.asked.Load(), 0
		for b, err := range l.Batches(context.Background(), 1, 0) {
			if err != nil {
				t.Fatal(err)
			}
			w := want[b.Number]
			if !slices.Equal(b.Labels, w.Labels) || !slices.Equal(b.Index, w.Index) || len(b.Images) != len(w.Images) {
				t.Fatalf("part %d, batch %d: labels %v, want %v", part, b.Number, b.Labels, w.Labels)
			}
			n := len(b.Labels)
			size, each := (n+parts-1)/parts, len(b.Images)/n
			from, to := min(part*size, n), min((part+1)*size, n)
			if !slices.Equal(b.Images[from*each:to*each], w.Images[from*each:to*each]) {
				t.Errorf("part %d, batch %d: pictures %d to %d aren't those without parts", part, b.Number, from, to-1)
			}
			made += to - from
		}
		if asked := int(set.asked.Load() - before); asked != made {
			t.Errorf("part %d: %d pictures were read, want %d", part, asked, made)
		}
	}
	for _, wrong := range []LoaderOptions{{Part: 3, Parts: 3}, {Part: -1, Parts: 3}, {Parts: 2, Bad: func(BadPicture) {}}, {Parts: 2, Mix: transform.Mix{MixupAlpha: 1, P: 1}, Classes: 5}} {
		wrong.Pipeline, wrong.Batch = o.Pipeline, batch
		if _, err := NewLoader(newDrawn(pictures, 16, 14), wrong); err == nil || !strings.Contains(err.Error(), "part ") {
			t.Errorf("%d of %d: %v", wrong.Part, wrong.Parts, err)
		}
	}
}
