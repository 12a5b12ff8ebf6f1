package jpeg

import "errors"

var errBadDC = errors.New("corrupt: an impossible DC coefficient")

// difference decodes the difference of a block's DC coefficient from the one
// before.
func (b *bitReader) difference(t *huffman) (int32, error) {
	size, diff, err := b.symbol(t)
	if err == nil && size > 15 {
		err = errBadDC
	}
	return diff, err
}

// block decodes all coefficients of a block (T.81 F.2.2) into coef, which is in
// rows of 16 and zero. pred is the prediction of the DC coefficient. flat tells
// that there is no other.
func (b *bitReader) block(dc, ac *huffman, coef *coefficients, pred *int32) (flat bool, err error) {
	diff, err := b.difference(dc)
	if err != nil {
		return false, err
	}
	*pred += diff
	coef[0] = int16(*pred)
	acc, count, pos, k := b.acc, b.count, b.pos, 1
	for {
		var entry uint32
		acc, count, pos, k, entry = short(&ac.look, coef, b.data, acc, count, pos, k)
		if k > 63 {
			break
		}
		symbol, length := uint8(entry>>8), uint(entry&0xFF)
		if length == 0 {
			if symbol, length = ac.long(acc); length == 0 {
				b.acc, b.count, b.pos = acc, count, pos
				return false, b.badCode()
			}
		}
		acc <<= length & 63
		count -= length
		size := uint(symbol & 15)
		if size == 0 && symbol>>4 != 15 {
			break
		}
		k += int(symbol >> 4)
		if size != 0 {
			coef[zigzag[k&127]] = int16(extend(acc, size))
			acc <<= size
			count -= size
		}
		if k++; k > 63 {
			break
		}
	}
	b.acc, b.count, b.pos = acc, count, pos
	return k == 1, nil
}

// short decodes coefficients from k on as long as one look-up gives each. It
// returns the entry of the first that needs more, which it leaves to be read with
// 32 bits at least, or k beyond 63. It is a function of its own to keep all that
// it needs in registers.
func short(look *[1 << lookBits]uint32, coef *coefficients, data []byte, acc uint64, count uint, pos, k int) (uint64, uint, int, int, uint32) {
	for {
		if count < 32 {
			acc, count, pos = refill(data, acc, count, pos)
		}
		entry := look[acc>>(64-lookBits)]
		if entry>>16 == 0 {
			return acc, count, pos, k, entry
		}
		k += int(entry >> 12 & 15)
		coef[zigzag[k&127]] = int16(entry >> 16)
		acc <<= entry & 63
		count -= uint(entry & 63)
		if k++; k > 63 {
			return acc, count, pos, k, 0
		}
	}
}
