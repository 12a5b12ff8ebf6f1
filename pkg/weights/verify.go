package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"strings"
)

// Verification is the result of [Verify].
type Verification struct {
	Files      []string `json:"files"`                  // all files of the checkpoint
	Bytes      int64    `json:"bytes"`                  // total size of these files
	Checksums  int      `json:"checksums"`              // archive members whose bytes match their checksum
	Unnoted    int      `json:"unnoted,omitempty"`      // archive members written without a checksum
	Damaged    []string `json:"damaged,omitempty"`      // damaged archive members, with the tensors in them
	NoCheckFor []string `json:"no_check_for,omitempty"` // files whose format has no checksums
}

// Verify reads every shard of a checkpoint and compares the bytes of the members of
// archives (.pth, .npz) with their checksums. Files of other formats have no checksums;
// for those only the lengths are checked. An error means that the checkpoint can't be
// opened at all.
func Verify(path string) (*Verification, error) {
	f, err := OpenAll(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v := &Verification{Files: f.files}
	for i, data := range f.mappings {
		v.Bytes += int64(len(data))
		if format := sniff(data); format != FormatPyTorch && format != FormatNPZ {
			if format != formatIndex {
				v.NoCheckFor = append(v.NoCheckFor, f.files[i])
			}
			continue
		}
		damaged, err := v.archive(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.files[i], err)
		}
		for _, member := range damaged {
			name := member
			if len(f.files) > 1 {
				name = filepath.Base(f.files[i]) + ": " + member
			}
			if tensors := f.tensorsIn(member); tensors != "" {
				name += " (" + tensors + ")"
			}
			v.Damaged = append(v.Damaged, name)
		}
	}
	return v, nil
}

// archive verifies the members of a zip archive and returns the names of damaged ones.
func (v *Verification) archive(data []byte) (damaged []string, err error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, m := range r.File {
		switch {
		case strings.HasSuffix(m.Name, "/"):
		case m.CRC32 == 0 && m.UncompressedSize64 > 0 && m.Method == zip.Store:
			v.Unnoted++
		case intact(m):
			v.Checksums++
		default:
			damaged = append(damaged, m.Name)
		}
	}
	return damaged, nil
}

// intact reads a member and reports whether its bytes match the checksum.
func intact(m *zip.File) bool {
	r, err := m.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	sum := crc32.NewIEEE()
	_, err = io.Copy(sum, r)
	return err == nil && sum.Sum32() == m.CRC32
}

// tensorsIn names up to three of the tensors in a damaged member.
func (f *File) tensorsIn(member string) string {
	var names []string
	for _, name := range f.names {
		if _, err := f.tensors[name].elements(); err != nil && strings.Contains(err.Error(), fmt.Sprintf("%.100q", member)) {
			names = append(names, name)
		}
	}
	if len(names) > 3 {
		names = append(names[:3:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return strings.Join(names, ", ")
}
