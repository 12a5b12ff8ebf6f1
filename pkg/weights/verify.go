package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
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

// Verify reads every byte of a checkpoint, of all its shards, and compares the
// checksums that archives (.pth, .npz) note of their members. Files of other
// formats note none; of those only the length is known to fit. An error says that
// the checkpoint can't be opened at all.
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
		if err := v.archive(data); err != nil {
			return nil, fmt.Errorf("%s: %w", f.files[i], err)
		}
	}
	v.nameTensors(f)
	return v, nil
}

// archive compares the members of a zip archive.
func (v *Verification) archive(data []byte) error {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for _, m := range r.File {
		switch {
		case strings.HasSuffix(m.Name, "/"):
		case m.CRC32 == 0 && m.UncompressedSize64 > 0 && m.Method == zip.Store:
			v.Unnoted++
		case intact(m):
			v.Checksums++
		default:
			v.Damaged = append(v.Damaged, m.Name)
		}
	}
	return nil
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

// nameTensors adds to damaged members the tensors that lie in them.
func (v *Verification) nameTensors(f *File) {
	if len(v.Damaged) == 0 {
		return
	}
	tensors := map[string][]string{}
	for _, name := range f.Names() {
		if _, err := f.tensors[name].elements(); err != nil {
			for _, member := range v.Damaged {
				if strings.Contains(err.Error(), fmt.Sprintf("%.100q", member)) {
					tensors[member] = append(tensors[member], name)
				}
			}
		}
	}
	for i, member := range v.Damaged {
		if names := tensors[member]; len(names) > 0 {
			slices.Sort(names)
			if len(names) > 3 {
				names = append(names[:3:3], fmt.Sprintf("%d more", len(names)-3))
			}
			v.Damaged[i] = fmt.Sprintf("%s (%s)", member, strings.Join(names, ", "))
		}
	}
}
