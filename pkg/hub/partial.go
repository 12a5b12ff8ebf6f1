package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"gaze/internal/atomicfile"
)

// partial is the unfinished download of a file: its bytes are in path + ".part", its
// state in path + ".part.json".
type partial struct {
	path string
}

// partState identifies the file that a partial download belongs to.
type partState struct {
	URL  string `json:"url"`
	ETag string `json:"etag,omitempty"`
	Size int64  `json:"size,omitempty"` // size of the whole file, 0 if the server didn't say
}

func (p partial) data() string  { return p.path + ".part" }
func (p partial) state() string { return p.path + ".part.json" }

// parsePartState parses a state file. If it is invalid, the download starts from the
// beginning.
func parsePartState(data []byte) (partState, error) {
	var s partState
	if err := json.Unmarshal(data, &s); err != nil {
		return partState{}, err
	}
	if s.URL == "" || s.Size < 0 || strings.ContainsAny(s.ETag, "\r\n") {
		return partState{}, errors.New("not the state of a download")
	}
	return s, nil
}

// load returns the number of bytes fetched and their state. It returns 0 if there are
// none, or if they can't be shown to be the beginning of url.
func (p partial) load(url string) (have int64, s partState) {
	info, err := os.Stat(p.data())
	if err != nil || info.Size() == 0 {
		return 0, partState{}
	}
	data, err := os.ReadFile(p.state())
	if err != nil {
		return 0, partState{}
	}
	s, err = parsePartState(data)
	if err != nil || s.URL != url || s.Size > 0 && info.Size() > s.Size {
		return 0, partState{}
	}
	return info.Size(), s
}

// save writes the state before bytes are added.
func (p partial) save(s partState) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(p.state(), append(data, '\n'))
}

// open opens the data file for appending after its first keep bytes.
func (p partial) open(keep int64) (*os.File, error) {
	f, err := os.OpenFile(p.data(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > keep {
		err = f.Truncate(keep)
	}
	if err == nil {
		_, err = f.Seek(keep, 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// discard removes both files.
func (p partial) discard() error {
	var errs []error
	for _, name := range []string{p.data(), p.state()} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// finish renames the complete file to its final name, durably.
func (p partial) finish() error {
	if err := os.Rename(p.data(), p.path); err != nil {
		return err
	}
	if err := syncDir(p.path); err != nil {
		return fmt.Errorf("hub: making %s durable: %w", p.path, err)
	}
	if err := os.Remove(p.state()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
