package data

import (
	"sync"

	"gaze/pkg/transform"
)

// Cache keeps the decoded pictures of a set in memory, as many as fit, so that
// later epochs only transform. It is a [Set].
type Cache struct {
	Set
	mutex  sync.Mutex
	images map[int]*transform.Image
	room   int64
}

// NewCache keeps up to so many bytes of pictures (width · height · channels
// each). The first that come stay: in epochs that each see every picture once, no
// other rule would find more of them again.
func NewCache(set Set, bytes int64) *Cache {
	return &Cache{Set: set, images: map[int]*transform.Image{}, room: bytes}
}

// Image is picture i, kept or decoded.
func (c *Cache) Image(i int) (*transform.Image, error) {
	c.mutex.Lock()
	im := c.images[i]
	c.mutex.Unlock()
	if im != nil {
		return im, nil
	}
	im, err := c.Set.Image(i)
	if err != nil {
		return nil, err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if size := int64(len(im.Pix)); c.images[i] == nil && size <= c.room {
		c.images[i] = im
		c.room -= size
	}
	return im, nil
}

// Kept is the number of pictures in memory.
func (c *Cache) Kept() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.images)
}
