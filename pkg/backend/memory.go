package backend

import "sync"

// keepFreedMemory tells the C library to keep the memory that XLA frees for the
// next run, instead of giving it back to the system: a training step asks for the
// same hundreds of megabytes each time, and for each new page the kernel is
// entered and the page cleared, a fifth of the step's time for a small model.
// What the process once needed it keeps from then on. Outside of glibc nothing
// changes, and the environment's MALLOC_MMAP_MAX_ and its like win. It must come
// before XLA starts its threads, which else get heaps of their own.
var keepFreedMemory = sync.OnceFunc(keep)
