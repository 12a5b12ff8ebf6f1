// Package memory keeps the memory that a PJRT plugin frees, for the next time it asks.
//
// XLA's CPU client takes the memory for a program's intermediates anew for each run,
// hundreds of megabytes in one piece for a training step, and the C library gives a
// piece of that size back to the system as soon as it is freed: for each of its pages
// the kernel is entered and clears it, again and again, which was a third of the time
// of a training step of ViT-S/16. Kept in the C library's heap, such a piece is soon in
// its own way, cut by small ones, and is there twice.
// So the plugin's calls of posix_memalign, aligned_alloc and free, found in its table
// of relocations, are led here. Large pieces are mappings of their own, of huge pages
// where the kernel may make them, used again when they fit; small ones stay the C
// library's, which is told to keep them. A large piece goes back to the system when it
// hasn't been used for half a minute, or by the last 32 requests.
package memory
