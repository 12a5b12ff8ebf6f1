// Package execcache keeps compiled programs on disk. It knows files and bytes, but not the
// compiler. The key of a program is a digest of everything that its code depends on; the caller
// makes it with [Sum], [Identity] and [Machine]. An entry is returned only if every byte of it is
// as it was written.
package execcache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// Sum is the digest of several pieces. Their lengths are part of it, so that different lists of
// pieces have different digests.
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
//	key                32
//	plugin             32, the digest of the plugin that made the program and can load it
//	length             8, of the payload, little endian
//	checksum           32, SHA-256 of the payload
const (
	magic      = "GAZEXLA\x01"
	headerSize = len(magic) + 2*sha256.Size + 8 + sha256.Size
)

var errInvalid = errors.New("the entry is damaged or belongs to another program")

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

// decode returns the payload of an entry with this key and plugin. A damaged program may load and
// fail only when it runs, so every byte is checked.
func decode(entry []byte, key, plugin Digest) ([]byte, error) {
	if len(entry) < headerSize {
		return nil, errInvalid
	}
	payload := entry[headerSize:]
	if !bytes.Equal(entry[:headerSize], encode(key, plugin, payload)) {
		return nil, errInvalid
	}
	return payload, nil
}
