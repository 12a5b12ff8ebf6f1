package plots

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"runtime"
	"slices"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/vector"
)

// raster is the canvas that draws pixels on white. Drawing happens in paint.
type raster struct {
	img      *image.RGBA // the whole picture
	dst      *image.RGBA // img, or its part inside the current clip
	scale    float64
	pictures []func() image.Image // in drawing order
	ops      []func(made <-chan chan image.Image)
}

func newRaster(w, h int, scale float64) *raster {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	return &raster{img: img, dst: img, scale: scale}
}

// snap rounds b to whole pixels, at least one in each direction unless b is empty.
func (r *raster) snap(b box) image.Rectangle {
	x0, y0 := int(math.Round(b.x*r.scale)), int(math.Round(b.y*r.scale))
	x1, y1 := int(math.Round(b.right()*r.scale)), int(math.Round(b.bottom()*r.scale))
	if b.w > 0 && x1 == x0 {
		x1++
	}
	if b.h > 0 && y1 == y0 {
		y1++
	}
	return image.Rect(x0, y0, x1, y1)
}

// later queues a drawing operation, with the current clip.
func (r *raster) later(op func(dst *image.RGBA)) {
	dst := r.dst
	r.ops = append(r.ops, func(<-chan chan image.Image) { op(dst) })
}

// paint runs the queued operations in order. Pictures, which take most of the time, are
// computed on all processors, at most two per processor ahead of drawing.
func (r *raster) paint() {
	workers := runtime.GOMAXPROCS(0)
	made := make(chan chan image.Image, 2*workers)
	slots := make(chan struct{}, workers)
	pictures := r.pictures
	go func() {
		for _, p := range pictures {
			one := make(chan image.Image, 1)
			made <- one
			slots <- struct{}{}
			go func() {
				one <- p()
				<-slots
			}()
		}
		close(made)
	}()
	for _, op := range r.ops {
		op(made)
	}
	r.ops, r.pictures = nil, nil
}

func (r *raster) rect(b box, fill color.RGBA) {
	r.later(func(dst *image.RGBA) {
		draw.Draw(dst, r.snap(b), image.NewUniform(premultiplied(fill)), image.Point{}, draw.Over)
	})
}

// premultiplied converts the package's colours, which aren't premultiplied by their
// alpha (as in SVG), to premultiplied ones, as image/color needs.
func premultiplied(c color.RGBA) color.Color { return color.NRGBA(c) }

func (r *raster) image(b box, made func() image.Image, smooth bool) {
	dst, to := r.dst, r.snap(b)
	r.pictures = append(r.pictures, made)
	r.ops = append(r.ops, func(made <-chan chan image.Image) {
		img := <-<-made
		switch {
		case img.Bounds().Size() == to.Size():
			draw.Draw(dst, to, img, img.Bounds().Min, draw.Over)
		case smooth:
			xdraw.CatmullRom.Scale(dst, to, img, img.Bounds(), xdraw.Over, nil)
		default:
			xdraw.NearestNeighbor.Scale(dst, to, img, img.Bounds(), xdraw.Over, nil)
		}
	})
}

func (r *raster) clip(b box, drawInside func()) {
	outer := r.dst
	// If the intersection is empty, the image has no pixels and nothing is drawn.
	r.dst = outer.SubImage(r.snap(b)).(*image.RGBA)
	drawInside()
	r.dst = outer
}

// path collects closed contours in pixel coordinates and fills them.
type path struct {
	moves          []contour
	x0, y0, x1, y1 float64
}

type contour []segment

func newPath() *path {
	return &path{x0: math.Inf(1), y0: math.Inf(1), x1: math.Inf(-1), y1: math.Inf(-1)}
}

func (p *path) see(q point) {
	p.x0, p.y0 = min(p.x0, q.x), min(p.y0, q.y)
	p.x1, p.y1 = max(p.x1, q.x), max(p.y1, q.y)
}

// polygon adds a polygon, clipped to the neighbourhood of the clip, because the
// rasteriser only handles coordinates near its picture.
func (p *path) polygon(pts []point, around image.Rectangle) {
	b := around.Inset(-2)
	pts = cut(pts, func(q point) float64 { return q.x - float64(b.Min.X) })
	pts = cut(pts, func(q point) float64 { return float64(b.Max.X) - q.x })
	pts = cut(pts, func(q point) float64 { return q.y - float64(b.Min.Y) })
	pts = cut(pts, func(q point) float64 { return float64(b.Max.Y) - q.y })
	var c contour
	for i, q := range pts {
		op := sfnt.SegmentOpLineTo
		if i == 0 {
			op = sfnt.SegmentOpMoveTo
		}
		p.see(q)
		c = append(c, segment{op: op, pts: [3]point{q}})
	}
	p.moves = append(p.moves, c)
}

// cut returns the part of a polygon on the inner side of a line, where the distance
// isn't negative (Sutherland and Hodgman's algorithm).
func cut(pts []point, distance func(point) float64) []point {
	out := make([]point, 0, len(pts)+4)
	for i, q := range pts {
		from := pts[(i+len(pts)-1)%len(pts)]
		d0, d1 := distance(from), distance(q)
		if (d0 < 0) != (d1 < 0) {
			t := d0 / (d0 - d1)
			out = append(out, point{from.x + t*(q.x-from.x), from.y + t*(q.y-from.y)})
		}
		if d1 >= 0 {
			out = append(out, q)
		}
	}
	return out
}

// fill rasterises the path inside the clip. Contours with the same direction add up.
func (r *raster) fill(p *path, col color.RGBA) {
	r.later(func(dst *image.RGBA) { fill(dst, p, col) })
}

func fill(dst *image.RGBA, p *path, col color.RGBA) {
	b := dst.Bounds()
	if !(p.x0 <= p.x1) || !isFinite(p.x0+p.x1+p.y0+p.y1) {
		return
	}
	area := image.Rectangle{
		Min: image.Pt(int(max(math.Floor(p.x0), float64(b.Min.X))), int(max(math.Floor(p.y0), float64(b.Min.Y)))),
		Max: image.Pt(int(min(math.Ceil(p.x1)+1, float64(b.Max.X))), int(min(math.Ceil(p.y1)+1, float64(b.Max.Y)))),
	}
	if area.Empty() {
		return
	}
	z := vector.NewRasterizer(area.Dx(), area.Dy())
	at := func(q point) (float32, float32) {
		return float32(q.x - float64(area.Min.X)), float32(q.y - float64(area.Min.Y))
	}
	for _, c := range p.moves {
		for _, s := range c {
			ax, ay := at(s.pts[0])
			bx, by := at(s.pts[1])
			cx, cy := at(s.pts[2])
			switch s.op {
			case sfnt.SegmentOpMoveTo:
				z.MoveTo(ax, ay)
			case sfnt.SegmentOpLineTo:
				z.LineTo(ax, ay)
			case sfnt.SegmentOpQuadTo:
				z.QuadTo(ax, ay, bx, by)
			case sfnt.SegmentOpCubeTo:
				z.CubeTo(ax, ay, bx, by, cx, cy)
			}
		}
		z.ClosePath()
	}
	z.Draw(dst, area, image.NewUniform(premultiplied(col)), image.Point{})
}

func (r *raster) polygon(pts []point, fill color.RGBA) {
	p := newPath()
	q := make([]point, len(pts))
	for i := range pts {
		q[i] = point{pts[i].x * r.scale, pts[i].y * r.scale}
	}
	p.polygon(q, r.dst.Bounds())
	r.fill(p, fill)
}

func (r *raster) polyline(pts []point, st stroke) {
	if len(pts) == 2 && (pts[0].x == pts[1].x || pts[0].y == pts[1].y) && st.dash == nil {
		a, b := pts[0], pts[1]
		x, y := min(a.x, b.x), min(a.y, b.y)
		w, h := max(a.x, b.x)-x, max(a.y, b.y)-y
		if w == 0 {
			r.rect(box{x - st.width/2, y, st.width, h}, st.color)
		} else {
			r.rect(box{x, y - st.width/2, w, st.width}, st.color)
		}
		return
	}
	p := newPath()
	for _, line := range dashed(pts, st.dash) {
		r.strokeInto(p, line, st.width*r.scale/2)
	}
	r.fill(p, st.color)
}

// strokeInto adds a line's outline to p: along its left side and back along its right.
// A single outline for the whole line keeps the joints smooth.
func (r *raster) strokeInto(p *path, line []point, half float64) {
	pts := make([]point, 0, len(line))
	for _, q := range line {
		q = point{q.x * r.scale, q.y * r.scale}
		if n := len(pts); n == 0 || pts[n-1] != q {
			pts = append(pts, q)
		}
	}
	if len(pts) < 2 {
		return
	}
	var left, right []point
	side := func(a point, nx, ny float64) {
		left = append(left, point{a.x + nx*half, a.y + ny*half})
		right = append(right, point{a.x - nx*half, a.y - ny*half})
	}
	nx0, ny0 := normal(pts[0], pts[1])
	side(pts[0], nx0, ny0)
	for i := 1; i+1 < len(pts); i++ {
		nx, ny := normal(pts[i], pts[i+1])
		if cos := nx*nx0 + ny*ny0; cos > 0.3 { // the sides meet on the bisector
			side(pts[i], (nx+nx0)/(1+cos), (ny+ny0)/(1+cos))
		} else { // a mitre joint would be a long spike: use a bevel
			side(pts[i], nx0, ny0)
			side(pts[i], nx, ny)
		}
		nx0, ny0 = nx, ny
	}
	side(pts[len(pts)-1], nx0, ny0)
	slices.Reverse(right)
	p.polygon(append(left, right...), r.dst.Bounds())
}

// normal returns the unit vector perpendicular to the line from a to b.
func normal(a, b point) (x, y float64) {
	dx, dy := b.x-a.x, b.y-a.y
	l := math.Hypot(dx, dy)
	return -dy / l, dx / l
}

// dashed splits a line into dashes.
func dashed(pts []point, dash []float64) [][]point {
	if len(dash) == 0 || len(pts) < 2 {
		return [][]point{pts}
	}
	var out [][]point
	k, left := 0, dash[0]
	cur := []point{pts[0]}
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		for {
			l := math.Hypot(b.x-a.x, b.y-a.y)
			if l <= left {
				left -= l
				cur = append(cur, b)
				break
			}
			t := left / l
			a = point{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)}
			if k%2 == 0 {
				out = append(out, append(cur, a))
			}
			k++
			left = dash[k%len(dash)]
			cur = []point{a}
		}
	}
	if k%2 == 0 && len(cur) > 1 {
		out = append(out, cur)
	}
	return out
}

func (r *raster) text(at point, s string, st textStyle) {
	f := face(st.bold)
	s = drawable(clean(s), st.bold)
	size := st.size * r.scale
	x0 := 0.0
	switch w := f.typeset(s, nil); st.anchor {
	case middle:
		x0 = -w / 2
	case end:
		x0 = -w
	}
	// The baseline is at a whole pixel, so that the bottoms of letters are sharp.
	ox, oy := at.x*r.scale, at.y*r.scale
	if st.vertical {
		ox = math.Round(ox)
	} else {
		oy = math.Round(oy)
	}
	p := newPath()
	f.typeset(s, func(g glyph, x float64) {
		var c contour
		for _, sg := range g.outline {
			if sg.op == sfnt.SegmentOpMoveTo && len(c) > 0 {
				p.moves, c = append(p.moves, c), nil
			}
			for k := range sg.pts {
				q := point{(x0 + x + sg.pts[k].x) * size, sg.pts[k].y * size}
				if st.vertical {
					q = point{q.y, -q.x}
				}
				sg.pts[k] = point{ox + q.x, oy + q.y}
				if k < argCount(sg.op) {
					p.see(sg.pts[k])
				}
			}
			c = append(c, sg)
		}
		p.moves = append(p.moves, c)
	})
	r.fill(p, st.color)
}

func argCount(op sfnt.SegmentOp) int {
	switch op {
	case sfnt.SegmentOpQuadTo:
		return 2
	case sfnt.SegmentOpCubeTo:
		return 3
	}
	return 1
}
