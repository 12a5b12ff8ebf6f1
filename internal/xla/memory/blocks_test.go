//go:build cgo && linux && !noxla && (amd64 || arm64)

package memory

import (
	"sync"
	"testing"
	"time"
	"unsafe"
)

const mib = 1 << 20

// kept is what is unused and how many blocks were made.
func kept() (unused uint64, made int) {
	_, unused, made = Usage()
	return unused, made
}

func TestALargeBlockIsUsedAgain(t *testing.T) {
	empty(t)
	first := take(64, 100*mib)
	if uintptr(first)%(2*mib) != 0 {
		t.Errorf("a large block lies at %p, not at a multiple of a huge page", first)
	}
	clear(unsafe.Slice((*byte)(first), 100*mib)) // all of it is there
	_, made := kept()
	give(first)
	for _, size := range []int{100 * mib, 99*mib + 17, 60 * mib} {
		again := takeAligned(64, size)
		if again != first {
			t.Errorf("%d bytes came from %p, not from the block that was freed, %p", size, again, first)
		}
		give(again)
	}
	if _, now := kept(); now != made {
		t.Errorf("%d blocks were made where none was needed", now-made)
	}
	// One that would waste more than half isn't used; one that is too small makes room.
	small := take(64, 40*mib)
	if small == first {
		t.Error("40 MiB took a block of 100")
	}
	large := take(64, 300*mib)
	if unused, _ := kept(); unused != 0 {
		t.Errorf("%d MiB are kept that were too small", unused/mib)
	}
	give(small)
	give(large)
}

func TestNoMoreIsKeptThanWasUsed(t *testing.T) {
	empty(t)
	var most uint64
	for size := 64; size <= 1024; size *= 2 {
		p := take(64, size*mib)
		used, _, _ := Usage()
		most = max(most, used)
		give(p)
		if used, unused, _ := Usage(); unused > most || used != 0 {
			t.Errorf("after %d MiB: %d MiB unused, %d MiB used; at most %d MiB were used at once", size, unused/mib, used/mib, most/mib)
		}
	}
}

// A block that later requests pass over, being far smaller, goes back to the system.
func TestWhatRequestsPassOverIsGivenBack(t *testing.T) {
	empty(t)
	give(take(64, 1024*mib))
	_, made := kept()
	for range 40 {
		give(take(64, 100*mib))
	}
	if unused, now := kept(); unused > 100*mib || now != made+1 {
		t.Errorf("after 40 requests for 100 MiB %d MiB are unused, and %d blocks were made", unused/mib, now-made)
	}
}

// Steps that take turns keep their blocks, each of its own size, if a step once used both.
func TestTurnsKeepTheirBlocks(t *testing.T) {
	empty(t)
	large, small := take(64, 400*mib), take(64, 60*mib)
	give(large)
	give(small)
	_, made := kept()
	for range 10 {
		give(take(64, 400*mib))
		for range 20 {
			give(take(64, 60*mib))
		}
	}
	if _, now := kept(); now != made {
		t.Errorf("%d blocks were made anew", now-made)
	}
}

// What isn't used for some time goes back without any request; what is in use stays.
func TestWhatLiesIdleIsGivenBack(t *testing.T) {
	empty(t)
	first := take(64, 200*mib)
	give(take(64, 500*mib))
	if unused, _ := kept(); unused != 500*mib {
		t.Fatalf("%d MiB are kept at first, want 500", unused/mib)
	}
	empty(t)
	if used, _, _ := Usage(); used != 200*mib {
		t.Errorf("%d MiB are in use, want 200", used/mib)
	}
	*(*byte)(first) = 1 // it is still there
	give(first)
}

// empty has all that is idle given back, as it is after half a minute.
func empty(t *testing.T) {
	t.Helper()
	defer setIdleTime(30 * time.Second)
	setIdleTime(20 * time.Millisecond)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		unused, _ := kept()
		if unused == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d MiB are still kept", unused/mib)
		}
	}
}

// A block that is asked for while another of its size is about to be given back is that
// one. On a busy machine it may come too late, but hardly each time.
func TestABlockThatIsGivenBackSoonIsWaitedFor(t *testing.T) {
	for range 50 {
		first := take(64, 48*mib)
		go func() {
			time.Sleep(time.Millisecond)
			give(first)
		}()
		second := take(64, 48*mib)
		again := second == first
		give(second)
		if again {
			return
		}
	}
	t.Error("a new block was made each time")
}

func TestSmallBlocksAreTheCLibrarys(t *testing.T) {
	_, made := kept()
	for _, size := range []int{0, 1, 100, mib, 31 * mib} {
		p := take(64, size)
		if p == nil {
			t.Fatalf("no memory for %d bytes", size)
		}
		give(p)
	}
	give(take(4*mib, 64*mib)) // of an alignment that isn't kept
	give(nil)
	if _, now := kept(); now != made {
		t.Errorf("%d blocks were made of small ones", now-made)
	}
	if p := take(64, 1<<62); p != nil {
		t.Error("4 EiB were had")
	}
}

func TestBlocksOfManyThreads(t *testing.T) {
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 40 {
				size := (32 + (worker*7+i*13)%96) * mib
				p := take(64, size)
				ends := unsafe.Slice((*byte)(p), size)
				ends[0], ends[size-1] = byte(worker), byte(i)
				if ends[0] != byte(worker) || ends[size-1] != byte(i) {
					t.Error("a block was handed out twice")
				}
				give(p)
			}
		})
	}
	all.Wait()
	if used, _, _ := Usage(); used != 0 {
		t.Errorf("%d bytes are still in use", used)
	}
}

func TestAttachToWhatIsNoPlugin(t *testing.T) {
	if err := Attach("/nowhere/libpjrt_cpu.so"); err == nil {
		t.Error("attached to a file that isn't there")
	}
}
