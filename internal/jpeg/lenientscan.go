package jpeg

// decodeScan decodes the data of the scan whose header was read. A picture with a single
// scan is finished row by row; otherwise the coefficients are stored.
func (l *lenient) decodeScan() error {
	h := &l.header
	if l.progressive {
		if !l.progress.scan(l.Decoder, h) {
			l.damage.add(brokenOrder, l.scans, 0)
		}
	} else if !h.whole() {
		l.damage.add(notSequential, 0, 0)
	}
	l.now, l.preds, l.eobRun = bitState{}, [4]int32{}, 0
	l.insufficient = false
	l.rest, l.next = l.restart, 0
	mcusX, mcusY, rows := l.mcusX, l.mcusY, 1
	if len(h.comps) == 1 {
		c := h.comps[0]
		mcusX, mcusY, rows = c.blocksX, c.blocksY, c.rowsInMCU
	}
	for my := range mcusY {
		l.row = my / rows
		if !l.buffered {
			for _, c := range h.comps {
				clear(c.kept)
			}
		}
		for mx := range mcusX {
			if l.empty(mcusX*(mcusY-my) - mx) {
				break
			}
			if !l.insufficient {
				l.lastGood = l.row
			}
			if err := l.decodeMCU(mx, my); err != nil {
				return err
			}
		}
		if !l.buffered {
			for _, c := range h.comps {
				listNonzero(c.kept)
				c.transform(c.kept, my)
			}
			l.emit(my)
		}
	}
	return nil
}

// empty reports whether no data is left for any of the scan's last n MCUs. They are then
// skipped together: a scan takes only a few bytes, so a small file may have a thousand,
// and visiting each MCU would take too long.
func (l *lenient) empty(n int) bool {
	atRestart := l.marker >= mRST0 && l.marker <= mRST7 || l.marker < mSOF0
	if !l.insufficient || l.restart > 0 && atRestart {
		return false
	}
	if l.restart > 0 && n > l.rest {
		l.skipped += l.now.count / 8
		l.now.count = 0
		l.damage.add(lostRestart, int(l.marker), l.next)
	}
	return true
}

// decodeMCU decodes an MCU, handing out more of the file if it takes that.
func (l *lenient) decodeMCU(mx, my int) error {
	for {
		n := l.collect(mx, my)
		done, err := l.mcu(n)
		if done || err != nil {
			return err
		}
		if !l.more() {
			return errSuspended
		}
	}
}

// collect lists an MCU's blocks and returns their number. Blocks that aren't stored
// between scans are set to zero.
func (l *lenient) collect(mx, my int) int {
	h := &l.header
	n := 0
	add := func(owner, x, y int) {
		c := h.comps[owner]
		if !l.buffered {
			y %= c.v
		}
		b := &c.kept[y*c.paddedX+x]
		if !l.buffered {
			*b = kept{}
		}
		l.blocks[n], l.owners[n] = b, owner
		n++
	}
	if len(h.comps) == 1 {
		add(0, mx, my)
		return n
	}
	for owner, c := range h.comps {
		for v := range c.v {
			for x := range c.h {
				add(owner, mx*c.h+x, my*c.v+v)
			}
		}
	}
	return n
}

// toRestart reads the next restart marker, or resynchronises if it isn't the expected
// one.
func (l *lenient) toRestart() error {
	l.skipped += l.now.count / 8
	l.now.count = 0
	if l.marker == 0 {
		if err := l.nextMarker(); err != nil {
			return err
		}
	}
	if l.marker == mRST0+byte(l.next) {
		l.marker = 0
	} else if err := l.resync(); err != nil {
		return err
	}
	l.next = (l.next + 1) & 7
	l.preds, l.eobRun = [4]int32{}, 0
	l.rest = l.restart
	if l.marker == 0 {
		l.insufficient = false
	}
	return nil
}

// resync handles a marker that isn't the expected restart marker.
//
// A restart marker slightly ahead of the expected one is kept for later: the expected
// interval was lost and stays empty. A marker of another kind is kept too; it ends the
// scan. A restart marker slightly behind, or an invalid marker, is skipped with all data
// up to the next marker. Any other restart marker is treated as the expected one.
func (l *lenient) resync() error {
	l.damage.add(lostRestart, int(l.marker), l.next)
	for {
		switch early := int(l.marker-mRST0) - l.next; {
		case l.marker >= mSOF0 && (l.marker < mRST0 || l.marker > mRST7):
			return nil
		case l.marker >= mSOF0 && (early&7 == 1 || early&7 == 2):
			return nil
		case l.marker >= mSOF0 && early&7 != 6 && early&7 != 7:
			l.marker = 0
			return nil
		}
		if err := l.nextMarker(); err != nil {
			return err
		}
	}
}

// listNonzero records which coefficients aren't zero.
func listNonzero(blocks []kept) {
	for i := range blocks {
		b := &blocks[i]
		b.ac = 0
		for k := 1; k < 64; k++ {
			if b.coef[k] != 0 {
				b.ac |= 1 << k
			}
		}
	}
}

// output makes the picture from the stored coefficients.
func (l *lenient) output() {
	d := l.Decoder
	for i := range d.comps {
		c := &d.comps[i]
		if !c.tabled {
			l.damage.add(noScan, int(c.id), 0)
		}
		listNonzero(c.kept)
	}
	if d.progressive && !d.progress.complete(d) {
		l.damage.add(incomplete, 0, 0)
	}
	smooth := d.smoothable()
	for my := range d.mcusY {
		for i := range d.comps {
			c := &d.comps[i]
			blocks := c.kept[my*c.v*c.paddedX:]
			if smooth {
				blocks = l.smooth(i, my)
			}
			c.transform(blocks, my)
		}
		d.emit(my)
	}
}
