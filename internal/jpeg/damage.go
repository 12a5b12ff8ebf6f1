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

// damage is what is wrong with a file: of each kind of fault how many there are and
// what is known of the first.
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

// String lists the faults in words on one line.
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
		return fmt.Sprintf("a code that can't be, in row %d of the picture", a)
	case lostRestart:
		return fmt.Sprintf("marker %02X where restart marker %02X should be", a, mRST0+b)
	case extraBytes:
		return fmt.Sprintf("%d bytes too many before marker %02X", a, b)
	case brokenOrder:
		return fmt.Sprintf("scan %d doesn't go on where those before it ended", a)
	case notSequential:
		return "a scan header of the wrong kind"
	case incomplete:
		return "the last scans are missing, and with them detail"
	case noScan:
		return fmt.Sprintf("there is no data for colour component %d", a)
	case unknownJFIF:
		return fmt.Sprintf("JFIF version %d.%02d, which isn't known", a, b)
	}
	return fmt.Sprintf("colour transform %d, which isn't known", a)
}
