package vit

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
)

// Digest is the SHA-256, in hexadecimal, of the model's configuration and all its values.
// It doesn't depend on how the file names and arranges them. It reads the whole
// checkpoint.
func (m *Model) Digest() (string, error) {
	sum := sha256.New()
	out := bufio.NewWriterSize(sum, 1<<16)
	fmt.Fprintln(out, m.Config)
	var word [4]byte
	for _, p := range m.Config.Parameters() {
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(out, "%s %v\n", p.Name, shape)
		for _, v := range values {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			out.Write(word[:]) // writing to a hash never fails
		}
	}
	if err := out.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
