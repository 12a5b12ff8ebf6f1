package vit

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
)

// Digest is the SHA-256, in hexadecimal, of the model's configuration and of all
// its values: the same however the file that they come from names and arranges
// them. It reads the whole checkpoint.
func (m *Model) Digest() (string, error) {
	sum := sha256.New()
	out := bufio.NewWriterSize(sum, 1<<16)
	fmt.Fprintf(out, "%+v\n", m.Config)
	var word [4]byte
	for _, p := range m.Config.Parameters() {
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(out, "%s %v\n", p.Name, shape)
		for _, v := range values {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			out.Write(word[:]) // a hash takes whatever it is given
		}
	}
	if err := out.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
