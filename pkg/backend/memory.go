package backend

import "sync"

// KeepFreedMemory tells the C library to keep the memory that XLA frees for the
// next run, instead of giving it back to the system: a training step asks for the
// same hundreds of megabytes each time, and for each new page the kernel is
// entered and the page cleared, a fifth of the step's time for a small model.
// What the process once needed it keeps from then on. Outside of glibc nothing
// changes. Call it before the first run; the environment's MALLOC_MMAP_MAX_ and
// its like win.
func KeepFreedMemory() { once.Do(keepFreedMemory) }

var once sync.Once
