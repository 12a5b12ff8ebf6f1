//go:build cgo && linux && !noxla && (amd64 || arm64)

package memory

import (
	"errors"
	"sync"
	"testing"
	"time"
	"unsafe"
)

const mib = 1 << 20

// cached returns how many bytes are cached and how many blocks were mapped so far.
func cached() (bytes uint64, mappings int) {
	_, bytes, mappings = Usage()
	return bytes, mappings
}

func TestLargeBlockIsReused(t *testing.T) {
	empty(t)
	first := allocate(64, 100*mib)
	if uintptr(first)%(2*mib) != 0 {
		t.Errorf("a large block is at %p, which isn't a multiple of a huge page", first)
	}
	clear(unsafe.Slice((*byte)(first), 100*mib)) // every page must be mapped
	_, made := cached()
	release(first)
	for _, size := range []int{100 * mib, 99*mib + 17, 60 * mib} {
		again := allocateAligned(64, size)
		if again != first {
			t.Errorf("%d bytes were allocated at %p, want the freed block at %p", size, again, first)
		}
		release(again)
	}
	if _, now := cached(); now != made {
		t.Errorf("%d blocks were mapped, want none", now-made)
	}
	// A block of more than twice the size isn't used. Blocks that are too small are dropped.
	small := allocate(64, 40*mib)
	if small == first {
		t.Error("40 MiB were allocated in a block of 100 MiB")
	}
	large := allocate(64, 300*mib)
	if unused, _ := cached(); unused != 0 {
		t.Errorf("%d MiB are cached in blocks that are too small", unused/mib)
	}
	release(small)
	release(large)
}

func TestCacheIsBoundedByPeakUse(t *testing.T) {
	empty(t)
	var most uint64
	for size := 64; size <= 1024; size *= 2 {
		p := allocate(64, size*mib)
		used, _, _ := Usage()
		most = max(most, used)
		release(p)
		if used, unused, _ := Usage(); unused > most || used != 0 {
			t.Errorf("after %d MiB: %d MiB cached, %d MiB in use; the peak was %d MiB", size, unused/mib, used/mib, most/mib)
		}
	}
}

// A block that is too large for all later requests goes back to the system.
func TestUnrequestedBlockIsDropped(t *testing.T) {
	empty(t)
	release(allocate(64, 1024*mib))
	_, made := cached()
	for range 40 {
		release(allocate(64, 100*mib))
	}
	if unused, now := cached(); unused > 100*mib || now != made+1 {
		t.Errorf("after 40 requests for 100 MiB, %d MiB are cached and %d blocks were mapped", unused/mib, now-made)
	}
}

// Alternating requests of two sizes keep both blocks, if both were once in use together.
func TestAlternatingSizesKeepTheirBlocks(t *testing.T) {
	empty(t)
	large, small := allocate(64, 400*mib), allocate(64, 60*mib)
	release(large)
	release(small)
	_, made := cached()
	for range 10 {
		release(allocate(64, 400*mib))
		for range 20 {
			release(allocate(64, 60*mib))
		}
	}
	if _, now := cached(); now != made {
		t.Errorf("%d blocks were mapped again", now-made)
	}
}

// A block that stays idle is dropped without any request; one in use stays.
func TestIdleBlockIsDropped(t *testing.T) {
	empty(t)
	first := allocate(64, 200*mib)
	release(allocate(64, 500*mib))
	if unused, _ := cached(); unused != 500*mib {
		t.Fatalf("%d MiB are cached at first, want 500", unused/mib)
	}
	empty(t)
	if used, _, _ := Usage(); used != 200*mib {
		t.Errorf("%d MiB are in use, want 200", used/mib)
	}
	*(*byte)(first) = 1 // it must still be mapped
	release(first)
}

// empty has all idle blocks dropped, as happens after half a minute otherwise.
func empty(t *testing.T) {
	t.Helper()
	defer setIdleTime(30 * time.Second)
	setIdleTime(20 * time.Millisecond)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		unused, _ := cached()
		if unused == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d MiB are still cached", unused/mib)
		}
	}
}

// A request waits for a block of its size that is about to be freed.
func TestRequestWaitsForABlock(t *testing.T) {
	empty(t)
	defer setMaxWait(5 * time.Millisecond)
	setMaxWait(time.Minute)
	for range 20 {
		first := allocate(64, 48*mib)
		go func() {
			time.Sleep(time.Millisecond)
			release(first)
		}()
		second := allocate(64, 48*mib)
		if second != first {
			t.Fatal("a new block was mapped although the first was about to be freed")
		}
		release(second)
	}
	setMaxWait(time.Millisecond)
	first := allocate(64, 48*mib)
	second := allocate(64, 48*mib)
	if second == nil || second == first {
		t.Errorf("the request that waited in vain got %p, the block in use is at %p", second, first)
	}
	release(first)
	release(second)
}

func TestSmallBlocksComeFromTheCLibrary(t *testing.T) {
	_, made := cached()
	for _, size := range []int{0, 1, 100, mib, 31 * mib} {
		p := allocate(64, size)
		if p == nil {
			t.Fatalf("no memory for %d bytes", size)
		}
		release(p)
	}
	release(allocate(4*mib, 64*mib)) // an alignment that the cache doesn't serve
	release(nil)
	if _, now := cached(); now != made {
		t.Errorf("%d blocks were mapped for small requests", now-made)
	}
	if p := allocate(64, 1<<62); p != nil {
		t.Error("4 EiB were allocated")
	}
}

// TestMediumBlocksAreReused checks that a block of the C library is kept when it is freed, for
// requests of about its size, and that few are kept.
func TestMediumBlocksAreReused(t *testing.T) {
	first := allocate(64, 3*mib)
	release(first)
	if p := allocate(64, mib); p == first {
		t.Error("1 MiB was allocated in a block of 3 MiB")
	} else {
		release(p)
	}
	again := allocateAligned(64, 5*mib/2)
	if again != first {
		t.Errorf("2.5 MiB were allocated at %p, want the freed block of 3 MiB at %p", again, first)
	}
	release(again)
	var all []unsafe.Pointer
	for range 40 { // more than are kept
		all = append(all, allocate(64, 2*mib))
	}
	for _, p := range all {
		clear(unsafe.Slice((*byte)(p), 2*mib))
		release(p)
	}
	if p := allocate(64, 2*mib); p != all[len(all)-1] {
		t.Errorf("2 MiB were allocated at %p, want the block at %p that was freed last", p, all[len(all)-1])
	} else {
		release(p)
	}
}

func TestLoading(t *testing.T) {
	for _, setting := range []string{"", "off"} {
		t.Setenv(Env, setting)
		calls, failed := 0, errors.New("it can't be loaded")
		err := Loading("/nowhere/libpjrt_cpu.so", func() error {
			calls++
			time.Sleep(3 * dropEvery)
			return failed
		})
		if calls != 1 || err != failed {
			t.Errorf("%s=%q: %d calls and error %v, want 1 and the function's error", Env, setting, calls, err)
		}
	}
}

func TestConcurrentAllocation(t *testing.T) {
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 40 {
				size := (32 + (worker*7+i*13)%96) * mib
				p := allocate(64, size)
				ends := unsafe.Slice((*byte)(p), size)
				ends[0], ends[size-1] = byte(worker), byte(i)
				if ends[0] != byte(worker) || ends[size-1] != byte(i) {
					t.Error("two threads got the same block")
				}
				release(p)
			}
		})
	}
	all.Wait()
	if used, _, _ := Usage(); used != 0 {
		t.Errorf("%d bytes are still in use", used)
	}
}

func TestAttachWithoutAPlugin(t *testing.T) {
	t.Setenv(Env, "")
	if err := Attach("/nowhere/libpjrt_cpu.so"); err == nil {
		t.Error("no error for a file that doesn't exist")
	}
}

func TestSettings(t *testing.T) {
	for value, want := range map[string]struct{ enabled, valid bool }{
		"": {true, true}, "on": {true, true}, "off": {false, true}, "0": {false, true}, "much": {false, false},
	} {
		t.Setenv(Env, value)
		if err := CheckSettings(); enabled() != want.enabled || (err == nil) != want.valid {
			t.Errorf("%q: enabled %v, %v", value, enabled(), err)
		}
	}
}
