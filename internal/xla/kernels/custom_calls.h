#ifndef GAZE_CUSTOM_CALLS_H
#define GAZE_CUSTOM_CALLS_H

#include <stdbool.h>

#include "kernel_set.h"

// gaze_register_custom_calls registers the handlers of all custom calls with a plugin, given
// its function table. It returns false if the plugin doesn't take them. threads is the size
// of XLA's thread pool, set the kernels to use; amx says whether products use AMX tiles.
bool gaze_register_custom_calls(const void* pjrt_api, int threads, const kernel_set* set, bool amx);

// gaze_share_threads changes the number of programs that are run side by side. From two on, each
// call computes on a share of the threads, at least one, so that threads don't wait for each other.
void gaze_share_threads(int more);

#endif
