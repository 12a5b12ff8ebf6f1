package plots

import (
	"image"
	"reflect"
	"slices"
	"sync"
)

// sizes scales the pictures that several panels of one figure show, such as a photograph
// beneath several maps, only once for each size. It is safe for concurrent use. A nil one
// scales each time.
type sizes struct {
	uses map[image.Image]int // panels that show a picture
	mu   sync.Mutex
	done map[sized]func() *image.RGBA
}

// sized is a picture at a size.
type sized struct {
	picture image.Image
	w, h    int
}

func newSizes(panels [][]Panel) *sizes {
	s := &sizes{uses: map[image.Image]int{}, done: map[sized]func() *image.RGBA{}}
	for _, p := range slices.Concat(panels...) {
		if p.Picture != nil && reflect.TypeOf(p.Picture).Comparable() {
			s.uses[p.Picture]++
		}
	}
	return s
}

// get is [toSize]. Its result is the caller's own, or mustn't be changed: change says what
// the caller needs.
func (s *sizes) get(img image.Image, w, h int, change bool) *image.RGBA {
	if s == nil || !reflect.TypeOf(img).Comparable() || s.uses[img] < 2 {
		return toSize(img, w, h)
	}
	key := sized{img, w, h}
	s.mu.Lock()
	made := s.done[key]
	if made == nil {
		made = sync.OnceValue(func() *image.RGBA { return toSize(img, w, h) })
		s.done[key] = made
	}
	s.mu.Unlock()
	out := made()
	if change {
		own := *out
		own.Pix = slices.Clone(out.Pix)
		return &own
	}
	return out
}
