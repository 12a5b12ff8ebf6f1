package source

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
)

// keySet finds keys that come twice. It keeps a hash of each key, 8 bytes.
type keySet struct {
	hashes []uint64
}

var keySeed = maphash.MakeSeed()

func (k *keySet) add(key string) error {
	k.hashes = append(k.hashes, maphash.String(keySeed, key))
	return nil
}

// twice are the hashes that were added more than once.
func (k *keySet) twice() map[uint64]bool {
	slices.Sort(k.hashes)
	twice := map[uint64]bool{}
	for i := 1; i < len(k.hashes); i++ {
		if k.hashes[i] == k.hashes[i-1] {
			twice[k.hashes[i]] = true
		}
	}
	return twice
}

// checkKeys returns an error if a key came twice. Only then everything is listed again, to
// find out which.
func (l *lister) checkKeys(sources []string) error {
	twice := l.keys.twice()
	l.keys = keySet{}
	if len(twice) == 0 {
		return nil
	}
	seen := map[string]Input{}
	again := &lister{ctx: context.WithoutCancel(l.ctx), Options: l.Options}
	var found error
	again.yield = func(in Input, err error) bool {
		if err != nil {
			found = err
			return false
		}
		if !twice[maphash.String(keySeed, in.Key)] {
			return true
		}
		if first, ok := seen[in.Key]; ok {
			found = fmt.Errorf("two pictures have the key %q: %s and %s: %s", in.Key, first.Where(), in.Where(), l.advice())
			return false
		}
		seen[in.Key] = in
		return true
	}
	if err := again.all(sources); err != nil {
		return err
	}
	return found
}

// advice says how keys can be made to differ.
func (l *lister) advice() string {
	if l.Qualify {
		return "rename one, or give keys in a table (.csv with the columns path and key)"
	}
	return "let the names of their sources be part of the keys (qualify), or give keys in a table (.csv with the columns path and key)"
}
