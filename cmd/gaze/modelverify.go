package main

import (
	"fmt"
	"strings"

	"gaze/pkg/hub"
	"gaze/pkg/train"
	"gaze/pkg/weights"
)

// verified is the result of `gaze model --verify` for an undamaged checkpoint.
type verified struct {
	weights.Verification
	Finite   bool `json:"finite"`             // all values of the model are finite
	Recorded bool `json:"recorded,omitempty"` // the files have the SHA-256 recorded at download
}

// verify reads all bytes of a checkpoint and compares them with every checksum
// there is. Damage is an error that names the damaged part.
func verify(fileOrName string) (*verified, error) {
	path, err := hub.Resolve(fileOrName)
	if err != nil {
		return nil, err
	}
	if path, err = train.ModelFile(path); err != nil {
		return nil, err
	}
	v, err := weights.Verify(path)
	if err != nil {
		return nil, err
	}
	if n := len(v.Damaged); n > 0 {
		have := "don't have"
		if n == 1 {
			have = "doesn't have"
		}
		return nil, fmt.Errorf("%s is damaged: %d of %d parts %s the recorded checksum: %s; copy or download it again",
			path, n, n+v.Checksums, have, strings.Join(v.Damaged, "; "))
	}
	recorded, err := hub.CheckFetched(path)
	if err != nil {
		return nil, err
	}
	return &verified{Verification: *v, Recorded: recorded}, nil
}

// sentence describes what was compared.
func (v *verified) sentence() string {
	var parts []string
	if v.Checksums > 0 {
		parts = append(parts, fmt.Sprintf("%d checksums match", v.Checksums))
	}
	if v.Unnoted > 0 {
		parts = append(parts, fmt.Sprintf("%d parts were written without a checksum", v.Unnoted))
	}
	if n := len(v.NoCheckFor); n > 0 {
		text := "the format stores no checksums, the length is right"
		if v.Checksums > 0 {
			text = fmt.Sprintf("%d files are in a format that stores no checksums", n)
		}
		parts = append(parts, text)
	}
	if v.Recorded {
		parts = append(parts, "SHA-256 is that of the download")
	}
	if v.Finite {
		parts = append(parts, "all values of the model are finite")
	}
	files := ""
	if len(v.Files) > 1 {
		files = fmt.Sprintf("%d files, ", len(v.Files))
	}
	return fmt.Sprintf("%s%.1f MB: %s", files, float64(v.Bytes)/1e6, strings.Join(parts, "; "))
}
