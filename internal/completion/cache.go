package completion

import "strings"

// cacheKey is a cell without the name that is being completed.
type cacheKey struct {
	age           int // of what other cells have declared
	before, after string
}

// cached are the candidates for the first letters of a name.
type cached struct {
	prefix string
	found  []candidate
}

// cacheSize is how many answers are kept: one for each place where somebody is typing would
// do.
const cacheSize = 32

// cache keeps the latest answers. The zero value is empty.
type cache struct {
	keys   []cacheKey
	values map[cacheKey]cached
}

// put keeps an answer in place of the oldest.
func (c *cache) put(key cacheKey, value cached) {
	if c.values == nil {
		c.values = map[cacheKey]cached{}
	}
	if _, ok := c.values[key]; !ok {
		c.keys = append(c.keys, key)
		if len(c.keys) > cacheSize {
			delete(c.values, c.keys[0])
			c.keys = c.keys[1:]
		}
	}
	c.values[key] = value
}

// get is the answer for a name that begins with a prefix: one for this prefix or for the
// beginning of it.
func (c *cache) get(key cacheKey, prefix string) (cached, bool) {
	value, ok := c.values[key]
	if !ok || !strings.HasPrefix(prefix, value.prefix) {
		return cached{}, false
	}
	return value, true
}

// fromCache is a kept answer that still has a match for a prefix. Without one gopls may know
// more, since it doesn't list everything for few letters.
func (c *Completer) fromCache(key cacheKey, prefix string) (cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok := c.cache.get(key, prefix)
	if !ok || value.prefix != prefix && len(matching(value.found, prefix)) == 0 {
		return cached{}, false
	}
	return value, true
}
