package main

import (
	"fmt"
	"sync"

	"gaze/pkg/data"
)

// damagedPictures counts damaged picture files that could still be decoded, and names
// the first few.
type damagedPictures struct {
	say   func(text string) // writes a line to standard error
	mutex sync.Mutex
	names map[string]bool
}

// shownDamaged is the number of files that are named.
const shownDamaged = 3

func (d *damagedPictures) add(p data.BadPicture) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.names[p.Name] {
		return
	}
	if d.names == nil {
		d.names = map[string]bool{}
	}
	d.names[p.Name] = true
	if len(d.names) <= shownDamaged {
		d.say("warning: " + about(p.Name, p.Err))
	}
}

// sum reports the count, if it isn't 0.
func (d *damagedPictures) sum() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch n := len(d.names); n {
	case 0:
	case 1:
		d.say("warning: 1 picture is damaged; its readable part is used")
	default:
		d.say(fmt.Sprintf("warning: %d pictures are damaged; their readable parts are used", n))
	}
}

// damagedLine is the warning about a damaged picture.
func damagedLine(path, damage string) string {
	return "gaze: warning: " + about(path, fmt.Errorf("damaged: %s", damage))
}
