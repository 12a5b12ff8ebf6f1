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

// Verification says what [Verify] compared.
type Verification struct {
	Files      []string `json:"files"`                  // all that the checkpoint is made of
	Bytes      int64    `json:"bytes"`                  // of those files
	Checksums  int      `json:"checksums"`              // parts whose bytes have the checksum that the file notes
	Unnoted    int      `json:"unnoted,omitempty"`      // parts of archives that were written without a checksum
	Damaged    []string `json:"damaged,omitempty"`      // parts that are damaged, with the tensors in them
	NoCheckFor []string `json:"no_check_for,omitempty"` // files of a format without checksums
}

// Verify compares the checksums that archives (.pth, .npz) note of their members
// with all their bytes, in every shard of a checkpoint. Files of other formats note
// none; of those the length is known to fit. An error says that the checkpoint can't
// be opened at all.
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

// archive compares the members of a zip archive and returns the names of those that
// are damaged.
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

// intact reads a member and compares its checksum.
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

// tensorsIn names up to three of the tensors that lie in a damaged member.
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
