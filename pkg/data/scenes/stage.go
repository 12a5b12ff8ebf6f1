package scenes

import (
	"math"

	"gaze/pkg/data/internal/draw"
)

// role is what a person, animal or thing is in a scene.
type role uint8

const (
	theSubject role = iota
	theShirt
	theThing // what is ridden, held, carried, eaten, sat on or played with
	theBeast // the dog or the horse of a person
	roles
)

// stage is a scene as it is painted.
type stage struct {
	*painter
	*setting
	plan
	cast [roles]draw.Labels // what shows each role
}

func (t *stage) is(r role, l draw.Label) { t.cast[r] |= 1 << l }

// perform paints the setting and then everybody, those at the back first.
func (t *stage) perform(page draw.Frame) {
	t.setting.draw(page, t.plan)
	size := t.size()
	for _, i := range []int{0, 2, 1} {
		if i >= t.count {
			continue
		}
		x, y := t.spot(i)
		turn := 0.0
		if t.place == slope {
			turn = math.Atan(t.incline)
		}
		f := page.Inside(draw.Pt(x, t.floor(x, y)), size*t.s().In(0.96, 1.04), turn*t.leaning(), 1)
		t.act(f, page)
	}
}

func (t *stage) s() *draw.Stream { return t.painter.s }

// leaning is how much of the slope's incline the subject takes on.
func (t *stage) leaning() float64 {
	if t.does == skiing {
		return 1
	}
	return 0.25
}

// size is the height of an adult, or the length of a beast, in the picture.
func (t *stage) size() float64 {
	crowd := [...]float64{1, 0.82, 0.66}[t.count-1]
	if !t.who.person() {
		crowd = [...]float64{1, 0.78, 0.60}[t.count-1]
		k := [...]float64{sheep: 0.42, dog: 0.44, cat: 0.42, horse: 0.42, cow: 0.44, bird: 0.36}[t.who]
		if t.does == resting {
			k *= 0.8
		}
		if t.count > 1 && (t.who == horse || t.who == cow) {
			k *= 0.86
		}
		return k * crowd * t.s().In(0.92, 1.06)
	}
	k := 0.66
	switch t.does {
	case sheltering, mounted:
		k = 0.56
	case kiting:
		k = 0.50
	case eating:
		k = 0.82
		if !t.dinner {
			k = 0.70
		}
	case biking:
		crowd = [...]float64{0.98, 0.68, 0.50}[t.count-1]
	case skiing:
		crowd = [...]float64{1, 0.74, 0.55}[t.count-1]
	}
	if t.who == boy || t.who == girl {
		k *= 1.1
	}
	return k * crowd * t.s().In(0.95, 1.07)
}

// spot is where the i-th subject stands.
func (t *stage) spot(i int) (x, y float64) {
	y = t.s().In(0.88, 0.94)
	switch {
	case t.dinner:
		if t.who >= boy {
			return 0.5 + t.s().Around(0.2), 1.06
		}
		return 0.5 + t.s().Around(0.2), 1.12
	case t.does == kiting:
		return 0.30 + t.s().Around(0.08), y
	case t.does == leading:
		return 0.27 + t.s().Around(0.06), y
	case t.does == playing:
		return 0.40 + t.s().Around(0.08), y
	case t.count == 1 && !t.who.person():
		return 0.46 + t.s().Around(0.10), y
	case t.count == 1:
		return 0.5 + t.s().Around(0.14), y
	}
	n := float64(t.count)
	x = (float64(i)+0.5)/n + t.s().Around(0.03)
	if t.count == 3 {
		x = 0.5 + (x-0.5)*0.98
		y = [...]float64{0.80, 0.93, 0.84}[i] + t.s().Around(0.015)
	}
	if t.does == grazing { // heads reach forward
		x = 0.5 + (x-0.5)*0.92 - 0.03
	}
	if t.does == skiing {
		x, y = 0.5+(x-0.5)*0.92, y-0.06
	}
	return x, y
}

// act paints one subject with what it has, in a frame whose unit is the height
// of an adult or the length of a beast.
func (t *stage) act(f, page draw.Frame) {
	if !t.who.person() {
		t.beastActs(f)
		return
	}
	who := t.newPerson(t.who, t.shirtInk())
	who.warm = t.place == slope
	t.is(theSubject, who.body)
	t.is(theSubject, who.top)
	t.is(theShirt, who.top)
	g := f.Inside(draw.Vec{}, who.build().scale, 0, 1)
	if t.does != skiing && !t.dinner {
		t.shadow(g, draw.Pt(0.02, -0.01), 0.26)
	}
	at := who.build().upright()
	switch t.does {
	case biking:
		t.bikes(g, who, at)
	case sheltering:
		t.shelters(g, who, at)
	case skiing:
		t.slides(g, who, at)
	case eating:
		t.eats(g, page, who, at)
	case kiting:
		t.kites(g, page, who, at)
	case surfing:
		t.surfs(g, who, at)
	case resting:
		t.rests(g, who, at)
	case playing:
		t.plays(g, who, at)
	case leading:
		t.leads(g, who, at)
	case mounted:
		t.rides(g, who, at)
	default:
		t.stands(g, who, at)
	}
}

// shirtInk is the shirt's colour; in a group everyone has another.
func (t *stage) shirtInk() draw.RGB {
	c := t.shirt
	if t.count > 1 {
		c = colour(t.s().Below(int(bright)))
		if c == t.thing {
			c = t.shirt
		}
	}
	return colourInks[c].Vary(t.s(), 14, 8)
}

// thingInk is the colour of the subject's thing.
func (t *stage) thingInk() draw.RGB {
	c := t.thing
	if t.count > 1 {
		c = colour(t.s().Below(int(bright)))
	}
	return colourInks[c].Vary(t.s(), 12, 6)
}

// beastActs paints an animal that is the subject.
func (t *stage) beastActs(f draw.Frame) {
	does := t.does
	if does == resting || does == playing {
		does = standing
	}
	if t.does == resting {
		l := t.own()
		t.is(theThing, l)
		t.shadow(f, draw.Pt(0, 0), 0.7)
		t.bench(f.Inside(draw.Vec{}, 1.35, 0, 1), l)
		f = f.Inside(draw.Pt(0, -0.24*1.35), 0.86, 0, 1)
	} else {
		t.shadow(f, draw.Pt(0, 0), 0.52)
	}
	a := t.newAnimal(t.who, t.coat, does)
	t.is(theSubject, a.label)
	t.animal(f, a)
	if t.does == playing {
		l := t.own()
		t.is(theThing, l)
		t.shadow(f, draw.Pt(0.78, 0.01), 0.16)
		t.ball(f, l, t.thingInk(), draw.Pt(0.78, -0.15), 0.17)
	}
}
