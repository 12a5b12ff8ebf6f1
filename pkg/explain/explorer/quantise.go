package explorer

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
)

// quantise turns a map into bytes. Unsigned values go linearly from the least, 0, to the
// greatest, 255; a constant map is all 0. Signed values go from -m, 1, over zero, which is
// exactly 128, to m, 255, where m is the greatest magnitude. lo and hi are the values of
// the ends. All values must be finite.
func quantise(values []float32, signed bool) (out []byte, lo, hi float32) {
	out = make([]byte, len(values))
	lo, hi = slices.Min(values), slices.Max(values)
	if signed {
		hi = max(-lo, hi)
		lo = -hi
		for i, v := range values {
			out[i] = 128
			if hi > 0 {
				out[i] = byte(128 + math.Round(127*float64(v)/float64(hi)))
			}
		}
		return out, lo, hi
	}
	span := float64(hi) - float64(lo)
	for i, v := range values {
		if span > 0 {
			out[i] = byte(math.Round(255 * (float64(v) - float64(lo)) / span))
		}
	}
	return out, lo, hi
}

// packed compresses bytes (zlib) and writes them in base64.
func packed(data []byte) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data) // a buffer takes everything
	w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// block is the maps of one head of a layer, one for each query: the least and the greatest
// value of each as float32, little-endian, then the bytes of all maps.
func block(rows [][]float32) []byte {
	var ends, values []byte
	for _, row := range rows {
		bytes, lo, hi := quantise(row, false)
		ends = binary.LittleEndian.AppendUint32(ends, math.Float32bits(lo))
		ends = binary.LittleEndian.AppendUint32(ends, math.Float32bits(hi))
		values = append(values, bytes...)
	}
	return append(ends, values...)
}
