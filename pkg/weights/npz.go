package weights

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// parseNPZ reads a NumPy .npz file, a zip archive of .npy files, as savez and
// savez_compressed write it. Uncompressed values aren't copied. Compressed
// members are inflated, to no more than the member's .npy header asks for and
// no more than deflate can produce from the member's bytes. Arrays of strings,
// objects and the like are skipped.
func parseNPZ(data []byte) ([]*Tensor, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("the .npz archive is broken or truncated (%w): download the file again", err)
	}
	members, err := npzMembers(r.File, data)
	if err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, otherZip(r.File)
	}
	var out []*Tensor
	var passive error
	for _, m := range members {
		t, err := m.tensor()
		var unread *npyUnread
		if errors.As(err, &unread) {
			err = fmt.Errorf("array %s: %w", m.name, err)
			if passive == nil && unread.passive {
				passive = err
			}
			if !unread.passive {
				out = append(out, &Tensor{Name: m.name, problem: err})
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", m.name, err)
		}
		out = append(out, t)
	}
	if len(out) == 0 { // nothing but texts and objects
		return nil, passive
	}
	return out, nil
}

// npzMember is an array of the archive.
type npzMember struct {
	name string
	file *zip.File
	from int64
	raw  []byte // its bytes in the archive, compressed or not
}

// npzMembers finds the arrays' bytes. They must be inside the file and must not
// overlap: otherwise a small file whose directory names the same compressed
// bytes many times would inflate to any size.
func npzMembers(files []*zip.File, data []byte) ([]npzMember, error) {
	seen := map[string]bool{}
	var members []npzMember
	for _, f := range files {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if !isArray {
			continue
		}
		if seen[name] {
			return nil, fmt.Errorf("two arrays are called %s", name)
		}
		seen[name] = true
		from, err := f.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", name, err)
		}
		if from < 0 || from > int64(len(data)) || f.CompressedSize64 > uint64(int64(len(data))-from) {
			return nil, fmt.Errorf("array %s reaches beyond the end of the file: truncated; download it again", name)
		}
		to := from + int64(f.CompressedSize64)
		members = append(members, npzMember{name: name, file: f, from: from, raw: data[from:to:to]})
	}
	sorted := slices.Clone(members)
	slices.SortStableFunc(sorted, func(a, b npzMember) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(sorted); i++ {
		if a, b := sorted[i-1], sorted[i]; a.from+int64(len(a.raw)) > b.from {
			return nil, fmt.Errorf("arrays %s and %s share bytes of the archive: it is broken", a.name, b.name)
		}
	}
	return members, nil
}

func (m npzMember) tensor() (*Tensor, error) {
	if m.file.Method == zip.Store {
		if m.file.UncompressedSize64 != uint64(len(m.raw)) {
			return nil, errors.New("the archive gives two different sizes for it: the archive is broken")
		}
		t, err := parseNPY(m.name, m.raw)
		if err == nil {
			t.check = checksum(m.file, m.raw)
		}
		return t, err
	}
	r, err := m.file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return inflateNPY(m.name, r, uint64(len(m.raw)))
}

// mostInflated is deflate's largest ratio of inflated to compressed bytes.
const mostInflated = 1032

// inflateNPY inflates a .npy file: first the header, then the bytes that the header asks
// for, if deflate can produce that many from the compressed bytes.
func inflateNPY(name string, r io.Reader, compressed uint64) (*Tensor, error) {
	prefix := make([]byte, 12)
	n, err := io.ReadFull(r, prefix[:10])
	if err == nil && prefix[6] > 1 {
		n, err = io.ReadFull(r, prefix[10:12])
		n += 10
	}
	if err != nil {
		return nil, fmt.Errorf("truncated: %w", err)
	}
	start, length, err := npyPrefix(prefix[:n])
	if err != nil {
		return nil, err
	}
	if start != n {
		return nil, errNotNPY
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fmt.Errorf("truncated: %w", err)
	}
	h, err := parseNPYHeader(text)
	if err != nil {
		return nil, err
	}
	if h.size < 0 || uint64(h.size)/mostInflated > compressed {
		return nil, fmt.Errorf("%d compressed bytes can't hold values of shape %v", compressed, h.shape)
	}
	values := make([]byte, h.size)
	if _, err := io.ReadFull(r, values); err != nil {
		return nil, fmt.Errorf("truncated: %w", err)
	}
	// The checksum is compared only when the reader reaches the end.
	if n, err := io.ReadFull(r, make([]byte, 1)); n != 0 {
		return nil, fmt.Errorf("more values than the shape %v needs", h.shape)
	} else if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the archive is broken (%w): download it again", err)
	}
	return h.tensor(name, values)
}
