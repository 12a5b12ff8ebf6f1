package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
)

// torchArchive is a zip archive in memory.
type torchArchive struct {
	data  []byte
	files []*zip.File
	index map[string]*zip.File
	// checks has the checks of members already used: several tensors may share a member.
	checks map[string]func() error
}

// zipMembers reads the archive's central directory.
func zipMembers(data []byte) (*torchArchive, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("the zip archive is broken or truncated (%w): download the file again", err)
	}
	a := &torchArchive{data: data, files: r.File, index: make(map[string]*zip.File, len(r.File)), checks: map[string]func() error{}}
	for _, f := range r.File {
		if a.index[f.Name] != nil {
			return nil, fmt.Errorf("the archive has two members called %.100q", f.Name)
		}
		a.index[f.Name] = f
	}
	return a, nil
}

// names lists the members in the directory's order.
func (a *torchArchive) names() []string {
	out := make([]string, len(a.files))
	for i, f := range a.files {
		out[i] = f.Name
	}
	return out
}

func (a *torchArchive) has(name string) bool { return a.index[name] != nil }

// read returns a member's bytes without a copy: torch.save never compresses members, so
// that files can be mapped.
func (a *torchArchive) read(name string) (data []byte, ok bool, err error) {
	f := a.index[name]
	if f == nil {
		return nil, false, nil
	}
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
		return nil, true, fmt.Errorf("%.100q is compressed, which torch.save never does: save the checkpoint again", name)
	}
	from, err := f.DataOffset()
	if err != nil {
		return nil, true, fmt.Errorf("%.100q: the zip archive is broken: %w", name, err)
	}
	size := f.UncompressedSize64
	if from < 0 || from > int64(len(a.data)) || size > uint64(int64(len(a.data))-from) {
		return nil, true, fmt.Errorf("%.100q reaches beyond the end of the file: truncated; download it again", name)
	}
	return a.data[from : from+int64(size) : from+int64(size)], true, nil
}

// check returns a function that verifies a member's bytes, nil if it has no checksum.
func (a *torchArchive) check(name string) func() error {
	check, ok := a.checks[name]
	if !ok {
		if data, there, err := a.read(name); there && err == nil {
			check = checksum(a.index[name], data)
		}
		a.checks[name] = check
	}
	return check
}
