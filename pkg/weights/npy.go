package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"gaze/internal/atomicfile"
)

// ReadNPY reads a NumPy .npy file of numbers (format versions 1 to 3, either
// byte order and memory order). It allocates at most twice the bytes it reads.
func ReadNPY(r io.Reader) (*Tensor, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return parseNPY("", data)
}

// WriteNPY writes a tensor's values as a NumPy .npy file of float32 (format
// version 1.0). On an error no partial file is left.
func WriteNPY(path string, t *Tensor) error {
	return atomicfile.Write(path, func(w io.Writer) error { return EncodeNPY(w, t) })
}

// EncodeNPY is like [WriteNPY], but writes to w.
func EncodeNPY(w io.Writer, t *Tensor) error {
	values, err := t.Float32s()
	if err != nil {
		return err
	}
	if _, err := w.Write(newNPYHeader(t.Shape)); err != nil {
		return err
	}
	_, err = w.Write(bytesOf(values))
	return err
}

// newNPYHeader returns the magic, version and description of float32 values, padded
// so that the values begin at a multiple of 64 bytes.
func newNPYHeader(shape []int) []byte {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = fmt.Sprint(d)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", tuple)
	total := (10+len(text)+1+63)/64*64 - 10
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	_ = binary.Write(&b, binary.LittleEndian, uint16(total)) // writing to a Buffer never fails
	b.WriteString(text + strings.Repeat(" ", total-len(text)-1) + "\n")
	return b.Bytes()
}
