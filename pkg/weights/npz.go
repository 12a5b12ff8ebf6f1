package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseNPZ reads a NumPy .npz file, a zip archive of .npy files, as savez and
// savez_compressed write it. Values that are stored uncompressed stay where
// they are; those of compressed members are inflated, which never takes more
// than the member's own .npy header asks for.
func parseNPZ(data []byte) ([]*Tensor, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("the .npz archive is broken or truncated (%w): download the file again", err)
	}
	seen := map[string]bool{}
	var out []*Tensor
	for _, f := range r.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if !isArray {
			continue
		}
		if seen[name] {
			return nil, fmt.Errorf("array %s is there twice", name)
		}
		seen[name] = true
		t, err := npzMember(name, f, data)
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", name, err)
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, errors.New("a zip archive without .npy arrays")
	}
	return out, nil
}

func npzMember(name string, f *zip.File, data []byte) (*Tensor, error) {
	if f.Method == zip.Store {
		from, err := f.DataOffset()
		if err != nil {
			return nil, err
		}
		size := f.UncompressedSize64
		if from < 0 || from > int64(len(data)) || size != f.CompressedSize64 || size > uint64(int64(len(data))-from) {
			return nil, errors.New("it reaches beyond the end of the file: truncated; download it again")
		}
		return parseNPY(name, data[from:from+int64(size):from+int64(size)])
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return inflateNPY(name, r, f.CompressedSize64)
}

// mostInflated is how many times its size deflate can make out of a byte.
const mostInflated = 1032

// inflateNPY reads a compressed .npy: first the header, then as many bytes as
// it asks for, if so many can come out of the compressed ones at all.
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
	if n, err := io.ReadFull(r, make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more values than the shape %v holds, or a wrong checksum (%w)", h.shape, err)
	}
	return h.tensor(name, values)
}
