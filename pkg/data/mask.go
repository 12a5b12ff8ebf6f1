package data

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"

	"gaze/pkg/transform"
)

// The values of a [Mask].
const (
	Outside   uint8 = iota // the background
	Inside                 // the pet, or its head
	Uncounted              // the border between them, which is neither
)

// Mask says of each pixel whether it is inside of what was marked.
type Mask struct {
	Width, Height int
	Pix           []uint8 // Outside, Inside or Uncounted, row by row
}

func newMask(width, height int) *Mask {
	return &Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
}

// Share is the share of Inside among the counted pixels; 0 if none is counted.
func (m *Mask) Share() float64 {
	inside, counted := 0, 0
	for _, v := range m.Pix {
		if v != Uncounted {
			counted++
		}
		if v == Inside {
			inside++
		}
	}
	if counted == 0 {
		return 0
	}
	return float64(inside) / float64(counted)
}

// ErrUnknown means that nothing of the kind is known about a picture.
var ErrUnknown = errors.New("not known")

// Trimap reads the picture's trimap, in the original's size: Inside is the pet, Uncounted
// the border. The error is [ErrUnknown] if there is none.
func (k *Known) Trimap() (*Mask, error) {
	if k.trimap == "" {
		return nil, fmt.Errorf("truth: the trimap of %s is %w", k.Name, ErrUnknown)
	}
	m, err := readTrimap(k.trimap)
	if err != nil {
		return nil, fmt.Errorf("truth: %s: %w", k.trimap, err)
	}
	if k.Width > 0 && (m.Width != k.Width || m.Height != k.Height) {
		return nil, fmt.Errorf("truth: %s is %dx%d, but %s says that %s is %dx%d", k.trimap, m.Width, m.Height, truthIndex, k.Name, k.Width, k.Height)
	}
	return m, nil
}

// Outline is the mask within the picture's outline, in the original's size, without
// uncounted pixels. The error is [ErrUnknown] if there is none.
func (k *Known) Outline() (*Mask, error) {
	if k.outline == nil {
		return nil, fmt.Errorf("truth: the outline of %s is %w", k.Name, ErrUnknown)
	}
	return k.outline.fill(), nil
}

// PetMask is the trimap's mask or, without one, the outline's. The error is [ErrUnknown]
// if there is neither.
func (k *Known) PetMask() (*Mask, error) {
	if k.trimap == "" && k.outline != nil {
		return k.Outline()
	}
	return k.Trimap()
}

// readTrimap decodes a trimap, whose pixels are 1, 2 or 3.
func readTrimap(path string) (*Mask, error) {
	f, _, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cfg, err := png.DecodeConfig(f)
	if err != nil {
		return nil, err
	}
	if err := checkSize(cfg.Width, cfg.Height); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, err
	}
	im, err := png.Decode(f)
	if err != nil {
		return nil, err
	}
	m := newMask(cfg.Width, cfg.Height)
	for y := range m.Height {
		var row []uint8
		switch im := im.(type) {
		case *image.Gray:
			row = im.Pix[y*im.Stride:]
		case *image.Paletted:
			row = im.Pix[y*im.Stride:]
		default:
			return nil, fmt.Errorf("it has colours (%T): a grey or palette picture of 1, 2 and 3 was expected", im)
		}
		for x := range m.Width {
			if row[x] < 1 || row[x] > 3 {
				return nil, fmt.Errorf("row %d, column %d is %d: 1 (pet), 2 (background) or 3 (border) was expected", y, x, row[x])
			}
			m.Pix[y*m.Width+x] = [...]uint8{Inside, Outside, Uncounted}[row[x]-1]
		}
	}
	return m, nil
}

// View is the part of an original that a model sees, as Height x Width pixels.
type View struct {
	transform.Region // in pixels of the original
	Width, Height    int
}

// View returns what the model sees through a pipeline that turned the picture im, as it
// is in the folder, into the tensor t of shape [channels, height, width]. It is an error if the
// picture's shape isn't the original's, or if the pipeline does more than resize and
// crop.
func (k *Known) View(p transform.Pipeline, im *transform.Image, t *transform.Tensor) (View, error) {
	width, height := k.Width, k.Height
	if width == 0 {
		width, height = im.Width, im.Height
	}
	scaleX, scaleY := float64(width)/float64(im.Width), float64(height)/float64(im.Height)
	// The copy's sides are whole pixels: either may be off by one.
	if math.Abs(float64(im.Width)*float64(height)/float64(width)-float64(im.Height)) > 1+float64(height)/float64(width) {
		return View{}, fmt.Errorf("truth: %s is %dx%d, which isn't a copy of the original of %dx%d: it has another shape", k.Path, im.Width, im.Height, width, height)
	}
	r, ok := p.Region(im.Width, im.Height)
	if !ok {
		return View{}, fmt.Errorf("truth: where the pixels after %q lie in the picture can't be told: use a pipeline that only resizes and crops", p)
	}
	return View{
		Region: transform.Region{X0: r.X0 * scaleX, Y0: r.Y0 * scaleY, X1: r.X1 * scaleX, Y1: r.Y1 * scaleY},
		Width:  t.Shape[2], Height: t.Shape[1],
	}, nil
}

// Mask shows a mask of an original on the pixels of the view: each has the value at its
// centre.
func (v View) Mask(m *Mask) *Mask {
	out := newMask(v.Width, v.Height)
	for y := range out.Height {
		row := clamp(v.Y0+(float64(y)+0.5)*(v.Y1-v.Y0)/float64(v.Height), m.Height)
		for x := range out.Width {
			col := clamp(v.X0+(float64(x)+0.5)*(v.X1-v.X0)/float64(v.Width), m.Width)
			out.Pix[y*out.Width+x] = m.Pix[row*m.Width+col]
		}
	}
	return out
}

// clamp is the index of the pixel at a place, among n.
func clamp(at float64, n int) int { return min(max(int(at), 0), n-1) }

// Box shows a box of an original on the pixels of the view: Inside are the pixels whose
// centre is in it.
func (v View) Box(b transform.Region) *Mask {
	out := newMask(v.Width, v.Height)
	for y := range out.Height {
		at := v.Y0 + (float64(y)+0.5)*(v.Y1-v.Y0)/float64(v.Height)
		if at < b.Y0 || at >= b.Y1 {
			continue
		}
		for x := range out.Width {
			if at := v.X0 + (float64(x)+0.5)*(v.X1-v.X0)/float64(v.Width); at >= b.X0 && at < b.X1 {
				out.Pix[y*out.Width+x] = Inside
			}
		}
	}
	return out
}
