package pets

import "gaze/pkg/data/internal/draw"

var (
	walls  = []draw.RGB{0xd8d2c4, 0xc6d0ce, 0xd8cabf, 0xc2c9d4, 0xccd2bf, 0xb8b3ae, 0x9ba6a4, 0x8f8b95, 0xe2dccf, 0xa9a08f}
	floors = []draw.RGB{0xb79c7c, 0xa38a72, 0x9d9a94, 0xc6b8a2, 0x838d84, 0x8d7a6c, 0xb4aeb0}
	greens = []draw.RGB{0x9fb07c, 0x8aa271, 0xaab487, 0x7c9478, 0xb6b48a, 0x93a68c}
	skies  = []draw.RGB{0xc4d6e0, 0xd6dfe2, 0xe4ddd0, 0xb4c6d4, 0xd9cfcf}
	things = []draw.RGB{0xb0746a, 0x7f92a8, 0xc6a46c, 0x8a9a7c, 0x9a8298, 0xd4c4b0, 0x6f6a70, 0xb59a84, 0xa8b4b8}
)

// plainWall is what is left of a missing backdrop: a grey that walls have.
const plainWall draw.RGB = 0xb8b3ae

// setting is the background of one picture.
type setting struct {
	*stage
	s      *draw.Stream
	v      float64 // variation
	ground float64 // height of the ground's far edge
}

func (b *setting) tone(from []draw.RGB) draw.RGB { return draw.Pick(b.s, from...).Vary(b.s, 34, 12) }

func (b *setting) paint(f draw.Frame, c draw.RGB, shapes ...[]draw.Vec) {
	b.Fill(f, draw.Ink{Colour: c, Label: scenery}, shapes...)
}

// backdrop paints the wall or the sky, or the plain wall that stands in for it.
func (b *setting) backdrop(f draw.Frame, c draw.RGB) {
	defer b.begin(Backdrop)()
	if b.missing[Backdrop] {
		c, b.mute = plainWall, false
	}
	b.paint(f, c, draw.Rect(0, 0, 1, 1))
}

// draw paints the background; things stand about on it the more the picture
// varies.
func (b *setting) draw(f draw.Frame) {
	kind := b.s.Below(4)
	if !b.s.Chance(b.v) {
		kind = 0
	}
	b.ground = 0.62 + float64(b.s.Around(0.16)*b.v)
	switch kind {
	case 0:
		b.studio(f)
	case 1:
		b.room(f)
	case 2:
		b.meadow(f)
	default:
		b.yard(f)
	}
}

// studio is a wall with a soft edge to the ground.
func (b *setting) studio(f draw.Frame) {
	wall, floor := b.tone(walls), b.tone(floors)
	b.backdrop(f, wall)
	end := b.begin(Backdrop)
	for i := range 4 {
		k := 1.2 - 0.2*float64(i)
		b.Fill(f, draw.Ink{Colour: wall.Lighter(100), Alpha: 38, Keep: true}, draw.Ellipse(draw.Pt(0.5, 0.4), 0.6*k, 0.42*k))
	}
	end()
	defer b.begin(Ground)()
	for i := range 4 {
		y := b.ground + 0.015*float64(i)
		b.Fill(f, draw.Ink{Colour: floor, Alpha: 90 + 40*i, Keep: true}, draw.Rect(0, y, 1, 1))
	}
}

// room has a floor, a skirting board, wallpaper and furniture.
func (b *setting) room(f draw.Frame) {
	wall, floor := b.tone(walls), b.tone(floors)
	b.backdrop(f, wall)
	if b.s.Chance(0.4) {
		b.wallpaper(f, wall.Darker(22))
	}
	end := b.begin(Ground)
	b.paint(f, floor, draw.Rect(0, b.ground, 1, 1))
	for i := range 6 { // boards
		x := float64(i)/5 + b.s.Around(0.05)
		b.paint(f, floor.Darker(26), draw.Stroke(0.004, draw.Pt(x, b.ground), draw.Pt(0.5+(x-0.5)*1.5, (1+b.ground)/2), draw.Pt(0.5+(x-0.5)*2, 1.05)))
	}
	b.paint(f, wall.Lighter(120), draw.Rect(0, b.ground-0.025, 1, b.ground))
	end()
	for range b.s.Below(3) + 1 {
		b.furniture(f, b.s.In(0, 1))
	}
	if b.s.Chance(0.5) {
		defer b.object("rug")()
		rug := b.tone(things)
		at := draw.Pt(b.s.In(0.2, 0.8), (1+b.ground)/2)
		b.paint(f, rug, draw.Ellipse(at, 0.42, 0.14))
		b.paint(f, rug.Lighter(70), draw.Ellipse(at, 0.34, 0.1))
	}
}

func (b *setting) wallpaper(f draw.Frame, c draw.RGB) {
	defer b.object("wallpaper")()
	n := 5 + b.s.Below(6)
	dots := b.s.Chance(0.5)
	for i := range n {
		x := (float64(i) + 0.5) / float64(n)
		if !dots {
			b.paint(f, c, draw.Rect(x-0.15/float64(n), 0, x+0.15/float64(n), 1))
			continue
		}
		for j := range n {
			y := (float64(j) + 0.5*float64(i%2)) / float64(n)
			b.paint(f, c, draw.Ellipse(draw.Pt(x, y), 0.014, 0.014))
		}
	}
}

var furnitures = []string{"window", "painting", "lamp", "plant", "sofa"}

// furniture paints a window, a picture, a lamp, a plant or a sofa round x.
func (b *setting) furniture(f draw.Frame, x float64) {
	g, c := b.ground, b.tone(things)
	kind := b.s.Below(5)
	defer b.object(furnitures[kind])()
	switch kind {
	case 0:
		b.paint(f, c.Lighter(150), draw.Rect(x-0.19, g-0.52, x+0.19, g-0.14))
		for i := range 4 {
			u, w := x-0.17+0.175*float64(i%2), g-0.5+0.175*float64(i/2)
			b.paint(f, b.tone(skies), draw.Rect(u, w, u+0.165, w+0.165))
		}
	case 1:
		b.paint(f, c.Darker(60), draw.Rect(x-0.13, g-0.5, x+0.13, g-0.22))
		b.paint(f, c.Lighter(170), draw.Rect(x-0.11, g-0.48, x+0.11, g-0.24))
		b.paint(f, c, draw.Ellipse(draw.Pt(x, g-0.33), 0.06, 0.05))
	case 2:
		b.paint(f, c.Darker(90), draw.Rect(x-0.008, g-0.5, x+0.008, g+0.04))
		b.paint(f, c.Darker(90), draw.Ellipse(draw.Pt(x, g+0.04), 0.07, 0.018))
		b.paint(f, c.Lighter(110), draw.Path(x-0.07, g-0.62, x+0.07, g-0.62, x+0.13, g-0.44, x-0.13, g-0.44))
	case 3:
		leaf := b.tone(greens).Darker(60)
		for i := range 7 {
			d := -0.15 + 0.05*float64(i)
			b.paint(f, draw.Mix(leaf, 0xffffff, 12*(i%3)), draw.Stroke(0.03, draw.Pt(x, g), draw.Pt(x+d*0.7, g-0.2), draw.Pt(x+d*1.4, g-0.34+d*d*4)))
		}
		b.paint(f, c, draw.Path(x-0.08, g-0.08, x+0.08, g-0.08, x+0.06, g+0.08, x-0.06, g+0.08))
	default:
		b.paint(f, c, draw.Smooth(draw.Pt(x-0.36, g+0.08), draw.Pt(x-0.34, g-0.22), draw.Pt(x, g-0.26), draw.Pt(x+0.34, g-0.22), draw.Pt(x+0.36, g+0.08), draw.Pt(x, g+0.1)))
		b.paint(f, c.Lighter(40), draw.Smooth(draw.Pt(x-0.3, g+0.06), draw.Pt(x-0.28, g-0.06), draw.Pt(x, g-0.08), draw.Pt(x+0.28, g-0.06), draw.Pt(x+0.3, g+0.06), draw.Pt(x, g+0.08)))
	}
}

// meadow has hills, trees and flowers.
func (b *setting) meadow(f draw.Frame) {
	g := b.ground
	b.backdrop(f, b.tone(skies))
	for range b.s.Below(3) {
		end := b.object("cloud")
		at := draw.Pt(b.s.In(0, 1), b.s.In(0.05, 0.3))
		for _, d := range []float64{-0.08, 0, 0.07} {
			b.Fill(f, draw.Ink{Colour: 0xfbfaf4, Alpha: 170, Keep: true}, draw.Ellipse(at.Plus(draw.Pt(d, d*d*2)), 0.09, 0.045))
		}
		end()
	}
	hill := b.tone(greens)
	x := b.s.In(0, 1)
	end := b.object("hill")
	b.paint(f, draw.Mix(hill, 0xc8d0d4, 110), draw.Ellipse(draw.Pt(1-x, g+0.1), 0.6, 0.3))
	end()
	for range b.s.Below(4) + 1 {
		b.tree(f, b.s.In(-0.05, 1.05))
	}
	end = b.begin(Ground)
	b.paint(f, hill, draw.Smooth(draw.Pt(-0.2, g), draw.Pt(0.3, g-0.03), draw.Pt(0.7, g+0.02), draw.Pt(1.2, g-0.02), draw.Pt(1.2, 1.2), draw.Pt(-0.2, 1.2)))
	for range 30 {
		at := draw.Pt(b.s.In(0, 1), b.s.In(g+0.03, 1))
		h := 0.02 + 0.04*(at.Y-g)
		b.paint(f, hill.Darker(30), draw.Stroke(0.005, at, at.Plus(draw.Pt(0.004, -h)), at.Plus(draw.Pt(0.01, -2*h))))
	}
	end()
	for range b.s.Below(10) {
		end := b.begin(flowers)
		at := draw.Pt(b.s.In(0, 1), b.s.In(g+0.04, 1))
		r := 0.008 + 0.014*(at.Y-g)
		b.paint(f, b.tone(things).Lighter(90), draw.Ellipse(at, r, r))
		end()
	}
}

func (b *setting) tree(f draw.Frame, x float64) {
	defer b.object("tree")()
	g, size := b.ground, b.s.In(0.1, 0.2)
	leaf := draw.Mix(b.tone(greens).Darker(50), 0xc8d0d4, 50)
	b.paint(f, 0x8d7b6b, draw.Rect(x-size*0.09, g-size*1.2, x+size*0.09, g+0.02))
	if b.s.Chance(0.4) {
		b.paint(f, leaf, draw.Path(x, g-size*3.4, x+size*0.8, g-size*0.5, x-size*0.8, g-size*0.5))
		return
	}
	b.paint(f, leaf, draw.Ellipse(draw.Pt(x, g-size*1.9), size*0.8, size), draw.Ellipse(draw.Pt(x-size*0.5, g-size*1.4), size*0.6, size*0.6), draw.Ellipse(draw.Pt(x+size*0.5, g-size*1.4), size*0.6, size*0.6))
}

// yard is a fence or a wall of bricks behind paving.
func (b *setting) yard(f draw.Frame) {
	g := b.ground
	c := b.tone(append(walls, floors...))
	if b.s.Chance(0.5) {
		b.backdrop(f, b.tone(greens))
		end := b.object("fence")
		for i := range 8 {
			x := float64(i)/7 + b.s.Around(0.01)
			b.paint(f, c.Lighter(60), draw.Path(x-0.05, g, x-0.05, g-0.46, x, g-0.52, x+0.05, g-0.46, x+0.05, g))
		}
		b.paint(f, c.Lighter(20), draw.Rect(0, g-0.36, 1, g-0.31), draw.Rect(0, g-0.14, 1, g-0.09))
		end()
	} else {
		b.backdrop(f, c.Darker(30))
		end := b.object("bricks")
		for j := range 9 {
			for i := range 6 {
				x, y := float64(i)*0.2-0.1*float64(j%2), g-0.09*float64(j+1)
				b.paint(f, c.Vary(b.s, 16, 4), draw.Rect(x+0.006, y+0.006, x+0.194, y+0.084))
			}
		}
		end()
	}
	pave := b.tone(floors)
	end := b.begin(Ground)
	b.paint(f, pave, draw.Rect(0, g, 1, 1))
	for i := range 4 {
		y := g + (1-g)*float64(i*i)/9
		b.paint(f, pave.Darker(30), draw.Rect(0, y-0.003, 1, y+0.003))
	}
	end()
	for range b.s.Below(3) {
		b.bush(f, draw.Pt(b.s.In(0, 1), g+0.02), b.s.In(0.1, 0.18))
	}
}

func (b *setting) bush(f draw.Frame, at draw.Vec, r float64) {
	defer b.object("bush")()
	leaf := b.tone(greens).Darker(40)
	b.paint(f, leaf, draw.Bumps(draw.Ellipse(at.Plus(draw.Pt(0, -r*0.6)), r, r*0.8), r*0.4, r*0.12, curlyTooth))
	b.paint(f, leaf.Lighter(24), draw.Bumps(draw.Ellipse(at.Plus(draw.Pt(-r*0.2, -r*0.8)), r*0.5, r*0.4), r*0.3, r*0.1, curlyTooth))
}
