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
// rows of 16 and zero. pred is the prediction of the DC coefficient. It returns
// the zigzag index of the last coefficient that isn't zero, or 0.
func (b *bitReader) block(dc, ac *huffman, coef *coefficients, pred *int32) (last int, err error) {
	diff, err := b.difference(dc)
	if err != nil {
		return 0, err
	}
	*pred += diff
	coef[0] = int16(*pred)
	data, acc, count, pos := b.data, b.acc, b.count, b.pos
	for k := 1; k < 64; k++ {
		if count < 32 {
			acc, count, pos = refill(data, acc, count, pos)
		}
		entry := ac.look[acc>>(64-lookBits)]
		acc <<= entry & 63
		count -= uint(entry & 0xFF)
		k += int(entry >> 12 & 15)
		if value := int16(entry >> 16); value != 0 {
			coef[zigzag[k&127]] = value
			last = k
			continue
		}
		size := uint(entry >> 8 & 15)
		if entry == 0 {
			symbol, length := ac.long(acc)
			if length == 0 {
				b.acc, b.count, b.pos = acc, count, pos
				return 0, b.badCode()
			}
			acc <<= length & 63
			count -= length
			k += int(symbol >> 4)
			size = uint(symbol & 15)
			entry = uint32(symbol) << 8
		}
		if size != 0 {
			coef[zigzag[k&127]] = int16(extend(acc, size))
			acc <<= size & 63
			count -= size
			last = k
		} else if entry>>12&15 != 15 {
			break
		}
	}
	b.acc, b.count, b.pos = acc, count, pos
	return last, nil
}
