package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

var npyFields = regexp.MustCompile(`'descr':\s*'([^']*)'.*'fortran_order':\s*(True|False).*'shape':\s*\(([^)]*)\)`)

// ReadNPY reads a .npy file of floats in C order.
func ReadNPY(r io.Reader) (*Tensor, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(data, []byte("\x93NUMPY")) || len(data) < 12 {
		return nil, errors.New("not a .npy file")
	}
	start, n := 10, int(binary.LittleEndian.Uint16(data[8:]))
	if data[6] > 1 {
		start, n = 12, int(binary.LittleEndian.Uint32(data[8:]))
	}
	if n < 0 || start+n > len(data) {
		return nil, errors.New("truncated: the .npy header is cut off")
	}
	f := npyFields.FindSubmatch(data[start : start+n])
	if f == nil || string(f[2]) == "True" {
		return nil, errors.New("the .npy header can't be understood")
	}
	t := &Tensor{}
	switch string(f[1]) {
	case "<f4":
		t.DType = Float32
	case "<f2":
		t.DType = Float16
	case "<f8":
		t.DType = Float64
	default:
		return nil, fmt.Errorf("elements of type %s", f[1])
	}
	for _, d := range strings.Split(string(f[3]), ",") {
		if d = strings.TrimSpace(d); d == "" {
			continue
		}
		v, err := strconv.Atoi(d)
		if err != nil {
			return nil, err
		}
		t.Shape = append(t.Shape, v)
	}
	size, err := byteSize(t.Shape, t.DType)
	if err != nil {
		return nil, err
	}
	if t.data = data[start+n:]; int64(len(t.data)) != size {
		return nil, fmt.Errorf("%d bytes for shape %v", len(t.data), t.Shape)
	}
	return t, nil
}
