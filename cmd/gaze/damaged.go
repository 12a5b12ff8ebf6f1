package main

import (
	"fmt"
	"sync"

	"gaze/pkg/data"
)

// damagedPictures counts pictures whose files are damaged and that are used all the
// same, and names the first few.
type damagedPictures struct {
	say   func(text string) // a line on standard error
	mutex sync.Mutex
	names map[string]bool
}

// shownDamaged is how many are named.
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

// sum says how many there were, if there were any.
func (d *damagedPictures) sum() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch n := len(d.names); n {
	case 0:
	case 1:
		d.say("warning: 1 picture is damaged; what could be read of it is used")
	default:
		d.say(fmt.Sprintf("warning: %d pictures are damaged; what could be read of them is used", n))
	}
}

// damagedLine is the warning about a picture that a command works on.
func damagedLine(path, damage string) string {
	return "gaze: warning: " + about(path, fmt.Errorf("damaged: %s", damage))
}
