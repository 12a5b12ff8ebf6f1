package data

import (
	"slices"
	"sync"

	"gaze/pkg/transform"
)

// Cache keeps as many decoded pictures of a set in memory as fit, so that later epochs
// only transform them. It is a [Set].
type Cache struct {
	Set
	mutex  sync.Mutex
	images map[kept]*transform.Image
	damage map[kept]string // the damage of kept pictures
	room   int64
}

// kept is a picture and, if it is transparent, the background colour it was put on.
type kept struct {
	index  int
	on     bool
	colour [3]uint8
}

func keptOn(i int, under backdrop) kept {
	if under == nil {
		return kept{index: i}
	}
	return kept{i, true, *under}
}

// NewCache makes a cache for up to the given number of bytes of pictures (width · height
// · channels each). The first pictures stay in it: if every epoch uses every picture
// once, no other policy has more hits.
func NewCache(set Set, bytes int64) *Cache {
	return &Cache{Set: set, images: map[kept]*transform.Image{}, damage: map[kept]string{}, room: bytes}
}

// Image is picture i, from the cache or decoded.
func (c *Cache) Image(i int) (*transform.Image, error) {
	key := keptOn(i, nil)
	if im, _ := c.kept(key); im != nil {
		return im, nil
	}
	im, damage, err := imageWith(c.Set, new(Decoder), i)
	if err == nil {
		c.keep(key, im, damage, false)
	}
	return im, err
}

// imageWith is Image, in the decoder's memory unless it is in the cache.
func (c *Cache) imageWith(d *Decoder, i int) (*transform.Image, string, error) {
	key := keptOn(i, d.Background)
	if im, damage := c.kept(key); im != nil {
		return im, damage, nil
	}
	im, damage, err := imageWith(c.Set, d, i)
	if err == nil {
		c.keep(key, im, damage, true)
	}
	return im, damage, err
}

func (c *Cache) kept(i kept) (*transform.Image, string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.images[i], c.damage[i]
}

// keep stores a picture, or a copy of it, if there is room.
func (c *Cache) keep(i kept, im *transform.Image, damage string, copied bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	size := int64(len(im.Pix))
	if c.images[i] != nil || size > c.room {
		return
	}
	c.room -= size
	if copied {
		own := *im
		own.Pix = slices.Clone(im.Pix)
		im = &own
	}
	c.images[i] = im
	if damage != "" {
		c.damage[i] = damage
	}
}

// Kept is the number of pictures in the cache.
func (c *Cache) Kept() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.images)
}
