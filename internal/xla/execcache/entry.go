// Package execcache keeps compiled programs on disk. It knows files and bytes, not
// the compiler: what a program is called is a digest of everything that its code
// depends on, and what lies in the file is handed back only if it is whole.
package execcache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// Sum is the digest of several pieces, each with its length, so that no two lists
// of pieces share one.
func Sum(pieces ...[]byte) Digest {
	h := sha256.New()
	var n [8]byte
	for _, p := range pieces {
		binary.LittleEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	var d Digest
	h.Sum(d[:0])
	return d
}

// An entry's file is a header of fixed size and the payload:
//
//	magic and version  8 bytes
//	key                32, what the payload was stored under
//	plugin             32, the digest of the library that made it and alone can read it
//	length             8, of the payload, little endian
//	checksum           32, SHA-256 of the payload
const (
	magic      = "GAZEXLA\x01"
	headerSize = len(magic) + 2*sha256.Size + 8 + sha256.Size
)

var errForeign = errors.New("not this program's entry, or damaged")

// encode makes an entry's header.
func encode(key, plugin Digest, payload []byte) []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, magic...)
	b = append(b, key[:]...)
	b = append(b, plugin[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(payload)))
	sum := sha256.Sum256(payload)
	return append(b, sum[:]...)
}

// decode gives the payload of a whole entry that was stored under this key for this
// plugin. A damaged program may load and fail only when it runs, so every byte counts.
func decode(entry []byte, key, plugin Digest) ([]byte, error) {
	if len(entry) < headerSize {
		return nil, errForeign
	}
	payload := entry[headerSize:]
	if !bytes.Equal(entry[:headerSize], encode(key, plugin, payload)) {
		return nil, errForeign
	}
	return payload, nil
}
