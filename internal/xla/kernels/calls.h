#ifndef GAZE_CALLS_H
#define GAZE_CALLS_H

#include <stdbool.h>

// gaze_register tells a plugin, by its table of functions, of all targets. False when
// it can't be told. threads is how many XLA has, with_tiles whether products may be made
// with them.
bool gaze_register(const void* pjrt_api, int threads, bool with_tiles);

#endif
