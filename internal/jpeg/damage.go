package jpeg

import (
	"fmt"
	"strings"
)

// fault is a kind of damage.
type fault int

const (
	endsEarly fault = iota
	badCode
	lostRestart
	extraBytes
	brokenOrder
	notSequential
	incomplete
	noScan
	unknownJFIF
	unknownColours
	faults
)

// damage lists the faults in a file: the number of each kind, and details of the first.
type damage struct {
	count  [faults]int
	detail [faults][2]int
}

func (d *damage) add(f fault, a, b int) {
	if d.count[f] == 0 {
		d.detail[f] = [2]int{a, b}
	}
	d.count[f]++
}

// String describes the faults on one line.
func (d *damage) String() string {
	var words []string
	for f := range faults {
		if d.count[f] == 0 {
			continue
		}
		s := f.describe(d.detail[f][0], d.detail[f][1])
		if n := d.count[f] - 1; n == 1 {
			s += " (and once more)"
		} else if n > 1 {
			s += fmt.Sprintf(" (and %d times more)", n)
		}
		words = append(words, s)
	}
	return strings.Join(words, "; ")
}

func (f fault) describe(a, b int) string {
	switch f {
	case endsEarly:
		return fmt.Sprintf("the data ends early, in row %d of the picture (at marker %02X)", a, b)
	case badCode:
		return fmt.Sprintf("an invalid Huffman code in row %d of the picture", a)
	case lostRestart:
		return fmt.Sprintf("marker %02X where restart marker %02X should be", a, mRST0+b)
	case extraBytes:
		return fmt.Sprintf("%d extra bytes before marker %02X", a, b)
	case brokenOrder:
		return fmt.Sprintf("scan %d doesn't continue where the scans before it ended", a)
	case notSequential:
		return "a scan header of the wrong kind"
	case incomplete:
		return "the last scans are missing, so the picture lacks detail"
	case noScan:
		return fmt.Sprintf("there is no data for colour component %d", a)
	case unknownJFIF:
		return fmt.Sprintf("unknown JFIF version %d.%02d", a, b)
	}
	return fmt.Sprintf("unknown colour transform %d", a)
}
