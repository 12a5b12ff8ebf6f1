// Package memory makes XLA's CPU client reuse the memory of one run for the next.
//
// The client allocates a program's intermediates anew for each run, as one block: for a
// training step that is hundreds of megabytes. glibc gives a block of that size back to the
// system when it is freed, so the kernel has to map and clear every page again in the next
// run. That took a third of the time of a training step of ViT-S/16. If glibc is told to
// keep such blocks in its heap instead, small allocations fragment them, the next run no
// longer finds room, and peak memory grows by half.
//
// [Attach] therefore does two things to the process:
//
//   - It patches the plugin's calls of posix_memalign, aligned_alloc and free, in the
//     plugin's relocation tables. Blocks of 32 MiB and more then come from a cache of
//     mappings, on huge pages where the kernel has them. A cached block goes back to the
//     system when it hasn't been used for half a minute, or in the last 32 requests. Of
//     blocks of 256 KiB and more, the 8 that were freed last wait for the next request of
//     their size, at most 16 MiB together: runs on several threads would otherwise leave
//     such blocks in each thread's heap.
//   - It sets glibc's malloc to keep what is smaller: no mappings of single blocks, no
//     trimming of the heap, no further arenas.
//
// [Loading] keeps the plugin's code from filling the memory while it is loaded.
//
// Package pjrt calls both when it loads a CPU plugin and creates its client. Nothing happens before that,
// nothing for other clients or for the Go backend, and nothing at all with GAZE_MEMORY=off.
package memory

import "gaze/internal/environ"

// Env is the environment variable that, when off, leaves memory to glibc and the plugin.
const Env = "GAZE_MEMORY"

// CheckSettings returns an error if the variable is neither on nor off.
func CheckSettings() error {
	_, err := environ.Switch(Env, true)
	return err
}

// enabled says whether the process may be changed. A value that [CheckSettings] refuses
// changes nothing.
func enabled() bool {
	on, err := environ.Switch(Env, true)
	return on && err == nil
}
