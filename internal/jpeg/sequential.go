package jpeg

// difference decodes the difference of a block's DC coefficient from the previous one.
func (b *bitReader) difference(t *huffman) (int32, error) {
	_, diff, err := b.symbol(t)
	return diff, err
}

// block decodes all coefficients of a block (T.81 F.2.2) into coef, which has rows of 16
// and must be zero. pred is the prediction of the DC coefficient. flat reports that
// there is no other coefficient.
func (b *bitReader) block(dc, ac *huffman, coef *coefficients, pred *int32) (flat bool, err error) {
	diff, err := b.difference(dc)
	if err != nil {
		return false, err
	}
	*pred += diff
	coef[0] = int16(*pred)
	look, data, acc, count, pos := &ac.look, b.data, b.acc, b.count, b.pos
	k := 1
	for k < 64 {
		if count < 32 {
			acc, count, pos = refill(data, acc, count, pos)
		}
		entry := look[acc>>(64-lookBits)]
		if entry>>16 != 0 {
			k += int(entry >> 12 & 15)
			coef[zigzag[k&127]] = int16(entry >> 16)
			acc <<= entry & 63
			count -= uint(entry & 63)
			k++
			continue
		}
		symbol, length := uint8(entry>>8), uint(entry&63)
		if length == 0 {
			if symbol, length = ac.long(acc); length == 0 {
				b.acc, b.count, b.pos = acc, count, pos
				return false, errDamaged
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
		k++
	}
	b.acc, b.count, b.pos = acc, count, pos
	return k == 1, nil
}
